/** @file Opening the embedder in use, which the configuration names. */

import type { Embedder, LatentEmbedder } from './embedder.ts';
import { endpointEmbedder } from './embeddings-endpoint.ts';
import { placeLexemes, unpackLatent } from './latent-model.ts';
import type { LexemeReader } from './lexemes.ts';

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
