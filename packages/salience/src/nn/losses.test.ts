import { describe, expect, it } from 'vitest';
import { InputError } from '../core/errors.ts';
import { compile, float32, int32, type JaxArray, valueAndGrad } from '../runtime/index.ts';
import { type CrossEntropyOptions, crossEntropy } from './losses.ts';

const logits = float32([2, 2, 3], [1, 2, 3, 0, 0, 0, 100, -100, 0, 5, 1, -2]);
const targets = int32([2, 2], [2, 1, 1, 0]);
const lossBy = (options: CrossEntropyOptions) => compile((z: JaxArray, y: JaxArray) => crossEntropy(z, y, options));

describe('crossEntropy', () => {
  it('is log Σ exp z − z_target, also where exp z would overflow', async () => {
    const { data } = await lossBy({ reduction: 'none' })(logits, targets);
    [Math.log(Math.exp(-2) + Math.exp(-1) + 1), Math.log(3), 200, Math.log(1 + Math.exp(-4) + Math.exp(-7))].forEach(
      (x, i) => {
        expect(data[i]).toBeCloseTo(x, 5);
      },
    );
  });

  it("has PyTorch's mean and gradient (softmax − one-hot) / n", async () => {
    const step = compile(valueAndGrad((z: JaxArray, y: JaxArray) => crossEntropy(z, y)));
    const [value, slope] = await step(logits, targets);
    expect(value.data[0]).toBeCloseTo(50.3813171, 5);
    const slopes = [
      0.0225076, 0.0611821, -0.0836897, 0.0833333, -0.1666667, 0.0833333, 0.25, -0.25, 0, -0.0047162, 0.0044925,
      0.0002237,
    ];
    slopes.forEach((x, i) => {
      expect(slope.data[i]).toBeCloseTo(x, 6);
    });
  });

  it('a mean over weights is Σ weight · loss / Σ weight, and 0 where all are 0', async () => {
    const weighted = compile((z: JaxArray, y: JaxArray, weights: JaxArray) => crossEntropy(z, y, { weights }));
    const one = await weighted(logits, targets, float32([2, 2], [0, 3, 0, 0]));
    expect(one.data[0]).toBeCloseTo(Math.log(3), 6);
    expect((await weighted(logits, targets, float32([2, 2], [0, 0, 0, 0]))).data[0]).toBe(0);
    const [sum, mean] = await Promise.all([lossBy({ reduction: 'sum' })(logits, targets), lossBy({})(logits, targets)]);
    expect(sum.data[0]).toBeCloseTo(4 * mean.data[0], 4);
  });

  it('a target shape that does not fit is refused', async () => {
    await expect(lossBy({})(logits, int32([4], [0, 0, 0, 0]))).rejects.toThrow(InputError);
    await expect(lossBy({})(logits, int32([4], [0, 0, 0, 0]))).rejects.toThrow('want targets of shape [2, 2], not [4]');
  });
});
