/** @file Random cases of a primitive, and the check that their compiled form agrees with jax-js: results and gradients. */

import * as jax from '@jax-js/jax';
import fc, { type GeneratorValue } from 'fast-check';
import { expect } from 'vitest';
import { Random } from '../src/core/random.ts';
import { compile } from '../src/runtime/compile.ts';
import { type ElementType, sizeOf, Tensor } from '../src/runtime/tensor.ts';
import { trace } from '../src/runtime/trace.ts';
import { eagerly, expectSame, leavesOf, primitivesOf } from './eager.ts';

const { numpy: np } = jax;
type Array_ = jax.Array;

/** A stored tensor and the way a rule sees it: turned, repeated and flipped. */
export interface Operand {
  readonly tensor: Tensor;
  readonly shape: readonly number[];
  readonly present: (stored: Array_) => Array_;
}

export interface Case {
  /** Where jax-js has no gradient of this case. */
  readonly valueOnly?: boolean;
  readonly operands: readonly Operand[];
  readonly fn: (...xs: Array_[]) => Array_ | Array_[];
}

export const ints: readonly ElementType[] = ['int32', 'uint32'];
export const numbers: readonly ElementType[] = ['float32', ...ints];
export const all: readonly ElementType[] = [...numbers, 'bool'];

/** Random choices of one case. */
export class Draw {
  readonly #g: GeneratorValue;

  constructor(g: GeneratorValue) {
    this.#g = g;
  }

  integer(min: number, max: number): number {
    return this.#g(fc.integer, { min, max });
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)];
  }

  /** true once in n times. */
  chance(n: number): boolean {
    return this.integer(1, n) === n;
  }

  order(n: number): number[] {
    const left = Array.from({ length: n }, (_, i) => i);
    return Array.from({ length: n }, () => left.splice(this.integer(0, left.length - 1), 1)[0]);
  }

  some(n: number): number[] {
    return Array.from({ length: n }, (_, i) => i).filter(() => this.chance(2));
  }

  shape(minRank = 0, maxRank = 5): number[] {
    return Array.from({ length: this.integer(minRank, maxRank) }, () =>
      this.one([1, 2, 3, 2, 3, 4, 1, this.chance(3) ? 0 : 2]),
    );
  }

  /**
   * A shape that stretches to the given one: axes of length 1, and leading axes left out. jax-js takes no gradients through
   * stretching 1 to 0, so those are for whole numbers only.
   */
  broadcastable(full: readonly number[], toZero = false): number[] {
    return full
      .slice(this.chance(3) ? this.integer(0, full.length) : 0)
      .map((length) => (this.chance(4) && (length > 0 || toZero) ? 1 : length));
  }

  /** An operand that a rule sees with this shape; floats from [low, high), whole numbers from the same range rounded. */
  operand(shape: readonly number[], type: ElementType = 'float32', [low, high] = [-2, 2], plain = false): Operand {
    const rank = shape.length;
    const perm = plain || this.chance(2) ? shape.map((_, i) => i) : this.order(rank);
    const repeats = plain || this.chance(2) ? [] : this.some(rank).filter((a) => shape[a] > 0 || type !== 'float32');
    const flips = plain || !this.chance(4) ? [] : this.some(rank);
    const stored = perm.map((p) => (repeats.includes(p) ? 1 : shape[p]));
    const random = new Random(this.integer(0, 2 ** 30));
    const data = new { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, bool: Uint8Array }[type](
      sizeOf(stored),
    );
    const from = type === 'uint32' ? Math.max(0, low) : low;
    for (let i = 0; i < data.length; i++) {
      const x = from + random.uniform() * (high - from);
      data[i] = type === 'float32' ? x : type === 'bool' ? Number(random.uniform() < 0.5) : Math.floor(x);
    }
    const present = (x: Array_) => {
      let seen = perm.every((p, i) => p === i) ? x : x.transpose(perm.map((_, i) => perm.indexOf(i)));
      if (repeats.length > 0) seen = np.broadcastTo(seen, [...shape]);
      return flips.length > 0 ? np.flip(seen, flips) : seen;
    };
    return { tensor: new Tensor(type, stored, data), shape, present };
  }

  /** Another shape of as many elements. */
  reshaping(shape: readonly number[]): number[] {
    let n = sizeOf(shape);
    if (n === 0) return [...this.shape(0, 3), 0, ...this.shape(0, 1)];
    const to = new Array(this.integer(n === 1 ? 0 : 1, 5)).fill(1);
    for (let p = 2; n > 1; p++) for (; n % p === 0; n /= p) to[this.integer(0, to.length - 1)] *= p;
    return to;
  }
}

/** A row of a table of primitives: several may name one. */
export type Row = readonly [primitive: string, title: string, cases: (draw: Draw) => Case];

/** The results of a case and, where there are floats, the gradients of a weighted sum of them. */
function withGradients({ operands, fn, valueOnly }: Case) {
  const floats = operands.map(({ tensor }) => tensor.type === 'float32');
  const run = (stored: readonly Array_[]) => [fn(...stored.map((x, i) => operands[i].present(x)))].flat();
  return (...stored: Array_[]) => {
    const results = run(stored);
    const loss = (some: readonly Array_[]) => {
      let next = 0;
      const outputs = run(stored.map((x, i) => (floats[i] ? some[next++] : x)));
      return outputs
        .filter(({ dtype }) => dtype === 'float32')
        .map((y) => {
          const weights = Float32Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.cos(1 + i));
          return weights.length === 0 ? y.sum() : y.mul(np.array(weights, { shape: [...y.shape] })).sum();
        })
        .reduce((a, b) => a.add(b));
    };
    if (valueOnly || !floats.includes(true) || !results.some(({ dtype }) => dtype === 'float32')) return results;
    return [
      ...results,
      ...((jax.grad(loss as never) as unknown as (xs: readonly Array_[]) => unknown)(
        stored.filter((_, i) => floats[i]),
      ) as unknown as Array_[]),
    ];
  };
}

/**
 * Fails unless `runs` random cases, in which the primitive must occur, have the same results and gradients compiled as jax-js
 * gives for them.
 */
export async function expectAgreement(primitive: string, cases: (draw: Draw) => Case, runs = 30): Promise<void> {
  let occurred = false;
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const drawn = cases(new Draw(g));
      const fn = withGradients(drawn);
      const tensors = drawn.operands.map(({ tensor }) => tensor);
      const expected = eagerly(fn as never, tensors);
      const compiled = compile(fn, { threads: 1 });
      expectSame(leavesOf(await compiled(...(tensors as never[]))), expected);
      await compiled.dispose();
      const structure = jax.tree.structure(tensors as never);
      occurred ||= primitivesOf(trace(fn as never, structure, tensors).program).has(primitive);
    }),
    { numRuns: runs, seed: 7, endOnFailure: true },
  );
  expect(occurred).toBe(true);
}
