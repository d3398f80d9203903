/** @file Methods that score training examples. */

export * from './aum.ts';
export * from './condensed-nn.ts';
export * from './drop3.ts';
export * from './dsir.ts';
export * from './el2n.ts';
export * from './example-loss.ts';
export * from './example-margin.ts';
export * from './fifa.ts';
export * from './forgetting.ts';
export * from './gais.ts';
export * from './grand.ts';
export * from './icf.ts';
export * from './influence.ts';
export * from './k-means-prototypes.ts';
export * from './lsh-selection.ts';
export * from './prune-and-retrain.ts';
export * from './pvi.ts';
export * from './quad.ts';
export * from './random-examples.ts';
export * from './tracin.ts';
export * from './vog.ts';
