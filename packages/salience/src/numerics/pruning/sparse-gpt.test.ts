import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import type { ChooseInRows } from '../../core/scores.ts';
import { keepInRows, type RowRule } from '../../core/select-rows.ts';
import { invertPositiveDefinite } from '../linear-algebra/cholesky.ts';
import { sparseGpt } from './sparse-gpt.ts';
import { wandaScores } from './wanda.ts';

const by = (rule: RowRule): ChooseInRows =>
  Object.assign(
    (values: Float32Array, [rows, columns]: readonly [number, number], scope?: 'row' | 'matrix') =>
      keepInRows(values, rows, columns, rule, scope),
    'of' in rule && { every: rule.of },
  );

/** Keeps the same columns of every block, whatever the scores are. */
const columnsKept =
  (marks: readonly number[]): ChooseInRows =>
  (values, [, columns]) =>
    Uint8Array.from(values, (_, i) => marks[i % columns]);

/** Weights, and the Hessian of inputs whose channels are mixed and of different strength. */
function layer(rows: number, columns: number, seed: number) {
  const random = new Random(seed, 'layer');
  const weight = Float32Array.from({ length: rows * columns }, () => random.normal());
  const mix = Float64Array.from({ length: columns * columns }, () => random.normal());
  const hessian = new Float64Array(columns * columns);
  for (let token = 0; token < 3 * columns; token++) {
    const source = Float64Array.from({ length: columns }, (_, k) => random.normal() / (1 + k));
    const x = new Float64Array(columns);
    for (let j = 0; j < columns; j++) for (let k = 0; k < columns; k++) x[j] += mix[j * columns + k] * source[k];
    for (let i = 0; i < columns; i++) for (let j = 0; j < columns; j++) hessian[i * columns + j] += x[i] * x[j];
  }
  return { weight, hessian };
}

/** ‖(W − Ŵ) X‖². */
function reconstructionError(
  weight: Float32Array,
  pruned: Float32Array,
  hessian: Float64Array,
  columns: number,
): number {
  let error = 0;
  for (let row = 0; row < weight.length; row += columns) {
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++) {
        error += (weight[row + i] - pruned[row + i]) * hessian[i * columns + j] * (weight[row + j] - pruned[row + j]);
      }
    }
  }
  return error;
}

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
}

