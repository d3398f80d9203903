import { describe, expect, it } from 'vitest';
import type { AnyMethod } from '../../catalogue.ts';
import { CancelledError, InputError, ParameterError } from '../../core/errors.ts';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import type { ScoreSequence } from '../../core/scores.ts';
import { selectSequence } from '../../core/select-sequence.ts';
import { inspect, nextToken } from '../../models/decoder/inspect.ts';
import { inputSquares, linearMaps } from '../../models/decoder/linear-maps.ts';
import { readConfig } from '../../models/decoder/read-config.ts';
import { initialWeights } from '../../models/decoder/weights.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { float32, int32, type Tensor } from '../../runtime/index.ts';
import { languageModelInMemory } from '../../subjects/language-model/language-model.ts';
import { gblm } from './gblm.ts';
import { magnitudePruning } from './magnitude.ts';
import { wanda } from './wanda.ts';

const config = readConfig(
  {
    model_type: 'llama',
    vocab_size: 12,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 32,
  },
  'config.json',
);
const weights = initialWeights(config, new Random(5));
for (const { shape, data } of Object.values(weights))
  if (shape.length === 2) for (let i = 0; i < data.length; i++) data[i] *= 10;
const texts = 4;
const length = 10;
const random = new Random(6);
const blocks = int32(
  [texts, length],
  Int32Array.from({ length: texts * length }, () => random.integer(12)),
);
const inMemory = (own: ParameterTensors = weights, tokens = blocks) =>
  languageModelInMemory({ config, weights: own }, tokens);

interface Part {
  readonly scores: Float32Array;
  readonly kept: Uint8Array;
}

async function parts(
  params: Record<string, unknown> = {},
  { model = inMemory(), method = gblm as unknown, run = new Run(), budget = '50%' } = {},
): Promise<Record<string, Part>> {
  const of = method as AnyMethod;
  const scores = (await of.score(model, parseParams(of, params), run)) as ScoreSequence;
  const made: Record<string, Part> = {};
  for await (const { name, scores: own, kept } of selectSequence(scores, budget).walk())
    made[name] = { scores: own, kept };
  return made;
}

const masks = (of: Record<string, Part>) =>
  Object.fromEntries(Object.entries(of).map(([name, { kept }]) => [name, kept.join('')]));
const first = 'model.layers.0.self_attn.v_proj.weight';

/** Gradients of one loss over some texts. */
async function gradients(tokens: Tensor<'int32'>): Promise<ParameterTensors> {
  const inspection = inspect(config, { loss: nextToken, gradients: { weights: (name) => name === first } });
  const { weightGradients } = await inspection.run(weights, tokens);
  await inspection.dispose();
  return weightGradients;
}
const textAt = (t: number) => int32([1, length], blocks.data.slice(t * length, (t + 1) * length));

