/** @file Cache eviction: methods that score the entries of a key/value cache. */

export * from './full-cache.ts';
export * from './h2o.ts';
export * from './random-eviction.ts';
export * from './scissorhands.ts';
export * from './snapkv.ts';
export * from './streaming-llm.ts';