describe('SparseGPT', () => {
  it('with inputs of no correlation is magnitude pruning within each block, and changes no kept weight', () => {
    const { weight } = layer(3, 16, 1);
    const { values, kept } = sparseGpt(weight, [3, 16], identity(16), by({ share: 0.5 }), { blockColumns: 8 });
    for (const start of [0, 8]) {
      const block = weight.filter((_, i) => i % 16 >= start && i % 16 < start + 8).map(Math.abs);
      expect([...kept].filter((_, i) => i % 16 >= start && i % 16 < start + 8)).toEqual([
        ...keepInRows(block, 3, 8, { share: 0.5 }, 'matrix'),
      ]);
    }
    expect(values).toEqual(weight.map((w, i) => (kept[i] ? w : 0)));
  });

  it('that removes the first columns gives the rest by least squares: w_K + H_KK⁻¹ H_KP w_P', () => {
    const n = 7;
    const removed = 3;
    const { weight, hessian } = layer(1, n, 2);
    const marks = Array.from({ length: n }, (_, j) => Number(j >= removed));
    const { values } = sparseGpt(weight, [1, n], hessian, columnsKept(marks));
    const trace = Array.from({ length: n }, (_, i) => hessian[i * n + i]).reduce((a, b) => a + b);
    const damped = hessian.map((h, i) => (i % (n + 1) === 0 ? h + (0.01 * trace) / n : h));
    const rest = n - removed;
    const inner = Float64Array.from({ length: rest * rest }, (_, at) => {
      return damped[(removed + Math.floor(at / rest)) * n + removed + (at % rest)];
    });
    const inverse = invertPositiveDefinite(inner, rest);
    for (let k = 0; k < rest; k++) {
      let w = weight[removed + k];
      for (let m = 0; m < rest; m++) {
        for (let p = 0; p < removed; p++) w += inverse[k * rest + m] * damped[(removed + m) * n + p] * weight[p];
      }
      expect(values[removed + k]).toBeCloseTo(w, 4);
    }
    expect([...values.subarray(0, removed)]).toEqual([0, 0, 0]);
  });

  it('changes no weight to the left of the first that is removed', () => {
    const { weight, hessian } = layer(2, 6, 3);
    const { values } = sparseGpt(weight, [2, 6], hessian, columnsKept([1, 1, 1, 0, 1, 1]));
    for (const i of [0, 1, 2, 6, 7, 8]) expect(values[i]).toBe(weight[i]);
    expect(values[4]).not.toBe(weight[4]);
  });

  it('gives the same for a given mask however the columns are blocked', () => {
    const { weight, hessian } = layer(5, 24, 4);
    const everyThird = (block: number) =>
      sparseGpt(weight, [5, 24], hessian, columnsKept(Array.from({ length: block }, (_, j) => Number(j % 3 !== 1))), {
        blockColumns: block,
      }).values;
    const whole = everyThird(24);
    for (const block of [3, 6, 9]) {
      everyThird(block).forEach((value, i) => {
        expect(value).toBeCloseTo(whole[i], 4);
      });
    }
  });

  it.each([1, 2, 3])('leaves a lower error than Wanda with as many weights, seed %d', (seed) => {
    const [rows, columns] = [24, 32];
    const { weight, hessian } = layer(rows, columns, seed);
    const x = Array.from({ length: columns }, (_, j) => Math.sqrt(hessian[j * (columns + 1)]));
    for (const rule of [{ share: 0.5 }, { share: 0.25 }, { keep: 2, of: 4 }]) {
      const wanda = keepInRows(wandaScores(weight, rows, columns, x), rows, columns, rule);
      const { values, kept } = sparseGpt(weight, [rows, columns], hessian, by(rule));
      const count = (marks: Uint8Array) => marks.reduce((sum, mark) => sum + mark, 0);
      expect(count(kept)).toBe(count(wanda));
      expect(reconstructionError(weight, values, hessian, columns)).toBeLessThan(
        reconstructionError(
          weight,
          weight.map((w, i) => w * wanda[i]),
          hessian,
          columns,
        ),
      );
    }
  });

  it('keeps N of each M columns, each M masked by the weights as they then are', () => {
    const { weight, hessian } = layer(4, 20, 5);
    const seen: number[] = [];
    const choose = by({ keep: 2, of: 4 });
    const spy: ChooseInRows = Object.assign(
      (...[values, shape, scope]: Parameters<ChooseInRows>) => {
        seen.push(shape[1]);
        return choose(values, shape, scope);
      },
      { every: 4 },
    );
    const { values, kept } = sparseGpt(weight, [4, 20], hessian, spy, { blockColumns: 10 });
    expect(seen).toEqual([4, 4, 4, 4, 4]);
    for (let i = 0; i < 80; i += 4) expect(kept.slice(i, i + 4).reduce((a, b) => a + b)).toBe(2);
    values.forEach((value, i) => {
      if (kept[i] === 0) expect(value).toBe(0);
    });
  });

  it('takes the weights of inputs that never fire, first of all', () => {
    const hessian = identity(4);
    hessian[5] = 0;
    const { values, kept } = sparseGpt(Float32Array.of(1, 9, 2, 3), [1, 4], hessian, by({ share: 0.75 }));
    expect([...values]).toEqual([1, 0, 2, 3]);
    expect([...kept]).toEqual([1, 0, 1, 1]);
  });

  it('with everything kept changes nothing', () => {
    const { weight, hessian } = layer(3, 8, 6);
    expect(sparseGpt(weight, [3, 8], hessian, by({ share: 1 })).values).toEqual(weight);
  });

  it('refuses weights and Hessians that are not finite or of another size', () => {
    const prune = (weight: number[], h: number[], options = {}) =>
      sparseGpt(Float32Array.from(weight), [1, 2], h, by({ share: 0.5 }), options);
    expect(() => prune([1, Number.NaN], [1, 0, 0, 1])).toThrow('row 0, column 1 is NaN');
    expect(() => prune([1, 2], [1, 0, 0, Infinity])).toThrow('row 1, column 1 is Infinity');
    expect(() => prune([1, 2, 3], [1, 0, 0, 1])).toThrow(InputError);
    expect(() => prune([1, 2], [1, 0, 0, 1], { blockColumns: 0 })).toThrow(ParameterError);
  });
});
