/** @file Networks: layers, losses, optimisers, the training loop, and looking inside. */

export { attention, type CachedKeysAndValues } from './attention.ts';
export { mixtureOfExperts, topKGates } from './experts.ts';
export * from './graph-attention.ts';
export * from './kan.ts';
export * from './layers.ts';
export * from './losses.ts';
export * from './observation.ts';
export * from './optimisers/adam.ts';
export * from './optimisers/chain.ts';
export * from './optimisers/schedules.ts';
export * from './optimisers/sgd.ts';
export * from './optimisers/transform.ts';
export * from './parameters.ts';
export * from './perceptron.ts';
export * from './rotary.ts';
export { swiglu } from './swiglu.ts';
export * from './tap.ts';
export * from './training/policy.ts';
export * from './training/train.ts';
