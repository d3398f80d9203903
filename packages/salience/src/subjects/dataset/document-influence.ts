/** @file The influence of a dataset's documents on a reference: by a decoder for texts, by softmax regression for labelled features. */

import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { decoderGradients } from '../../models/influence/decoder-gradients.ts';
import type { ExampleGradients } from '../../models/influence/example-gradients.ts';
import { type Influence, influenceOf } from '../../models/influence/influence-direction.ts';
import {
  type LabelledFeatures,
  randomReluFeatures,
  softmaxGradients,
  trainSoftmax,
} from '../../models/influence/softmax-regression.ts';
import { loadWeights, openPretrained } from '../../models/pretrained/open-pretrained.ts';
import { checkFeatures, type Dataset } from './dataset.ts';
import { type ReadExample, readExamples } from './example-reader.ts';
import { type Reference, referenceOf, referenceParams } from './reference.ts';

/** Parameters of methods that score documents by influence. */
export const influenceParams = {
  ...referenceParams,
  proxy: z
    .string()
    .optional()
    .describe(
      'folder of the decoder whose gradients count; by default the shipped one for texts, softmax regression for labelled features',
    ),
  layers: z
    .enum(['attention', 'mlp', 'both'])
    .default('both')
    .describe('layers of the decoder that count; attention’s queries, keys and values are one'),
  curvature: z
    .enum(['ek-fac', 'k-fac', 'none'])
    .default('ek-fac')
    .describe('how the curvature is taken into account; none leaves the cosine of gradients'),
  damping: z.number().positive().default(1e-3).describe('added to the curvature'),
  sample: z
    .int()
    .min(1)
    .default(128)
    .describe('documents of the pool, or as many pieces of them, whose gradients give the curvature'),
  chunk: z.int().min(2).default(128).describe('tokens of a piece of a text; a text scores the mean of its pieces'),
  projection: z.int().min(0).default(0).describe('dimensions of a random projection of all gradients; 0: none'),
  hidden: z.int().min(1).default(160).describe('random features under softmax regression'),
  proxyExamples: z.int().min(1).default(400).describe('random documents softmax regression is trained on'),
  proxySteps: z.int().min(0).default(150).describe('steps of that training'),
};

type InfluenceParams = z.infer<z.ZodObject<typeof influenceParams>>;

/** Scores documents; each is computed once. */
export interface DocumentInfluence {
  /** Influence of documents by their numbers, shape [indices]: above 0 where training on them lowers the reference's loss. */
  score(indices: ArrayLike<number>): Promise<Float64Array>;
  /** Documents scored so far. */
  readonly evaluated: number;
  /** What was decided without being asked for. */
  readonly remarks: readonly string[];
  dispose(): Promise<void>;
}

const bundled = fileURLToPath(new URL('../../../examples/recall', import.meta.url));

/**
 * Opens the proxy, takes the curvature from a sample of the pool and the direction from the reference.
 * @throws InputError for a dataset with neither texts nor labelled features, and for a reference that does not fit it; ParameterError for
 * a decoder with features alone.
 */
