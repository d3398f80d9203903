import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { AnyMethod } from '../../catalogue.ts';
import { BudgetError } from '../../core/errors.ts';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import type { ScoreSequence } from '../../core/scores.ts';
import { keepInRows } from '../../core/select-rows.ts';
import { selectSequence } from '../../core/select-sequence.ts';
import { inspect } from '../../models/decoder/inspect.ts';
import { walkLayers } from '../../models/decoder/layer-walk.ts';
import { inputSquares, linearMaps } from '../../models/decoder/linear-maps.ts';
import { readConfig } from '../../models/decoder/read-config.ts';
import { initialWeights } from '../../models/decoder/weights.ts';
import { loadWeights, openPretrained } from '../../models/pretrained/open-pretrained.ts';
import { inputNorm, wandaScores } from '../../numerics/pruning/wanda.ts';
import { float32, int32, type Tensor } from '../../runtime/index.ts';
import { languageModelInMemory } from '../../subjects/language-model/language-model.ts';
import { prunedWeights } from '../../subjects/language-model/prune-layers.ts';
import { wanda } from './wanda.ts';

const run = new Run();
const config = readConfig(
  {
    model_type: 'llama',
    vocab_size: 12,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 3,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 32,
  },
  'config.json',
);
const weights = initialWeights(config, new Random(5));
for (const { shape, data } of Object.values(weights))
  if (shape.length === 2) for (let i = 0; i < data.length; i++) data[i] *= 10;
const random = new Random(6);
const blocks = int32(
  [5, 12],
  Int32Array.from({ length: 60 }, () => random.integer(12)),
);
const model = languageModelInMemory({ config, weights }, blocks);

const scored = async (params: Record<string, unknown> = {}, of = model) =>
  (await (wanda as unknown as AnyMethod).score(of, parseParams(wanda, params), run)) as ScoreSequence;

/** Σ x² of each input of a layer over all texts, in a model whole in memory. */
async function squaresIn(of: typeof weights, layer: number): Promise<Record<string, Tensor<'float32'>>> {
  const inspection = inspect(config, { observe: { inputs: inputSquares(config, 0) } });
  const { observed } = await inspection.run(of, blocks);
  await inspection.dispose();
  return observed.inputs[layer] as Record<string, Tensor<'float32'>>;
}

describe('Wanda', () => {
  it('scores each layer by what the pruned layers before it give, all of its matrices from one pass', async () => {
    const left: Record<string, Tensor<'float32'>> = { ...weights };
    const selection = selectSequence(await scored(), '50%');
    let layer = -1;
    let squares: Record<string, Tensor<'float32'>> = {};
    for await (const { name, shape, scores, kept } of selection.walk()) {
      const [, n, short] = /^model\.layers\.(\d+)\.(.+)$/.exec(name)!;
      if (Number(n) > layer) {
        layer = Number(n);
        squares = await squaresIn(left, layer);
      }
      const { input } = linearMaps(config, layer).find((map) => map.name === short)!;
      const expected = wandaScores(weights[name].data, ...shape, inputNorm(squares[input].data, 5));
      scores.forEach((score, i) => {
        expect(Math.abs(score - expected[i])).toBeLessThanOrEqual(1e-4 * expected[i] + 1e-7);
      });
      left[name] = float32(
        weights[name].shape,
        weights[name].data.map((value, i) => value * kept[i]),
      );
    }
    expect(layer).toBe(2);
  });

  it('sees the first layer as the dense model does, and keeps its weights bit for bit', async () => {
    const after = await prunedWeights(weights, selectSequence(await scored(), '50%'));
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const squares = await squaresIn(weights, 0);
    const x = inputNorm(squares['attention.input'].data, 5);
    const kept = keepInRows(wandaScores(weights[name].data, 16, 16, x), 16, 16, { share: 0.5 });
    expect([...after[name].data]).toEqual([...weights[name].data.map((value, i) => value * kept[i] + 0)]);
  });

  it('does not depend on the order of the texts', async () => {
    const turned = int32([5, 12], blocks.data.slice().reverse());
    for (let b = 0; b < 5; b++) turned.data.subarray(b * 12, b * 12 + 12).reverse();
    const masks = async (of: typeof model) => {
      const all: number[] = [];
      for await (const { kept } of selectSequence(await scored({}, of), '50%').walk()) all.push(...kept);
      return all;
    };
    expect(await masks(languageModelInMemory({ config, weights }, turned))).toEqual(await masks(model));
  });

  it('as the variant prunes rows unevenly, and the whole to within 0.1%, where the rows allow it', async () => {
    const wide = readConfig({ ...configOf(96), num_hidden_layers: 1 }, 'config.json');
    const big = languageModelInMemory({ config: wide, weights: initialWeights(wide, new Random(1)) }, blocks);
    for await (const { kept, shape } of selectSequence(await scored({ variant: true }, big), '50%').walk()) {
      const inRow = Array.from({ length: shape[0] }, (_, r) =>
        kept.subarray(r * shape[1], (r + 1) * shape[1]).reduce((sum, one) => sum + one, 0),
      );
      expect(Math.abs(inRow.reduce((a, b) => a + b) / kept.length - 0.5)).toBeLessThanOrEqual(0.0011);
      expect(new Set(inRow).size).toBeGreaterThan(1);
    }
    const walk = selectSequence(await scored({ variant: true }), '2:4').walk();
    await expect(walk.next()).rejects.toThrow(BudgetError);
  });
});

