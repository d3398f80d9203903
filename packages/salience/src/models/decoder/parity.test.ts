/** @file bard against PyTorch: what reference.json says of the same files. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { Run } from '../../core/run.ts';
import { accumulatedAttention, valueAt } from '../../nn/observation.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { int32, type Tensor } from '../../runtime/index.ts';
import { generate } from '../generation/generate.ts';
import { loadWeights, openPretrained, type Pretrained } from '../pretrained/open-pretrained.ts';
import { inspect, nextToken } from './inspect.ts';

const shared = (name: string) => fileURLToPath(new URL(`../../../../../../shared/${name}`, import.meta.url));
const folder = shared('models/bard');
const text = shared('data/text/tiny-shakespeare.txt');
const present = existsSync(folder) && existsSync(text);
const skipped = present ? '' : ' (skipped without ../shared)';

interface Prompt {
  readonly text: string;
  readonly ids: number[];
  readonly last_logits: number[];
  readonly first_position_logits_head: number[];
  readonly greedy_32: number[];
}

interface Reference {
  readonly prompts: Prompt[];
  readonly calibration: { readonly first_ids: number[] };
  readonly gradient: {
    readonly windows: number;
    readonly loss: number;
    readonly l2_norm: Record<string, number>;
    readonly entries: Record<string, number[]>;
  };
  readonly attention_mass: { readonly layers: number[]; readonly per_layer_head_first_8_keys: number[][][] };
}

const reference: Reference = present
  ? JSON.parse(readFileSync(`${folder}/reference.json`, 'utf8'))
  : { prompts: [{ text: 'none' }] };

describe.skipIf(!present)(`bard${skipped}`, () => {
  let pretrained: Pretrained;
  let weights: ParameterTensors;
  /** The first ids of the first 95% of the text. */
  let calibration: Int32Array;

  beforeAll(async () => {
    pretrained = await openPretrained(folder);
    weights = await loadWeights(pretrained, new Run());
    const whole = readFileSync(text, 'utf8');
    const tokenizer = await pretrained.tokenizer();
    calibration = (await tokenizer.encode(whole.slice(0, 20_000))).slice(0, 1024);
  });

  it.each(reference.prompts.map((prompt) => [JSON.stringify(prompt.text), prompt] as const))(
    'after %s has PyTorch’s tokens, logits to 1e-4, and greedy text',
    async (_, prompt) => {
      const ids = await (await pretrained.tokenizer()).encode(prompt.text);
      expect([...ids]).toEqual(prompt.ids);
      const { config } = pretrained;
      const inspection = inspect(config, { observe: { logits: valueAt('logits') } });
      const { observed } = await inspection.run(weights, int32([1, ids.length], ids));
      const [{ data }] = observed.logits as Tensor<'float32'>[];
      const last = data.subarray((ids.length - 1) * config.vocabulary);
      expect(last.length).toBe(prompt.last_logits.length);
      prompt.last_logits.forEach((logit, v) => {
        expect(Math.abs(last[v] - logit)).toBeLessThan(1e-4);
      });
      prompt.first_position_logits_head.forEach((logit, v) => {
        expect(Math.abs(data[v] - logit)).toBeLessThan(1e-4);
      });
      const { tokens } = await generate({ config, weights }, ids, { maxTokens: 32, endTokens: [] });
      expect([...tokens]).toEqual(prompt.greedy_32);
      await inspection.dispose();
    },
  );

  it('has PyTorch’s loss and gradients on 4 windows of 256 tokens, to a thousandth', async () => {
    const { windows, loss, l2_norm: norms, entries } = reference.gradient;
    expect([...calibration.subarray(0, 16)]).toEqual(reference.calibration.first_ids);
    const inspection = inspect(pretrained.config, { loss: nextToken, gradients: { weights: () => true } });
    const made = await inspection.run(weights, int32([windows, 256], calibration.subarray(0, windows * 256)));
    await inspection.dispose();
    expect(Math.abs(made.loss! / loss - 1)).toBeLessThan(1e-5);
    expect(Object.keys(made.weightGradients).sort()).toEqual(Object.keys(norms).sort());
    for (const [name, norm] of Object.entries(norms)) {
      const own = Math.sqrt(made.weightGradients[name].data.reduce((sum, g) => sum + g * g, 0));
      expect([name, Math.abs(own / norm - 1) < 1e-3]).toEqual([name, true]);
    }
    for (const [name, values] of Object.entries(entries)) {
      const { data } = made.weightGradients[name];
      values.forEach((value, i) => {
        expect([name, i, Math.abs(data[i] / value - 1) < 1e-3]).toEqual([name, i, true]);
      });
    }
  });

  it('has PyTorch’s attention received, by layer, head and key, to 1e-4', async () => {
    const { layers, per_layer_head_first_8_keys: masses } = reference.attention_mass;
    const inspection = inspect(pretrained.config, { observe: { mass: accumulatedAttention } });
    const { observed } = await inspection.run(weights, int32([1, 64], calibration.subarray(0, 64)));
    await inspection.dispose();
    layers.forEach((n, i) => {
      const { shape, data } = observed.mass[n] as Tensor<'float32'>;
      expect(shape).toEqual([6, 64]);
      masses[i].forEach((keys, head) => {
        keys.forEach((mass, key) => {
          expect(Math.abs(data[64 * head + key] - mass)).toBeLessThan(1e-4);
        });
      });
    });
  });
});
