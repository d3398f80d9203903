/** @file Numerics that methods share: allocation, graphs, linear algebra, neighbours, schedules, statistics, termhood. */

export * from './allocation/water-filling.ts';
export * from './graph/csr.ts';
export * from './graph/graph.ts';
export * from './graph/page-rank.ts';
export * from './graph/similarity-graph.ts';
export * from './graph/similarity-matrix.ts';
export * from './linear-algebra/sparse-matrix.ts';
export * from './linear-algebra/truncated-svd.ts';
export * from './neighbours/cosine-neighbours.ts';
export * from './schedules/cubic-sparsity.ts';
export * from './statistics/rank-correlation.ts';
export * from './statistics/retrieval.ts';
export * from './statistics/rouge.ts';
export * from './terms/basic.ts';
export * from './terms/c-value.ts';
export * from './terms/combo-basic.ts';
export * from './terms/rake.ts';
export * from './terms/term-counts.ts';
export * from './terms/tf-idf.ts';
export * from './terms/weirdness.ts';