describe('GBLM-Pruner', () => {
  it('scores |W| (x + √Σ(αG)²) or |W| (x + Σ|αG|), the gradients text by text', async () => {
    const [rows, columns] = weights[first].shape;
    const inspection = inspect(config, { observe: { inputs: inputSquares(config, 0) } });
    const { observed } = await inspection.run(weights, blocks);
    await inspection.dispose();
    const squares = (observed.inputs[0] as Record<string, Tensor<'float32'>>)['attention.input'].data;
    const each = await Promise.all([0, 1, 2, 3].map(async (t) => (await gradients(textAt(t)))[first].data));
    const alpha = 30;
    for (const [norm, of] of [
      ['l2', (gs: number[]) => Math.hypot(...gs)],
      ['l1', (gs: number[]) => gs.reduce((sum, g) => sum + Math.abs(g), 0)],
    ] as const) {
      const { scores } = (await parts({ norm, alpha }))[first];
      for (let i = 0; i < rows * columns; i++) {
        const x = Math.sqrt(squares[i % columns] / texts);
        const expected = Math.abs(weights[first].data[i]) * (x + alpha * of(each.map((g) => g[i])));
        expect(Math.abs(scores[i] - expected)).toBeLessThanOrEqual(1e-4 * expected + 1e-7);
      }
    }
    // One loss over all texts is another thing: there, signs cancel.
    const together = (await gradients(blocks))[first].data;
    const apart = each.map((g) => g.map(Math.abs)).reduce((sum, g) => sum.map((value, i) => value + g[i]));
    expect(together.some((g, i) => Math.abs(g) * texts < 0.5 * apart[i])).toBe(true);
  });

  it('is Wanda at alpha 0, and gradients alone as alpha grows', async () => {
    expect(masks(await parts({ alpha: 0 }))).toEqual(masks(await parts({}, { method: wanda })));
    expect(masks(await parts({ alpha: 1e9 }))).toEqual(masks(await parts({ score: 'gradient' })));
    expect(masks(await parts({ alpha: 100 }))).not.toEqual(masks(await parts({ alpha: 0 })));
  });

  it('has one norm for one text, and does not depend on the order of the texts', async () => {
    const one = inMemory(weights, textAt(0));
    expect(masks(await parts({ norm: 'l1' }, { model: one }))).toEqual(
      masks(await parts({ norm: 'l2' }, { model: one })),
    );
    const data = new Int32Array(blocks.data.length);
    for (let t = 0; t < texts; t++) data.set(textAt(texts - 1 - t).data, t * length);
    expect(masks(await parts({}, { model: inMemory(weights, int32([texts, length], data)) }))).toEqual(
      masks(await parts()),
    );
  });

  it('does not change where a channel is scaled in a norm and back in the columns that read it; magnitudes do', async () => {
    const changed: Record<string, Tensor<'float32'>> = { ...weights };
    const factors = Array.from({ length: 16 }, (_, j) => 2 ** ((j % 5) - 2));
    const scale = (name: string, by: (j: number) => number) => {
      changed[name] = float32(
        weights[name].shape,
        weights[name].data.map((value, i) => value * by(i % 16)),
      );
    };
    for (let n = 0; n < 2; n++) {
      scale(`model.layers.${n}.input_layernorm.weight`, (j) => factors[j]);
      for (const { name, input } of linearMaps(config, n))
        if (input === 'attention.input') scale(`model.layers.${n}.${name}`, (j) => 1 / factors[j]);
    }
    const model = inMemory(changed);
    expect(masks(await parts({}, { model }))).toEqual(masks(await parts()));
    expect(masks(await parts({}, { model, method: magnitudePruning }))).not.toEqual(
      masks(await parts({}, { method: magnitudePruning })),
    );
  });

  it('finds the balanced alpha, and says it', async () => {
    const log: string[] = [];
    const run = new Run({ onLog: (message) => log.push(message) });
    const balanced = await parts({ alphaMode: 'balanced' }, { run });
    const alpha = Number(/^alpha (\S+) balances/.exec(log[0])![1]);
    expect(alpha).toBeGreaterThan(0);
    const fixed = (await parts({ alpha }))[first].scores;
    balanced[first].scores.forEach((score, i) => {
      expect(Math.abs(score - fixed[i])).toBeLessThanOrEqual(1e-3 * fixed[i]);
    });
  });

  it.each(['full', 'gradient', 'inverse'])(
    'prunes a matrix without gradients as Wanda does (%s), and says so',
    async (score) => {
      // Values are multiplied by an output of zeros, so nothing flows back through them.
      const output = 'model.layers.1.self_attn.o_proj.weight';
      const shape = weights[output].shape;
      const own: ParameterTensors = { ...weights, [output]: float32(shape, new Float32Array(16 * 16)) };
      const log: string[] = [];
      const run = new Run({ onLog: (message) => log.push(message) });
      const flat = 'model.layers.1.self_attn.v_proj.weight';
      const model = inMemory(own);
      const made = await parts({ score, alpha: 100 }, { model, run });
      expect(log).toContainEqual(`${flat}: all gradients are 0; it is pruned by its inputs alone, as Wanda does`);
      expect(made[flat].kept.reduce((sum, one) => sum + one, 0)).toBe(made[flat].kept.length / 2);
      if (score === 'full') return;
      const alike = wandaOrder(own[flat], made[flat]);
      expect(alike).toBe(true);
    },
  );

  it('prunes dead inputs first', async () => {
    const norm = 'model.layers.0.input_layernorm.weight';
    const own = {
      ...weights,
      [norm]: float32(
        [16],
        weights[norm].data.map((value, j) => (j < 3 ? 0 : value)),
      ),
    };
    const { kept } = (await parts({}, { model: inMemory(own) }))[first];
    for (let i = 0; i < kept.length; i += 16) expect([...kept.subarray(i, i + 3)]).toEqual([0, 0, 0]);
  });

  it('shows progress through the texts and stops when it is cancelled', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const run = new Run({
      signal: abort.signal,
      onProgress: ({ what, done }) => {
        if (what === 'gradients' && seen.push(done) === 2) abort.abort();
      },
    });
    await expect(parts({}, { run })).rejects.toThrow(CancelledError);
    expect(seen).toEqual([1, 2]);
  });

  it('refuses texts of one token, weights that are not finite, and an alpha below 0', async () => {
    await expect(parts({}, { model: inMemory(weights, int32([2, 1], Int32Array.of(1, 2))) })).rejects.toThrow(
      /no next token to be predicted/,
    );
    const data = weights[first].data.slice();
    data[3] = Number.NaN;
    const broken = inMemory({ ...weights, [first]: float32(weights[first].shape, data) });
    await expect(parts({}, { model: broken })).rejects.toThrow(`${first} is NaN at 3`);
    await expect(parts({}, { model: broken })).rejects.toThrow(InputError);
    for (const alpha of [-1, Number.NaN]) expect(() => parseParams(gblm, { alpha })).toThrow(ParameterError);
  });

  it('refuses scores by gradients that an alpha of 0 leaves out; a balanced alpha is none of 0', async () => {
    for (const score of ['gradient', 'inverse']) {
      await expect(parts({ score, alpha: 0 })).rejects.toThrow(ParameterError);
      await expect(parts({ score, alpha: 0 })).rejects.toThrow(
        `score = ${score} takes gradients, and alpha = 0 leaves them out; give an alpha above 0`,
      );
      expect(masks(await parts({ score, alpha: 0, alphaMode: 'balanced' }))).toEqual(masks(await parts({ score })));
    }
  });
});

/** Whether a row's kept weights are those of largest |W| x, as its scores say: all scores are |W| times one number a column. */
function wandaOrder({ data, shape }: Tensor<'float32'>, { scores }: Part): boolean {
  const columns = shape[1];
  const factor = (r: number, j: number) => scores[r * columns + j] / Math.abs(data[r * columns + j]);
  for (let r = 1; r < shape[0]; r++)
    for (let j = 0; j < columns; j++) if (Math.abs(factor(r, j) / factor(0, j) - 1) > 1e-4) return false;
  // One number for all columns would be magnitude alone.
  return Math.abs(factor(0, 0) / factor(0, 1) - 1) > 1e-3;
}
