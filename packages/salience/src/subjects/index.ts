/** @file The kinds of things that can be scored, and what methods about them share. */

export { type Checkpoint, openCheckpoint, type Tensor } from '../models/checkpoint/checkpoint-files.ts';
export { ppmiSvd } from '../models/word-vectors/ppmi-svd.ts';
export { readWordVectors } from '../models/word-vectors/read-word-vectors.ts';
export type { WordVectors } from '../models/word-vectors/word-vectors.ts';
export { checkpoint } from './checkpoint/checkpoint.ts';
export { prunableParams, prunableTensors } from './checkpoint/prunable.ts';
export { type WeightChunk, weightScores } from './checkpoint/weight-scores.ts';
export * from './document/collection.ts';
export { document } from './document/document.ts';
export { loadCollection } from './document/load.ts';
export * from './document/sentence-vectors.ts';
export { splitSentences } from './document/sentences.ts';
export { stopWordsOf } from './document/stop-words.ts';
export { termCandidates } from './document/term-candidates.ts';
export { wordsOf } from './document/words.ts';
export * from './language-model/calibration.ts';
export { type LanguageModel, languageModel, languageModelInMemory } from './language-model/language-model.ts';
export * from './language-model/prune-layers.ts';
export * from './prompt/cache-scores.ts';
export { type CacheScores, type Prompt, prompt, promptInMemory } from './prompt/prompt.ts';
export { writeBeside } from './writing.ts';
