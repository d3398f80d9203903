/** @file The vision transformer against PyTorch 1.13 with weights ½ sin(1.3 i + number of the tensor), and trained on digits. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { adamw } from '../../nn/optimisers/adam.ts';
import { cosine, linearWarmup } from '../../nn/optimisers/schedules.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { train } from '../../nn/training/train.ts';
import { compile, float32, grad, int32, type JaxArray, numpy as np } from '../../runtime/index.ts';
import { readVitConfig, type VitConfig } from './config.ts';
import { vit } from './vit.ts';
import { initialVit, vitShapes } from './weights.ts';

const tiny: VitConfig = {
  image: 4,
  patch: 2,
  channels: 2,
  width: 6,
  layers: 2,
  heads: 3,
  hidden: 10,
  classes: 3,
  normEpsilon: 1e-12,
  queryKeyValueBias: true,
};

function wave(shape: readonly number[], phase: number, scale = 1) {
  const size = shape.reduce((a, b) => a * b, 1);
  return float32(
    shape,
    Array.from({ length: size }, (_, i) => scale * Math.sin(i * 1.3 + phase)),
  );
}

const weights = Object.fromEntries([...vitShapes(tiny)].map(([name, shape], k) => [name, wave(shape, k, 0.5)]));
const images = wave([2, 2, 4, 4], 0);

function expectClose(data: ArrayLike<number>, expected: readonly number[]): void {
  expected.forEach((x, i) => {
    expect(data[i]).toBeCloseTo(x, 5);
  });
}

describe('vit', () => {
  it('gives the logits and attention weights that PyTorch gives', async () => {
    const seen = compile((w: Parameters, x: JaxArray) => {
      const points: Record<string, JaxArray> = {};
      const logits = vit(w, tiny, x, (point, value) => {
        points[point] = value;
        return value;
      });
      return { logits, attention: points['layers.1.attention.weights'] };
    });
    const { logits, attention } = await seen(weights, images);
    expectClose(logits.data, [0.71748, -0.428273, -0.653776, 0.717884, -0.427706, -0.654118]);
    expectClose(attention.data, [0.198224, 0.194391, 0.213734, 0.196716, 0.196934, 0.198261, 0.194325, 0.21356]);
  });

  it('has the gradients that PyTorch has', async () => {
    const loss = (w: Parameters, x: JaxArray, y: JaxArray) => crossEntropy(vit(w, tiny, x), y);
    const slopes = await compile(grad(loss as never) as unknown as (...args: Parameters[]) => Parameters)(
      weights as never,
      images as never,
      int32([2], [2, 0]) as never,
    );
    expectClose(
      (slopes as typeof weights)['vit.embeddings.cls_token'].data,
      [-0.012563, 0.005243, 0.034515, -0.040837, 0.05691, -0.043267],
    );
    const squares = Object.values(slopes as typeof weights).flatMap(({ data }) => Array.from(data, (x) => x * x));
    expect(squares.reduce((a, b) => a + b, 0)).toBeCloseTo(1.03432, 4);
  });

  it('passes by its points in order, each with its shape', async () => {
    const points: [string, readonly number[]][] = [];
    await compile((w: Parameters, x: JaxArray) =>
      vit(w, tiny, x, (point, value) => {
        points.push([point, value.shape]);
        return value;
      }),
    )(weights, images);
    const layer = (n: number): [string, readonly number[]][] => [
      [`layers.${n}.input`, [2, 5, 6]],
      [`layers.${n}.attention.input`, [2, 5, 6]],
      [`layers.${n}.attention.queries`, [2, 3, 5, 2]],
      [`layers.${n}.attention.keys`, [2, 3, 5, 2]],
      [`layers.${n}.attention.values`, [2, 3, 5, 2]],
      [`layers.${n}.attention.scores`, [2, 3, 5, 5]],
      [`layers.${n}.attention.weights`, [2, 3, 5, 5]],
      [`layers.${n}.attention.heads`, [2, 5, 3, 2]],
      [`layers.${n}.attention.output`, [2, 5, 6]],
      [`layers.${n}.middle`, [2, 5, 6]],
      [`layers.${n}.mlp.input`, [2, 5, 6]],
      [`layers.${n}.mlp.hidden`, [2, 5, 10]],
      [`layers.${n}.mlp.output`, [2, 5, 6]],
      [`layers.${n}.output`, [2, 5, 6]],
    ];
    expect(points).toEqual([
      ['embeddings', [2, 5, 6]],
      ...layer(0),
      ...layer(1),
      ['final', [2, 5, 6]],
      ['logits', [2, 3]],
    ]);
  });

  it('a layer whose attention and MLP give 0 changes nothing', async () => {
    const without = compile((w: Parameters, x: JaxArray) =>
      vit(w, tiny, x, (point, value) => (/^layers\.1\.(attention|mlp)\.output$/.test(point) ? value.mul(0) : value)),
    );
    const short = compile((w: Parameters, x: JaxArray) => vit(w, { ...tiny, layers: 1 }, x));
    expectClose((await without(weights, images)).data, [...(await short(weights, images)).data]);
  });

  it('without positions, patches in another order give the same logits', async () => {
    const flat = {
      ...weights,
      'vit.embeddings.position_embeddings': float32([1, 5, 6], new Float32Array(30)),
    };
    const turned = (x: JaxArray) => np.concatenate([x.slice([], [], [2, 4]), x.slice([], [], [0, 2])], 2);
    const forward = compile((w: Parameters, x: JaxArray) => [vit(w, tiny, x), vit(w, tiny, turned(x))]);
    const [straight, other] = await forward(flat, images);
    expectClose(other.data, [...straight.data]);
  });

  it('reads published configs with their defaults, and refuses what cannot be', () => {
    const base = { model_type: 'vit', id2label: { 0: 'a', 1: 'b', 2: 'c' } };
    expect(readVitConfig(base)).toEqual({
      image: 224,
      patch: 16,
      channels: 3,
      width: 768,
      layers: 12,
      heads: 12,
      hidden: 3072,
      classes: 3,
      normEpsilon: 1e-12,
      queryKeyValueBias: true,
    });
    const numbers = [...vitShapes(readVitConfig({ ...base, num_labels: 1000 })).values()];
    // ViT-B/16 as published: 86,567,656.
    expect(numbers.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(86_567_656);
    const refused: readonly (readonly [object, string])[] = [
      [{ model_type: 'bert' }, 'model_type'],
      [{ hidden_size: 0 }, 'hidden_size'],
      [{ patch_size: 15 }, 'image_size 224 is not a multiple of patch_size 15'],
      [{ num_attention_heads: 7 }, 'hidden_size 768 is not a multiple of num_attention_heads 7'],
      [{ hidden_act: 'relu' }, 'hidden_act'],
    ];
    for (const [more, message] of refused) {
      expect(() => readVitConfig({ ...base, ...more })).toThrow(InputError);
      expect(() => readVitConfig({ ...base, ...more }, 'x/config.json')).toThrow(message);
    }
  });

  it('learns digits: more than 90% of those not seen in training are told right', async () => {
    const bytes = readFileSync(new URL('../../../examples/digits/digits.u8', import.meta.url));
    const config = { ...tiny, image: 8, patch: 4, channels: 1, width: 32, heads: 4, hidden: 64, classes: 10 };
    const run = new Run({ seed: 1 });
    const order = run.random('split').permutation(1797);
    const take = (rows: ArrayLike<number>) => ({
      x: float32(
        [rows.length, 1, 8, 8],
        Array.from(rows, (r) => [...bytes.subarray(65 * r, 65 * r + 64)].map((v) => v / 8 - 1)).flat(),
      ),
      y: int32(
        [rows.length],
        Array.from(rows, (r) => bytes[65 * r + 64]),
      ),
    });
    const { parameters } = await train({
      parameters: initialVit(config, run.random('weights')),
      loss: (w: Parameters, { x, y }: { x: JaxArray; y: JaxArray }) => crossEntropy(vit(w, config, x), y),
      optimiser: adamw({ decay: 0.01 }),
      schedule: linearWarmup(0.01, 20, cosine({ rate: 0.01, steps: 280 })),
      steps: 300,
      batches: (step) => {
        const random = run.random(`batch ${step}`);
        return take(Array.from({ length: 64 }, () => order[random.integer(1437)]));
      },
      run,
    });
    const { x, y } = take(order.subarray(1437));
    const told = await compile((w: Parameters, images: JaxArray) => np.argmax(vit(w, config, images), -1))(
      parameters,
      x,
    );
    const right = y.data.filter((digit, i) => digit === told.data[i]).length;
    expect(right / 360).toBeGreaterThan(0.9);
  });
});
