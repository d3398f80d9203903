/** @file Embedders: what makes a vector of a text. */

import type { LatentModel } from './latent-model.ts';

export interface Embedder {
  /** As in the configuration: "built-in", "onnx:/folder", "https://host/v1#model". */
  readonly kind: string;
  /** Numbers in a vector. */
  readonly width: number;
  /** A vector of each text, of length 1; of zeros for a text of which nothing is known. Shape [texts][width]. */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
}

/** The built-in embedder, which places lexemes without a query where they are known. */
export interface LatentEmbedder extends Embedder {
  readonly model: LatentModel;
}

/** Whether texts are placed by the lexemes that the index knows of them. */
export const isLatent = (embedder: Embedder): embedder is LatentEmbedder => 'model' in embedder;
