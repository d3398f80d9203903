/** @file Layers against closed forms, and against numbers of PyTorch 1.13 for sin(1.3 i + phase) (committed as they came). */

import { describe, expect, it } from 'vitest';
import { InputError } from '../core/errors.ts';
import { compile, float32, grad, int32, type JaxArray, type Tensor } from '../runtime/index.ts';
import {
  averagePool,
  batchNorm,
  batchNormTraining,
  convolution,
  embedding,
  globalAveragePool,
  linear,
  maxPool,
  patchEmbedding,
} from './layers.ts';

function wave(shape: readonly number[], phase = 0, of = (x: number) => x): Tensor<'float32'> {
  const size = shape.reduce((a, b) => a * b, 1);
  return float32(
    shape,
    Array.from({ length: size }, (_, i) => of(Math.sin(i * 1.3 + phase))),
  );
}

/** The shape, the first six elements, the sum and the sum of squares, as PyTorch has them. */
function expectTorch(
  y: Tensor,
  shape: readonly number[],
  first: readonly number[],
  sum: number,
  squares: number,
): void {
  expect(y.shape).toEqual(shape);
  first.forEach((x, i) => {
    expect(y.data[i]).toBeCloseTo(x, 5);
  });
  const data = Array.from(y.data);
  expect(data.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 2);
  expect(data.reduce((a, b) => a + b * b, 0)).toBeCloseTo(squares, 2);
}

const x = wave([2, 4, 5, 6]);
const norm = [wave([4], 3), wave([4], 4), wave([4], 5), wave([4], 6, (v) => Math.abs(v) + 0.1)] as const;
const normOf = ([weight, bias, runningMean, runningVariance]: readonly JaxArray[]) => ({
  weight,
  bias,
  runningMean,
  runningVariance,
});

