/** @file Residual networks against PyTorch 1.13 with weights ½ sin(1.3 i + number of the tensor), and trained on digits. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Run } from '../../core/run.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { cosine } from '../../nn/optimisers/schedules.ts';
import { sgd } from '../../nn/optimisers/sgd.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { train } from '../../nn/training/train.ts';
import { compile, float32, int32, type JaxArray, numpy as np, valueAndGrad } from '../../runtime/index.ts';
import { type ResnetConfig, resnet, resnet18, resnet20, resnetTraining } from './resnet.ts';
import { initialResnet, isLearned, resnetShapes } from './weights.ts';

const tiny: ResnetConfig = {
  channels: 2,
  classes: 3,
  stem: { kernel: 3, stride: 1, pool: false },
  stages: [
    { width: 4, blocks: 1 },
    { width: 6, blocks: 2 },
  ],
};

function wave(shape: readonly number[], phase: number, of = (x: number) => x) {
  const size = shape.reduce((a, b) => a * b, 1);
  return float32(
    shape,
    Array.from({ length: size }, (_, i) => of(Math.sin(i * 1.3 + phase))),
  );
}

const weightsOf = (config: ResnetConfig) =>
  Object.fromEntries(
    [...resnetShapes(config)].map(([name, shape], k) => [
      name,
      wave(shape, k, (x) => (name.endsWith('running_var') ? Math.abs(x / 2) + 0.5 : x / 2)),
    ]),
  );
const sizeOf = (config: ResnetConfig) =>
  [...resnetShapes(config)]
    .filter(([name]) => isLearned(name))
    .reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);

function expectClose(data: ArrayLike<number>, expected: readonly number[]): void {
  expected.forEach((x, i) => {
    expect(data[i]).toBeCloseTo(x, 5);
  });
}

/** The logits, and Σ g² over all learned tensors, of the loss against classes 2 and 0. */
async function slopesOf(config: ResnetConfig, size: number, training: boolean) {
  const weights = weightsOf(config);
  const learned = Object.fromEntries(Object.entries(weights).filter(([name]) => isLearned(name)));
  const loss = (w: Parameters, all: Parameters, x: JaxArray, y: JaxArray) => {
    const made = training
      ? resnetTraining({ ...all, ...w }, config, x)
      : { logits: resnet({ ...all, ...w }, config, x), buffers: {} };
    return [crossEntropy(made.logits, y), made];
  };
  const step = compile(valueAndGrad(loss as never, { hasAux: true }) as unknown as (...args: unknown[]) => unknown);
  const images = wave([2, 2, size, size], 0);
  const [[, { logits, buffers }], slopes] = (await step(learned, weights, images, int32([2], [2, 0]))) as never as [
    [unknown, { logits: typeof images; buffers: typeof weights }],
    typeof weights,
  ];
  const squares = Object.values(slopes).flatMap(({ data }) => Array.from(data, (x) => x * x));
  return { logits, buffers, squares: squares.reduce((a, b) => a + b, 0) };
}

