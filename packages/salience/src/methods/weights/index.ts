/** @file Methods that score the weights of a network. */

export * from './global-mp.ts';
export * from './random-pruning.ts';
