/** @file Methods that score the weights of a network. */

export * from './gblm.ts';
export * from './global-mp.ts';
export * from './magnitude.ts';
export * from './random-pruning.ts';
export * from './random-weights.ts';
export * from './sparsegpt.ts';
export * from './wanda.ts';