describe('resnet', () => {
  it('gives the logits and gradients that PyTorch gives by running statistics', async () => {
    const { logits, squares } = await slopesOf(tiny, 6, false);
    expectClose(logits.data, [0.033426, -0.610569, -0.31153, 0.035334, -0.613607, -0.313766]);
    expect(squares).toBeCloseTo(0.299559, 4);
  });

  it("gives PyTorch's logits, gradients and new running statistics by the batch", async () => {
    const { logits, squares, buffers } = await slopesOf(tiny, 6, true);
    expectClose(logits.data, [0.004061, -0.622997, -0.283507, 0.09774, -0.691218, -0.384548]);
    expect(squares).toBeCloseTo(0.463505, 4);
    expectClose(buffers['bn1.running_mean'].data, [0.062404, -0.412378, -0.282937, 0.260035]);
    expectClose(
      buffers['layer2.0.downsample.1.running_var'].data,
      [0.753952, 0.862263, 0.534619, 0.904329, 0.615039, 0.816123],
    );
  });

  it('gives what PyTorch gives with the stem for large images', async () => {
    const { logits, squares } = await slopesOf({ ...tiny, stem: { kernel: 7, stride: 2, pool: true } }, 12, false);
    expectClose(logits.data, [0.293556, -0.600415, -0.570565, 0.226218, -0.586068, -0.501678]);
    expect(squares).toBeCloseTo(1.205629, 4);
  });

  it('ResNet-18 has the 11,689,512 numbers of torchvision, ResNet-20 has 272,474 and its projections', () => {
    expect(sizeOf(resnet18())).toBe(11_689_512);
    // 0.27 million in the paper, with shortcuts of zeros; two projections add 32 · 16 + 2 · 32 and 64 · 32 + 2 · 64.
    expect(sizeOf(resnet20())).toBe(269_722 + 576 + 2176);
    expect([...resnetShapes(resnet18()).keys()]).toContain('layer4.1.bn2.running_var');
  });

  it('passes by its points in order, each with its shape', async () => {
    const points: [string, readonly number[]][] = [];
    await compile((w: Parameters, x: JaxArray) =>
      resnet(w, tiny, x, (point, value) => {
        points.push([point, value.shape]);
        return value;
      }),
    )(weightsOf(tiny), wave([2, 2, 6, 6], 0));
    expect(points).toEqual([
      ['stem', [2, 4, 6, 6]],
      ['stages.0.blocks.0.input', [2, 4, 6, 6]],
      ['stages.0.blocks.0.hidden', [2, 4, 6, 6]],
      ['stages.0.blocks.0.output', [2, 4, 6, 6]],
      ['stages.1.blocks.0.input', [2, 4, 6, 6]],
      ['stages.1.blocks.0.hidden', [2, 6, 3, 3]],
      ['stages.1.blocks.0.output', [2, 6, 3, 3]],
      ['stages.1.blocks.1.input', [2, 6, 3, 3]],
      ['stages.1.blocks.1.hidden', [2, 6, 3, 3]],
      ['stages.1.blocks.1.output', [2, 6, 3, 3]],
      ['pooled', [2, 6]],
      ['logits', [2, 3]],
    ]);
  });

  it('a hidden filter whose tap is 0 may as well be cut out of the weights', async () => {
    const weights = weightsOf(tiny);
    const images = wave([2, 2, 6, 6], 0);
    const masked = compile((w: Parameters, x: JaxArray) =>
      resnet(w, tiny, x, (point, value) =>
        point === 'stages.0.blocks.0.hidden' ? value.mul(np.array([1, 1, 0, 1]).reshape([4, 1, 1])) : value,
      ),
    );
    const [kept, name] = [[0, 1, 3], 'layer1.0'];
    const rows = (x: { data: Float32Array; shape: readonly number[] }) =>
      float32(
        [3, ...x.shape.slice(1)],
        kept.flatMap((r) => [...x.data.subarray((r * x.data.length) / 4, ((r + 1) * x.data.length) / 4)]),
      );
    const cut = { ...weights };
    for (const part of ['conv1.weight', 'bn1.weight', 'bn1.bias', 'bn1.running_mean', 'bn1.running_var']) {
      cut[`${name}.${part}`] = rows(weights[`${name}.${part}`]);
    }
    const second = weights[`${name}.conv2.weight`];
    cut[`${name}.conv2.weight`] = float32(
      [4, 3, 3, 3],
      [0, 1, 2, 3].flatMap((o) => kept.flatMap((i) => [...second.data.subarray((4 * o + i) * 9, (4 * o + i + 1) * 9)])),
    );
    const plain = compile((w: Parameters, x: JaxArray) => resnet(w, tiny, x));
    expectClose((await plain(cut, images)).data, [...(await masked(weights, images)).data]);
  });

  it('learns digits: more than 90% of those not seen in training are told right, by running statistics', async () => {
    const bytes = readFileSync(new URL('../../../examples/digits/digits.u8', import.meta.url));
    const stages = [8, 16].map((width) => ({ width, blocks: 1 }));
    const config = { ...tiny, channels: 1, classes: 10, stages };
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
      parameters: initialResnet(config, run.random('weights')),
      trained: isLearned,
      loss: (w: Parameters, { x, y }: { x: JaxArray; y: JaxArray }) => {
        const { logits, buffers } = resnetTraining(w, config, x);
        return [crossEntropy(logits, y), { buffers }] as const;
      },
      optimiser: sgd({ momentum: 0.9, nesterov: true }),
      schedule: cosine({ rate: 0.1, steps: 150 }),
      steps: 150,
      batches: (step) => {
        const random = run.random(`batch ${step}`);
        return take(Array.from({ length: 64 }, () => order[random.integer(1437)]));
      },
      run,
    });
    const { x, y } = take(order.subarray(1437));
    const told = await compile((w: Parameters, images: JaxArray) => np.argmax(resnet(w, config, images), -1))(
      parameters,
      x,
    );
    const right = y.data.filter((digit, i) => digit === told.data[i]).length;
    expect(right / 360).toBeGreaterThan(0.9);
  });
});
