/** @file A synthetic language in which facts are stated early and asked for late, and small tasks beside it. */

export {
  type BatchOptions,
  batch,
  type DocumentOptions,
  document,
  type Question,
  type RecallDocument,
} from './document.ts';
export { initialRecallWeights } from './initial-weights.ts';
export {
  beginToken,
  type Domain,
  domains,
  keys,
  prepositions,
  textOf,
  tokenizerJson,
  tokenOf,
  tokensOf,
  unknownToken,
  values,
  vocabulary,
} from './lexicon.ts';
export { type Answered, retrieval } from './retrieval.ts';
export { sentence } from './sentence.ts';
export * from './tasks.ts';
