import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { exactShapley, marginalWeights } from './exact.ts';
import { kernelShapley, shapleyKernelWeight } from './kernel.ts';
import { permutationShapley } from './permutation.ts';
import { interventional, type RowFunction, singles } from './value-function.ts';

/** A function of rows from one of a row. */
const over =
  (columns: number, f: (x: Float64Array) => number): RowFunction =>
  (rows) =>
    Float64Array.from({ length: rows.length / columns }, (_, r) => f(rows.subarray(r * columns, (r + 1) * columns)));

const worked = over(3, ([a, b, c]) => a * b + 2 * c);
const usual = { rows: Float64Array.of(0, 0, 0, 1, 2, 1), columns: 3 };
const row = [2, 3, 1];
const near = (values: ArrayLike<number>, expected: readonly number[], digits = 9) => {
  expect(values.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(values[i]).toBeCloseTo(value, digits);
  });
};
const random = () => new Random(1, 'shapley');

/** Some function with interactions of all its columns. */
const tangled = (columns: number) =>
  over(columns, (x) => x.reduce((sum, v, i) => sum + Math.sin((i + 1) * v) * (x[(i + 1) % columns] + 0.3 * i), 0));
const normal = (n: number, name: string) => {
  const source = new Random(3, name);
  return Float64Array.from({ length: n }, () => source.normal());
};

describe('Shapley values of x0 x1 + 2 x2', () => {
  const ways = {
    'by all coalitions': exactShapley,
    'by the kernel over all 6 proper coalitions': (v: Parameters<typeof exactShapley>[0], m: number) =>
      kernelShapley(v, m, { random: random() }),
  };
  for (const [way, shapley] of Object.entries(ways)) {
    it(`are 2.75, 2.25 and 1, from 2 to 8, ${way}`, async () => {
      const { values, empty, full } = await shapley(interventional(worked, usual, row, singles(3)), 3);
      near(values, [2.75, 2.25, 1]);
      near([empty, full], [2, 8]);
    });
  }

  it('of the groups {0, 1} and {2} are 5 and 1', async () => {
    const { values } = await exactShapley(interventional(worked, usual, row, [[0, 1], [2]]), 2);
    near(values, [5, 1]);
  });
});

it('grouping is not summing: of x0 x1 x2 features get a third each, and {0, 1} and {2} a half each', async () => {
  const product = over(3, ([a, b, c]) => a * b * c);
  const zero = { rows: new Float64Array(3), columns: 3 };
  near((await exactShapley(interventional(product, zero, [1, 1, 1], singles(3)), 3)).values, [1 / 3, 1 / 3, 1 / 3]);
  near((await exactShapley(interventional(product, zero, [1, 1, 1], [[0, 1], [2]]), 2)).values, [0.5, 0.5]);
});

it('kernel weights of 4 players are .25, .125 and .25 for sizes 1 to 3', () => {
  near(
    [1, 2, 3].map((s) => shapleyKernelWeight(4, s)),
    [0.25, 0.125, 0.25],
    12,
  );
  near(marginalWeights(3), [1 / 3, 1 / 6, 1 / 3], 12);
});

describe('axioms, exactly', () => {
  const background = { rows: normal(7 * 4, 'background'), columns: 4 };
  const x = normal(4, 'row');
  const exact = async (f: RowFunction) => (await exactShapley(interventional(f, background, x, singles(4)), 4)).values;

  it('a column that is not used gets 0, and columns that are used alike and are alike get the same', async () => {
    const alike = { rows: background.rows.map((v, i) => (i % 4 === 1 ? background.rows[i - 1] : v)), columns: 4 };
    const f = over(4, ([a, b, c]) => Math.exp(a) * Math.exp(b) + a * c + b * c);
    const { values } = await exactShapley(interventional(f, alike, [0.4, 0.4, 1, 2], singles(4)), 4);
    expect(values[3]).toBeCloseTo(0, 14);
    expect(values[0]).toBeCloseTo(values[1], 12);
  });

  it('a linear model gives w_j (x_j − mean_j)', async () => {
    const w = [2, -1, 0.5, 3];
    const values = await exact(over(4, (v) => v.reduce((sum, value, j) => sum + w[j] * value, 1)));
    for (let j = 0; j < 4; j++) {
      let mean = 0;
      for (let b = 0; b < 7; b++) mean += background.rows[b * 4 + j] / 7;
      expect(values[j]).toBeCloseTo(w[j] * (x[j] - mean), 12);
    }
  });

  it('twice the function has twice the values', async () => {
    const f = tangled(4);
    const twice = over(4, (v) => 2 * (f(v) as Float64Array)[0]);
    near(
      await exact(twice),
      [...(await exact(f))].map((v) => 2 * v),
    );
  });

  it('values sum to the prediction less the mean prediction', async () => {
    const value = interventional(tangled(4), background, x, singles(4));
    for (const { values, full, empty } of [
      await exactShapley(value, 4),
      await kernelShapley(value, 4, { random: random() }),
      await permutationShapley(value, 4, { orders: 6, random: random() }),
    ]) {
      expect(values.reduce((sum, v) => sum + v, 0)).toBeCloseTo(full - empty, 12);
    }
  });
});