describe('layers', () => {
  it('linear is x Wᵀ + b', async () => {
    const y = await compile(linear)(
      float32([1, 2], [3, 5]),
      float32([3, 2], [1, 0, 0, 1, 2, -1]),
      float32([3], [1, 1, 1]),
    );
    expect([...y.data]).toEqual([4, 6, 2]);
  });

  it('embedding reads rows, and its gradient adds up where an id comes again', async () => {
    const table = float32([3, 2], [1, 2, 3, 4, 5, 6]);
    const ids = int32([2, 2], [2, 0, 2, 2]);
    const read = await compile(embedding)(ids, table);
    expect([read.shape, [...read.data]]).toEqual([
      [2, 2, 2],
      [5, 6, 1, 2, 5, 6, 5, 6],
    ]);
    const slope = await compile(grad((t: JaxArray, i: JaxArray) => embedding(i, t).sum()))(table, ids);
    expect([...slope.data]).toEqual([1, 1, 0, 0, 3, 3]);
  });

  it('convolution with groups, stride and padding gives what PyTorch gives', async () => {
    const options = { stride: 2, padding: 1, groups: 2 };
    const y = await compile((a: JaxArray, w: JaxArray, b: JaxArray) => convolution(a, w, b, options))(
      x,
      wave([6, 2, 3, 3], 1),
      wave([6], 2),
    );
    expectTorch(y, [2, 6, 3, 3], [1.090569, -0.811929, 1.610614, 1.407016, 1.749595, 0.757547], 17.43677, 181.54972);
  });

  it('depthwise convolution gives what PyTorch gives', async () => {
    const y = await compile((a: JaxArray, w: JaxArray) => convolution(a, w, undefined, { groups: 4 }))(
      x,
      wave([4, 1, 3, 3], 1),
    );
    expectTorch(y, [2, 4, 3, 4], [-0.093791, -0.181974, -0.003565, 0.180067, -0.167642, 0.036932], 3.61128, 49.46512);
  });

  it('a convolution by a kernel of one 1 is a shift', async () => {
    const shift = float32([1, 1, 3, 3], [0, 0, 0, 0, 0, 1, 0, 0, 0]);
    const y = await compile((a: JaxArray, w: JaxArray) => convolution(a, w, undefined, { padding: 1 }))(
      float32([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]),
      shift,
    );
    expect([...y.data]).toEqual([2, 3, 0, 5, 6, 0]);
  });

  it('pools give what PyTorch gives', async () => {
    const by = { size: 3, stride: 2, padding: 1 };
    const most = await compile((a: JaxArray) => maxPool(a, by))(x);
    expectTorch(most, [2, 4, 3, 3], [0.998543, 0.963558, 0.986772, 0.998543, 0.827328, 0.986772], 63.43671, 58.12481);
    const mean = await compile((a: JaxArray) => averagePool(a, by))(x);
    expectTorch(mean, [2, 4, 3, 3], [0.253467, -0.053269, -0.079016, -0.101112, -0.114289, 0.175505], 0.0941, 1.94935);
    const all = await compile(globalAveragePool)(float32([1, 2, 1, 2], [1, 3, 5, 9]));
    expect([all.shape, [...all.data]]).toEqual([
      [1, 2],
      [2, 7],
    ]);
  });

  it('batch norm by running statistics gives what PyTorch gives', async () => {
    const y = await compile((a: JaxArray, n: JaxArray[]) => batchNorm(a, normOf(n)))(x, [...norm]);
    expectTorch(
      y,
      [2, 4, 5, 6],
      [-0.537113, -0.316362, -0.419011, -0.69468, -0.739512, -0.487829],
      11.60744,
      197.23189,
    );
  });

  it("batch norm by the batch gives PyTorch's values, new statistics and gradient", async () => {
    const made = await compile((a: JaxArray, n: JaxArray[]) => batchNormTraining(a, normOf(n)))(x, [...norm]);
    const first = [-0.753858, -0.560799, -0.650572, -0.89166, -0.930868, -0.710757];
    expectTorch(made.values, [2, 4, 5, 6], first, -16.71523, 237.16165);
    [-0.8645013, 0.0171067, 0.8736498, 0.4502897].forEach((v, i) => {
      expect(made.runningMean.data[i]).toBeCloseTo(v, 6);
    });
    [0.3919217, 0.9061626, 0.8021834, 0.5519034].forEach((v, i) => {
      expect(made.runningVariance.data[i]).toBeCloseTo(v, 6);
    });
    const cubes = (a: JaxArray, n: JaxArray[]) => {
      const { values } = batchNormTraining(a, normOf(n));
      return values.mul(values).mul(values).sum();
    };
    const slope = await compile(grad(cubes))(x, [...norm]);
    expectTorch(slope, [2, 4, 5, 6], [-0.011973, 0.010621, -0.005458, -0.000694, 0.006686, -0.010813], 0, 381.02665);
  });

  it('patch embedding is the convolution with stride of the patch', async () => {
    const images = wave([2, 3, 4, 6]);
    const [weight, bias] = [wave([5, 3, 2, 2], 1), wave([5], 2)];
    const y = await compile(patchEmbedding)(images, weight, bias);
    expectTorch(y, [2, 6, 5], [3.596112, -3.096811, 2.1634, -3.71223, 4.274409, -0.144025], 2.62472, 243.37027);
  });

  it('shapes that do not fit are refused', async () => {
    const weight = wave([6, 2, 3, 3]);
    const grouped = compile((a: JaxArray, w: JaxArray) => convolution(a, w, undefined, { groups: 3 }));
    await expect(grouped(x, weight)).rejects.toThrow(InputError);
    await expect(grouped(x, weight)).rejects.toThrow('in 3 groups sees 6 channels, and the image has 4');
    const patches = compile(patchEmbedding)(x, wave([5, 4, 2, 2]));
    await expect(patches).rejects.toThrow('an image of 5 × 6 is not a whole number of 2 × 2 patches');
  });
});
