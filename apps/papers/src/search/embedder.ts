/** @file Embedders: what makes a vector of a text. Which one is in use, the configuration says. */

import { endpointEmbedder } from './embeddings-endpoint.ts';
import { type LatentModel, placeLexemes, unpackLatent } from './latent-model.ts';
import type { LexemeReader } from './lexemes.ts';

export interface Embedder {
  /** As in the configuration: "built-in", "onnx:/folder", "https://host/v1#model". */
  readonly kind: string;
  /** Numbers in a vector. */
  readonly width: number;
  /** A vector of each text, of length 1; of zeros for a text of which nothing is known. Shape [texts][width]. */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
}

/** The built-in embedder, which places lexemes without a query where they are known. */
interface LatentEmbedder extends Embedder {
  readonly model: LatentModel;
}

/** Whether texts are placed by the lexemes that the index knows of them. */
export const isLatent = (embedder: Embedder): embedder is LatentEmbedder => 'model' in embedder;

/**
 * Opens the embedder of a kind; the built-in one from its trained parameters.
 * @throws Error if the kind is none, the folder holds no encoder, or the endpoint does not answer.
 */
export async function openEmbedder(
  kind: string,
  { parameters, reader, key }: { parameters?: Uint8Array | null; reader: LexemeReader; key?: string },
): Promise<Embedder> {
  if (kind === 'built-in') {
    if (!parameters) throw new Error('the built-in embedder has not been trained');
    const model = unpackLatent(parameters);
    return {
      kind,
      width: model.semantics.width,
      model,
      async embed(texts) {
        return (await reader.of(texts)).map(({ terms }) => placeLexemes(model, terms));
      },
    } satisfies LatentEmbedder as Embedder;
  }
  if (kind.startsWith('onnx:')) {
    const { openSentenceEncoder } = await import('salience/models');
    const { width, embed } = await openSentenceEncoder(kind.slice('onnx:'.length), { threads: 1 });
    return { kind, width, embed };
  }
  if (/^https?:\/\//.test(kind)) return endpointEmbedder(kind, key);
  throw new Error(
    `SALIENCE_EMBEDDINGS is "${kind}"; it should be "built-in", "onnx:/folder" or "https://host/v1#model"`,
  );
}