describe('kernelShapley', () => {
  it('of up to 10 players is exact whatever the samples', async () => {
    for (const m of [1, 2, 5, 10]) {
      const value = interventional(tangled(m), { rows: normal(3 * m, 'b'), columns: m }, normal(m, 'x'), singles(m));
      const exact = await exactShapley(value, m);
      near((await kernelShapley(value, m, { samples: 1, random: random() })).values, [...exact.values]);
    }
  });

  it('of 14 players comes near the exact values by 3000 of 16382 coalitions, and is exact by all', async () => {
    const m = 14;
    const value = interventional(tangled(m), { rows: normal(3 * m, 'b'), columns: m }, normal(m, 'x'), singles(m));
    const exact = await exactShapley(value, m);
    const largest = Math.max(...exact.values.map(Math.abs));
    const few = await kernelShapley(value, m, { samples: 3000, random: random() });
    few.values.forEach((v, i) => {
      expect(Math.abs(v - exact.values[i])).toBeLessThan(0.05 * largest);
    });
    near((await kernelShapley(value, m, { samples: 2 ** m, random: random() })).values, [...exact.values], 8);
  });

  it('asks no more coalitions than it is given, and nobody and all', async () => {
    let asked = 0;
    const value = async (members: Uint8Array) => {
      asked += members.length / 12;
      return Float64Array.from({ length: members.length / 12 }, (_, s) =>
        members.subarray(s * 12, (s + 1) * 12).reduce((sum, isIn, i) => sum + isIn * i, 0),
      );
    };
    const { values } = await kernelShapley(value, 12, { samples: 500, random: random() });
    expect(asked).toBeLessThanOrEqual(502);
    expect(asked).toBeGreaterThan(480);
    near(values, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('refuses fewer than 2 coalitions a player where it must sample', async () => {
    await expect(kernelShapley(async () => new Float64Array(), 11, { samples: 21, random: random() })).rejects.toThrow(
      '21 coalitions are too few for 11 features; 22 or more are needed',
    );
  });
});

describe('permutationShapley', () => {
  it('is exact for functions of pairs, for an order and its reverse cancel', async () => {
    const f = over(5, (x) => x[0] * x[1] - x[2] * x[4] + x[3]);
    const value = interventional(f, { rows: normal(20, 'b'), columns: 5 }, normal(5, 'x'), singles(5));
    const { values, errors } = await permutationShapley(value, 5, { orders: 4, random: random() });
    near(values, [...(await exactShapley(value, 5)).values]);
    for (const error of errors!) expect(error).toBeLessThan(1e-6);
  });

  it('is within 4 standard errors of the exact values', async () => {
    const m = 8;
    const value = interventional(tangled(m), { rows: normal(3 * m, 'b'), columns: m }, normal(m, 'x'), singles(m));
    const cube = async (members: Uint8Array) => (await value(members)).map((v) => v ** 3);
    const exact = await exactShapley(cube, m);
    const { values, errors } = await permutationShapley(cube, m, { orders: 400, random: random() });
    values.forEach((v, i) => {
      expect(errors![i]).toBeGreaterThan(0);
      expect(Math.abs(v - exact.values[i])).toBeLessThan(4 * errors![i]);
    });
  });

  it('of one player is all there is to give', async () => {
    const value = interventional(
      over(1, ([a]) => a ** 2),
      { rows: Float64Array.of(1), columns: 1 },
      [3],
      singles(1),
    );
    near((await permutationShapley(value, 1, { random: random() })).values, [8]);
    near((await exactShapley(value, 1)).values, [8]);
  });
});

describe('bad input', () => {
  it('is refused by name', async () => {
    const f = over(2, ([a]) => a);
    const b = { rows: new Float64Array(4), columns: 2 };
    expect(() => interventional(f, { rows: new Float64Array(), columns: 2 }, [1, 2], singles(2))).toThrow('no row');
    expect(() => interventional(f, b, [1, 2], [[0]])).toThrow('column 1 is in no player');
    expect(() => interventional(f, b, [1, 2], [[0, 1], [1]])).toThrow('column 1 is in two players');
    expect(() => interventional(f, b, [1], singles(2))).toThrow('the row has 1 columns and the background 2');
    await expect(
      exactShapley(
        interventional(() => [Number.NaN], { ...b, rows: new Float64Array(2) }, [1, 2], singles(2), { batch: 1 }),
        2,
      ),
    ).rejects.toThrow('the model gave NaN for row 0');
    await expect(
      exactShapley(
        interventional(() => [], b, [1, 2], singles(2)),
        2,
      ),
    ).rejects.toThrow('gave 0 numbers');
    await expect(exactShapley(async () => new Float64Array(), 17)).rejects.toThrow('1 to 16 players, not 17');
  });
});
