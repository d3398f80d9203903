import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../core/random.ts';
import { compile, float32, int32, type JaxArray } from '../runtime/index.ts';
import { type Rotary, rotaryFrequencies, rotate, rotationOf } from './rotary.ts';

const program = (rotary: Rotary, size: number) =>
  compile((x: JaxArray, positions: JaxArray) => rotate(x, rotationOf(positions, rotaryFrequencies(rotary, size))));

const random = new Random(0, 'rotary');
const normal = (n: number) => Float32Array.from({ length: n }, () => random.normal());
const expectEach = (actual: ArrayLike<number>, expected: readonly number[]) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((x, i) => {
    expect(Math.abs(actual[i] / x - 1)).toBeLessThan(1e-6);
  });
};

describe('rotaryFrequencies', () => {
  it('fall from 1 by a constant factor', () => {
    expectEach(rotaryFrequencies({ base: 1e4 }, 8).frequencies, [1, 0.1, 0.01, 0.001]);
    expect(rotaryFrequencies({ base: 1e4 }, 8).factor).toBe(1);
  });

  it('linear scaling divides all of them', () => {
    const { frequencies, factor } = rotaryFrequencies({ base: 1e4, scaling: { kind: 'linear', factor: 4 } }, 8);
    expectEach(frequencies, [0.25, 0.025, 0.0025, 0.00025]);
    expect(factor).toBe(1);
  });

  // The numbers of the next two were computed apart, in Python, from the published formulas.
  it('Llama 3 keeps those that turn 4 times in 64 positions, divides those that turn less than once, and blends between', () => {
    const scaling = {
      kind: 'llama3',
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalPositions: 64,
    } as const;
    expectEach(
      rotaryFrequencies({ base: 1e4, scaling }, 16).frequencies,
      [
        1, 0.24438459943539834, 0.013042256043820465, 0.003952847075210474, 0.00125, 0.0003952847075210474, 0.000125,
        3.952847075210474e-5,
      ],
    );
  });

  it('YaRN keeps pairs 0 to 2, divides pairs 6 and 7, and blends between', () => {
    const scaling = {
      kind: 'yarn',
      factor: 4,
      originalPositions: 4096,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: 1.25,
    } as const;
    const { frequencies, factor } = rotaryFrequencies({ base: 1e4, scaling }, 16);
    expectEach(
      frequencies,
      [1, 0.31622776601683794, 0.1, 0.02569350598886808, 0.00625, 0.001383496476323666, 0.00025, 7.905694150420948e-5],
    );
    expect(factor).toBe(1.25);
  });
});

describe('rotate', () => {
  it('turns channels i and i + half by the position times the frequency', async () => {
    const turn = program({ base: 1e4 }, 4);
    const { data } = await turn(float32([1, 2, 4], [1, 1, 0, 0, 0, 2, 3, 0]), int32([2], [2, 100]));
    // Position 2: pairs (1, 0) and (1, 0) by 2 and by 0.02; position 100: pairs (0, 3) and (2, 0) by 100 and by 1.
    const expected = [
      [Math.cos(2), Math.cos(0.02), Math.sin(2), Math.sin(0.02)],
      [-3 * Math.sin(100), 2 * Math.cos(1), 3 * Math.cos(100), 2 * Math.sin(1)],
    ].flat();
    expected.forEach((x, i) => {
      expect(data[i]).toBeCloseTo(x, 5);
    });
    await turn.dispose();
  });

  it('keeps lengths, but for the factor, and leaves position 0 as it is', async () => {
    const x = normal(3 * 16);
    const length = (y: ArrayLike<number>) => Math.hypot(...Array.from(y));
    const yarn = { kind: 'yarn', factor: 4, originalPositions: 64, betaFast: 32, betaSlow: 1 } as const;
    for (const attentionFactor of [1, 1.25]) {
      const turn = program({ base: 500, scaling: { ...yarn, attentionFactor } }, 16);
      const { data } = await turn(float32([3, 16], x), int32([3], [0, 1, 63]));
      [0, 1, 2].forEach((t) => {
        const whole = attentionFactor * length(x.subarray(16 * t, 16 * t + 16));
        expect(length(data.subarray(16 * t, 16 * t + 16) as Float32Array)).toBeCloseTo(whole, 5);
      });
      x.subarray(0, 16).forEach((a, i) => {
        expect(data[i]).toBeCloseTo(attentionFactor * a, 6);
      });
      await turn.dispose();
    }
  });

  it('makes products of a query and a key depend on how far they are apart alone', async () => {
    const turn = program({ base: 100 }, 8);
    const [q, k] = [normal(8), normal(8)];
    const product = async (at: number, before: number) => {
      const { data } = await turn(float32([2, 8], [...q, ...k]), int32([2], [at, before]));
      return Array.from({ length: 8 }, (_, i) => data[i] * data[8 + i]).reduce((a, b) => a + b);
    };
    const places = fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50));
    await fc.assert(
      fc.asyncProperty(places, async ([at, before, shift]) => {
        expect(Math.abs((await product(at, before)) - (await product(at + shift, before + shift)))).toBeLessThan(1e-4);
      }),
      { numRuns: 30 },
    );
    await turn.dispose();
  });
});
