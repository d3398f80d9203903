import { describe, expect, it } from 'vitest';
import type { AnyMethod } from '../../catalogue.ts';
import { ParameterError } from '../../core/errors.ts';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import type { ScoreSequence } from '../../core/scores.ts';
import { selectSequence } from '../../core/select-sequence.ts';
import { inspect } from '../../models/decoder/inspect.ts';
import { readConfig } from '../../models/decoder/read-config.ts';
import { initialWeights } from '../../models/decoder/weights.ts';
import { valuesAt } from '../../nn/observation.ts';
import { int32, type Tensor } from '../../runtime/index.ts';
import { languageModelInMemory } from '../../subjects/language-model/language-model.ts';
import { prunedWeights } from '../../subjects/language-model/prune-layers.ts';
import { magnitudePruning } from './magnitude.ts';
import { randomWeights } from './random-weights.ts';
import { sparseGpt } from './sparsegpt.ts';
import { wanda } from './wanda.ts';

const config = readConfig(
  {
    model_type: 'llama',
    vocab_size: 40,
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_position_embeddings: 32,
  },
  'config.json',
);
const weights = initialWeights(config, new Random(5));
for (const { shape, data } of Object.values(weights))
  if (shape.length === 2) for (let i = 0; i < data.length; i++) data[i] *= 10;
const random = new Random(6);
const blocks = int32(
  [16, 30],
  Int32Array.from({ length: 480 }, () => random.integer(40)),
);
const model = languageModelInMemory({ config, weights }, blocks);

async function pruned(method: unknown, budget = '50%', params: Record<string, unknown> = {}) {
  const of = method as AnyMethod;
  const scores = (await of.score(model, parseParams(of, params), new Run({ seed: 1 }))) as ScoreSequence;
  return prunedWeights(weights, selectSequence(scores, budget));
}

/** Squared error of the queries, which read what the dense model reads. */
async function errorOf(after: Awaited<ReturnType<typeof pruned>>): Promise<number> {
  const inspection = inspect(config, { observe: { queries: valuesAt('attention.input') } });
  const { observed } = await inspection.run(weights, blocks);
  await inspection.dispose();
  const { data } = observed.queries[0] as Tensor<'float32'>;
  const name = 'model.layers.0.self_attn.q_proj.weight';
  let error = 0;
  for (let t = 0; t < data.length; t += 32) {
    for (let r = 0; r < 32; r++) {
      let difference = 0;
      for (let j = 0; j < 32; j++)
        difference += (after[name].data[r * 32 + j] - weights[name].data[r * 32 + j]) * data[t + j];
      error += difference ** 2;
    }
  }
  return error;
}

describe('SparseGPT and its baselines', () => {
  it('SparseGPT leaves a smaller error than Wanda, Wanda than random; so does 2:4', async () => {
    for (const budget of ['50%', '2:4']) {
      const [ours, wandas, randoms] = await Promise.all(
        [sparseGpt, wanda, randomWeights].map(async (method) => errorOf(await pruned(method, budget))),
      );
      expect(ours).toBeLessThan(0.9 * wandas);
      expect(wandas).toBeLessThan(randoms);
    }
  });

  it('SparseGPT changes the weights it keeps, the others do not', async () => {
    const changed = async (method: unknown) => {
      const after = await pruned(method);
      return Object.entries(weights).some(([name, { data }]) =>
        data.some((value, i) => after[name].data[i] !== 0 && after[name].data[i] !== value),
      );
    };
    expect(await changed(sparseGpt)).toBe(true);
    for (const method of [wanda, magnitudePruning, randomWeights]) expect(await changed(method)).toBe(false);
  });

  it('SparseGPT at 100% gives every weight back', async () => {
    expect(await pruned(sparseGpt, '100%')).toEqual(weights);
  });

  it('magnitudes are compared within a matrix, or where asked within each row', async () => {
    const name = 'model.layers.0.mlp.up_proj.weight';
    const inRows = async (params: Record<string, unknown>) => {
      const { data } = (await pruned(magnitudePruning, '50%', params))[name];
      return Array.from(
        { length: 48 },
        (_, r) => data.subarray(r * 32, (r + 1) * 32).filter((value) => value !== 0).length,
      );
    };
    expect(new Set(await inRows({ compare: 'row' }))).toEqual(new Set([16]));
    const all = await inRows({});
    expect(new Set(all).size).toBeGreaterThan(1);
    expect(all.reduce((a, b) => a + b)).toBe((48 * 32) / 2);
    const kept = (await pruned(magnitudePruning))[name].data;
    const least = Math.min(...kept.filter((value) => value !== 0).map(Math.abs));
    weights[name].data.forEach((value, i) => {
      if (kept[i] === 0) expect(Math.abs(value)).toBeLessThanOrEqual(least);
    });
  });

  it('refuses a damping of 0 and a block without columns', () => {
    for (const given of [{ damping: 0 }, { damping: Number.NaN }, { blockColumns: 0 }, { blockColumns: 1.5 }])
      expect(() => parseParams(sparseGpt, given)).toThrow(ParameterError);
  });
});
