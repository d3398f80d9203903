/** @file Methods that score sentences and terms. */

export * from './basic.ts';
export * from './c-value.ts';
export * from './centroid.ts';
export * from './combo-basic.ts';
export * from './lexrank.ts';
export * from './rake.ts';
export * from './semre-rank.ts';
export * from './tf-idf.ts';
export * from './weirdness.ts';
