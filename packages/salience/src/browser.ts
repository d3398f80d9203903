/** @file What runs in a reader's browser: texts in memory, the methods that score them without files, and the main job. */

import type { AnyMethod } from './catalogue.ts';

export * from './core/index.ts';
export { type Choice, keep } from './keep.ts';
export { type Collection, collect } from './subjects/document/collection.ts';

const as = (loading: Promise<unknown>) => loading as Promise<AnyMethod>;

/** Methods by id; the subject of each is a collection of documents. */
export const browserMethods: Readonly<Record<string, () => Promise<AnyMethod>>> = {
  lexrank: () => as(import('./methods/text/lexrank.ts').then((m) => m.lexrank)),
  centroid: () => as(import('./methods/text/centroid.ts').then((m) => m.centroid)),
  'tf-idf': () => as(import('./methods/text/tf-idf.ts').then((m) => m.tfIdf)),
  'c-value': () => as(import('./methods/text/c-value.ts').then((m) => m.cValue)),
  rake: () => as(import('./methods/text/rake.ts').then((m) => m.rake)),
  basic: () => as(import('./methods/text/basic.ts').then((m) => m.basic)),
  'combo-basic': () => as(import('./methods/text/combo-basic.ts').then((m) => m.comboBasic)),
};