function configOf(width: number) {
  return {
    model_type: 'llama',
    vocab_size: 12,
    hidden_size: width,
    intermediate_size: 2 * width,
    num_hidden_layers: 3,
    num_attention_heads: 2,
    max_position_embeddings: 32,
  };
}

const folder = fileURLToPath(new URL('../../../../../../shared/models/bard', import.meta.url));
const plays = fileURLToPath(new URL('../../../../../../shared/data/text/tiny-shakespeare.txt', import.meta.url));
const present = existsSync(folder) && existsSync(plays);

describe('on a Llama-layout checkpoint trained elsewhere', () => {
  it.skipIf(!present)(
    'inputs, scores and masks are those of PyTorch (skipped without ../shared)',
    async () => {
      const { calibration, wanda_50_percent_per_output_row: reference } = JSON.parse(
        readFileSync(join(folder, 'reference.json'), 'utf8'),
      );
      const pretrained = await openPretrained(folder);
      const text = readFileSync(plays, 'utf8');
      const tokens = await (await pretrained.tokenizer()).encode(text.slice(0, 40_000), run);
      expect([...tokens.subarray(0, 16)]).toEqual(calibration.first_ids);
      const bard = languageModelInMemory(
        { config: pretrained.config, weights: await loadWeights(pretrained, run) },
        int32([16, 256], tokens.slice(0, 4096)),
      );
      // The reference is of the dense model: nothing is replaced on the way.
      const observe = (n: number) => ({ inputs: inputSquares(pretrained.config, n) });
      let compared = 0;
      for await (const { n, weights: layer, observed } of walkLayers(bard.source, bard.blocks(), { observe, run })) {
        for (const { name, rows, columns, input } of linearMaps(pretrained.config, n)) {
          const expected = reference.tensors[`model.layers.${n}.${name}`];
          if (!expected) continue;
          compared++;
          const { data } = (observed.inputs as Record<string, Tensor<'float32'>>)[input];
          // There the norm is over all tokens; here it is divided by the root of the number of texts.
          const x = inputNorm(data, 1);
          const near = (ours: Float32Array, theirs: number[]) =>
            theirs.forEach((value, i) => {
              expect(Math.abs(ours[i] - value)).toBeLessThanOrEqual(1e-3 * Math.abs(value));
            });
          near(x, expected.input_l2_norm_head);
          const scores = wandaScores(layer[name].data, rows, columns, x);
          near(scores, expected.score_head);
          const kept = keepInRows(scores, rows, columns, { share: 0.5 });
          const inRow = expected.kept_in_first_rows.map((_: number, r: number) =>
            kept.subarray(r * columns, (r + 1) * columns).reduce((sum, one) => sum + one, 0),
          );
          expect(inRow).toEqual(expected.kept_in_first_rows);
          expect(kept.subarray(0, columns).join('')).toBe(expected.first_row_mask);
          expect(createHash('sha256').update(kept).digest('hex')).toBe(expected.mask_sha256_row_major_bytes_0_1);
        }
      }
      expect(compared).toBe(Object.keys(reference.tensors).length);
    },
    120_000,
  );

  it.skipIf(!present)(
    'per-row budgets, 2:4 and 4:8 hold in every row (skipped without ../shared)',
    async () => {
      const pretrained = await openPretrained(folder);
      const tokens = await (await pretrained.tokenizer()).encode(readFileSync(plays, 'utf8').slice(0, 20_000), run);
      const bard = languageModelInMemory(
        { config: pretrained.config, weights: await loadWeights(pretrained, run) },
        int32([4, 64], tokens.slice(0, 256)),
      );
      for (const [budget, length, count] of [
        ['2:4', 4, 2],
        ['4:8', 8, 4],
      ] as const) {
        const { done, value } = await selectSequence(await scored({}, bard), budget)
          .walk()
          .next();
        expect(done).toBe(false);
        const { kept } = value!;
        for (let i = 0; i < kept.length; i += length) {
          let sum = 0;
          for (let j = 0; j < length; j++) sum += kept[i + j];
          expect(sum).toBe(count);
        }
      }
    },
    120_000,
  );
});
