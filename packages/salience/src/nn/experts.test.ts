import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../core/random.ts';
import {
  compile,
  float32,
  grad,
  type JaxArray,
  numpy as np,
  softmax,
  type Tensor,
  valueAndGrad,
} from '../runtime/index.ts';
import { mixtureOfExperts, topKGates } from './experts.ts';
import { linear } from './layers.ts';
import { swiglu } from './swiglu.ts';
import { noTap } from './tap.ts';

const gatesOf = async (scores: number[], k: number, normalised: boolean) => {
  const program = compile((x: JaxArray) => topKGates(x, k, normalised));
  const { data } = await program(float32([1, scores.length], scores));
  await program.dispose();
  return [...data];
};

const random = new Random(0, 'experts');
const normal = (...shape: number[]) =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

describe('topKGates', () => {
  it('are the greatest shares of the softmax', async () => {
    const gates = await gatesOf([0, Math.log(4), Math.log(2), 0], 2, false);
    [0, 0.5, 0.25, 0].forEach((gate, i) => {
      expect(gates[i]).toBeCloseTo(gate, 6);
    });
  });

  it('sum to 1 when normalised', async () => {
    const gates = await gatesOf([0, Math.log(4), Math.log(2), 0], 2, true);
    [0, 2 / 3, 1 / 3, 0].forEach((gate, i) => {
      expect(gates[i]).toBeCloseTo(gate, 6);
    });
  });

  it('go to the lower index among equals', async () => {
    expect(await gatesOf([1, 1, 1, 1], 2, true)).toEqual([0.5, 0.5, 0, 0]);
    expect((await gatesOf([0, 3, 1, 3, 1], 3, false)).map((gate) => gate > 0)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('never go to an expert of score −10³⁰ while there are enough others', async () => {
    const gates = await gatesOf([5, -1e30, 0, -1e30], 2, true);
    expect(gates.map((gate) => gate > 0)).toEqual([true, false, true, false]);
    expect(gates[0] + gates[2]).toBeCloseTo(1, 6);
  });

  it('are those of sorting, for any scores', async () => {
    const program = compile((x: JaxArray) => topKGates(x, 3, false));
    const scores = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(scores, async (list) => {
        const { data } = await program(float32([1, 6], list));
        const chosen = list
          .map((_, e) => e)
          .sort((a, b) => list[b] - list[a] || a - b)
          .slice(0, 3);
        const whole = list.reduce((sum, x) => sum + Math.exp(x), 0);
        list.forEach((x, e) => {
          expect(data[e]).toBeCloseTo(chosen.includes(e) ? Math.exp(x) / whole : 0, 5);
        });
      }),
      { numRuns: 50 },
    );
    await program.dispose();
  });

  it('have the slopes of the softmax among those chosen, and none through the choice', async () => {
    const slopes = compile(valueAndGrad((x: JaxArray) => topKGates(x, 1, false).sum()) as never) as unknown as (
      x: Tensor,
    ) => Promise<[Tensor, Tensor]>;
    const [, { data }] = await slopes(float32([3], [0, 1, 0]));
    const p = Math.E / (Math.E + 2);
    [-p * (1 / (Math.E + 2)), p * (1 - p), -p * (1 / (Math.E + 2))].forEach((slope, i) => {
      expect(data[i]).toBeCloseTo(slope, 6);
    });
  });
});

describe('mixtureOfExperts', () => {
  it('is the sum of the experts times their gates, each seen before its gate and 0 where that is 0', async () => {
    const points: Record<string, readonly number[]> = {};
    const program = compile((x: JaxArray, router: JaxArray, experts: JaxArray[]) => {
      const seen: Record<string, JaxArray> = {};
      mixtureOfExperts(
        x,
        router,
        { count: 3, perToken: 2, normalised: true },
        (e, y, tap) => tap('output', linear(y, experts[e])),
        (point, value) => {
          points[point] = value.shape;
          seen[point] = value;
          return value;
        },
      );
      return seen;
    });
    const [x, router] = [normal(2, 4, 5), normal(3, 5)];
    const experts = [normal(5, 5), normal(5, 5), normal(5, 5)];
    const seen = (await program(x, router, experts as never)) as unknown as Record<string, Tensor>;
    expect(points).toEqual({
      'router.scores': [2, 4, 3],
      'router.gates': [2, 4, 3],
      'experts.0.input': [2, 4, 5],
      'experts.0.output': [2, 4, 5],
      'experts.1.input': [2, 4, 5],
      'experts.1.output': [2, 4, 5],
      'experts.2.input': [2, 4, 5],
      'experts.2.output': [2, 4, 5],
      output: [2, 4, 5],
    });
    seen.output.data.forEach((value, i) => {
      const [t, c] = [Math.floor(i / 5), i % 5];
      const parts = experts.map(({ data }, e) => {
        const mapped = Array.from({ length: 5 }, (_, j) => x.data[5 * t + j] * data[5 * c + j]).reduce((a, b) => a + b);
        const gate = seen['router.gates'].data[3 * t + e];
        expect(seen[`experts.${e}.output`].data[i]).toBeCloseTo(gate > 0 ? mapped : 0, 5);
        return mapped * gate;
      });
      expect(value).toBeCloseTo(
        parts.reduce((a, b) => a + b),
        5,
      );
    });
    await program.dispose();
  });
});

describe('an expert that overflows on tokens that are not sent to it', () => {
  // Token A = (1, 0) goes to expert 0 and token B = (0, 1) to expert 1. Each expert squares what the other's token reads into an infinity.
  const x = float32([2, 2], [1, 0, 0, 1]);
  const router = float32([2, 2], [3, 0, 0, 3]);
  const huge = 1e30;
  const experts = [
    { gate: float32([1, 2], [2, huge]), up: float32([1, 2], [1, huge]), down: float32([2, 1], [1, -1]) },
    { gate: float32([1, 2], [huge, 1]), up: float32([1, 2], [-huge, 3]), down: float32([2, 1], [0.5, 2]) },
  ];
  type Expert = { gate: JaxArray; up: JaxArray; down: JaxArray };
  const mixed = (y: JaxArray, scores: JaxArray, of: readonly Expert[], normalised: boolean) =>
    mixtureOfExperts(y, scores, { count: 2, perToken: 1, normalised }, (e, z, tap) => swiglu(z, of[e], tap), noTap);

  it.each([true, false])('changes nothing of the values (gates normalised: %s)', async (normalised) => {
    const program = compile((y: JaxArray, scores: JaxArray, of: Expert[]) => mixed(y, scores, of, normalised));
    const { data } = await program(x, router, experts as never);
    await program.dispose();
    const gate = normalised ? 1 : 1 / (1 + Math.exp(-3));
    const silu = (a: number) => a / (1 + Math.exp(-a));
    [silu(2), -silu(2), 0.5 * 3 * silu(1), 2 * 3 * silu(1)].forEach((value, i) => {
      expect(data[i]).toBeCloseTo(gate * value, 5);
    });
  });

  it('changes nothing of the slopes, which are those of each token through its own expert', async () => {
    const slopesOf = async (loss: (y: JaxArray, scores: JaxArray, of: readonly Expert[]) => JaxArray) => {
      const program = compile(grad(loss as never, { argnums: [0, 1, 2] }) as never) as unknown as {
        (...args: unknown[]): Promise<[Tensor, Tensor, Record<keyof Expert, Tensor>[]]>;
        dispose(): Promise<void>;
      };
      const [dx, dRouter, each] = await program(x, router, experts);
      await program.dispose();
      return [dx, dRouter, ...each.flatMap(({ gate, up, down }) => [gate, up, down])].map(({ data }) => [...data]);
    };
    const weighed = (y: JaxArray) => y.mul(np.arange(1, 5).astype(np.float32).reshape([2, 2])).sum();
    const together = await slopesOf((y, scores, of) => weighed(mixed(y, scores, of, false)));
    const apart = await slopesOf((y, scores, of) => {
      const gates = softmax(linear(y, scores));
      const through = (e: number) => swiglu(y.slice([e, e + 1]), of[e], noTap).mul(gates.slice([e, e + 1], [e, e + 1]));
      return weighed(np.concatenate([through(0), through(1)], 0));
    });
    together.flat().forEach((slope, i) => {
      const expected = apart.flat()[i];
      expect(Math.abs(slope - expected)).toBeLessThanOrEqual(1e-5 * Math.abs(expected));
    });
    expect(apart.flat().every(Number.isFinite)).toBe(true);
  });
});

describe('swiglu', () => {
  it('is down(silu(gate x) · up x), by hand', async () => {
    const program = compile((x: JaxArray, gate: JaxArray, up: JaxArray, down: JaxArray, bias: JaxArray) => [
      swiglu(x, { gate, up, down }, noTap),
      swiglu(x, { gate, up, down, gateBias: bias, upBias: bias, downBias: bias.sum().reshape([1]) }, noTap),
    ]);
    // gate x = (2, 0), up x = (1, 3): silu(2) · 1 and 0; with biases (1, −1): silu(3) · 2 and silu(−1) · 2.
    const [plain, biased] = (await program(
      float32([1], [1]),
      float32([2, 1], [2, 0]),
      float32([2, 1], [1, 3]),
      float32([1, 2], [10, 100]),
      float32([2], [1, -1]),
    )) as unknown as Tensor[];
    const silu = (a: number) => a / (1 + Math.exp(-a));
    expect(plain.data[0]).toBeCloseTo(10 * silu(2), 5);
    expect(biased.data[0]).toBeCloseTo(20 * silu(3) + 200 * silu(-1), 4);
    await program.dispose();
  });
});