export async function documentInfluence(
  dataset: Dataset,
  params: InfluenceParams,
  run: Run,
): Promise<DocumentInfluence> {
  const { proxy, damping, curvature, projection } = params;
  const byFeatures =
    proxy === undefined && !dataset.hasText && dataset.labels !== undefined && dataset.features.length > 0;
  if (!byFeatures && !dataset.hasText) {
    throw proxy === undefined
      ? new InputError(
          `${dataset.name}: influence needs texts, or features with labels; name the column of either (--text, --target)`,
        )
      : new ParameterError(`${dataset.name}: has no text for the decoder ${proxy} to read`);
  }
  const reference = await referenceOf(dataset, params, run);
  const drawn = (stream: string, count: number) =>
    run.random(stream).permutation(dataset.examples).subarray(0, Math.min(count, dataset.examples));
  const options = {
    damping,
    curvature,
    run,
    ...(projection > 0 && { projection: { dimension: projection, random: run.random('projection') } }),
  };
  const sample = await readExamples(dataset, drawn('curvature', params.sample));

  if (byFeatures) {
    const { classes, of } = dataset.labels!;
    const trainedOn = drawn('proxy', params.proxyExamples);
    const rows = await readExamples(dataset, trainedOn);
    const map = randomReluFeatures(
      rows.flatMap(({ features }) => Array.from(features)),
      { inputs: dataset.features.length, outputs: params.hidden, random: run.random('features') },
    );
    const labelled = (examples: readonly ReadExample[], labels: ArrayLike<number>): LabelledFeatures[] =>
      examples.map(({ features }, i) => ({ x: map.apply(features), label: labels[i] }));
    const labelsOf = (indices: ArrayLike<number>) => Array.from(indices, (i) => of[i]);
    const weights = trainSoftmax(labelled(rows, labelsOf(trainedOn)), {
      classes: classes.length,
      steps: params.proxySteps,
    });
    const model = softmaxGradients(weights, params.hidden);
    const influence = await influenceOf(
      model,
      labelled(sample, labelsOf(drawn('curvature', params.sample))),
      labelled(reference.examples, reference.labels!),
      options,
    );
    return remembered(reference, model, (indices) =>
      readExamples(dataset, indices).then((read) => {
        read.forEach(({ features }, i) => {
          checkFeatures(dataset, { start: indices[i], length: 1 }, features);
        });
        return influence.score(labelled(read, labelsOf(indices)));
      }),
    );
  }

  const pretrained = await openPretrained(proxy ?? bundled);
  const { config } = pretrained;
  const length = Math.min(params.chunk, config.positions);
  const tokenizer = await pretrained.tokenizer();
  const weights = await loadWeights(pretrained, run, { purpose: 'gradient', batch: 8, tokens: length });
  const model = decoderGradients(config, weights, params.layers, run);
  const piecesOf = async (examples: readonly ReadExample[]) => {
    const pieces: Int32Array[] = [];
    const owner: number[] = [];
    for (const [e, { text = '' }] of examples.entries()) {
      const tokens = await tokenizer.encode(text, run);
      // A last piece of one token would predict nothing.
      for (let at = 0; at + 1 < tokens.length; at += length) {
        pieces.push(tokens.slice(at, at + length));
        owner.push(e);
      }
    }
    return { pieces, owner };
  };
  const target = await piecesOf(reference.examples);
  if (target.pieces.length === 0) throw new InputError('no text of the reference has two tokens to predict from');
  const seen = await piecesOf(sample);
  if (seen.pieces.length === 0) throw new InputError(`${dataset.name}: no text of the sample has two tokens`);
  // Of long texts as many pieces as there were to be texts.
  const curved = run.random('pieces').shuffle(seen.pieces).slice(0, params.sample);
  let influence: Influence<Int32Array>;
  try {
    influence = await influenceOf(model, curved, target.pieces, options);
  } catch (error) {
    await model.dispose();
    throw error;
  }
  return remembered(reference, model, async (indices) => {
    const { pieces, owner } = await piecesOf(await readExamples(dataset, indices));
    const scores = await influence.score(pieces);
    const counts = new Float64Array(indices.length);
    const mean = new Float64Array(indices.length);
    for (const e of owner) counts[e]++;
    owner.forEach((e, p) => {
      mean[e] += scores[p] / counts[e];
    });
    return mean;
  });
}

/** Scores that are asked for again are given again. */
function remembered(
  { remarks }: Reference,
  { dispose }: Pick<ExampleGradients<never>, 'dispose'>,
  compute: (indices: readonly number[]) => Promise<Float64Array>,
): DocumentInfluence {
  const known = new Map<number, number>();
  return {
    async score(indices) {
      const fresh = [...new Set(Array.from(indices))].filter((index) => !known.has(index));
      if (fresh.length > 0) {
        const scores = await compute(fresh);
        fresh.forEach((index, i) => {
          known.set(index, scores[i]);
        });
      }
      return Float64Array.from(indices, (index) => known.get(index)!);
    },
    get evaluated() {
      return known.size;
    },
    remarks,
    dispose,
  };
}
