/** @file Static word vectors: one vector a word. */

export interface WordVectors {
  /** Distinct words, shape [n]. */
  readonly words: readonly string[];
  readonly dimensions: number;
  /** Shape [n, dimensions], row after row, finite. */
  readonly values: Float32Array;
}
