/** @file Feature interaction scores: generated tables, pictures as data, image patches, and bad input. */

import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import type { Block } from '../../core/report.ts';
import { Run } from '../../core/run.ts';
import { squaredLoss } from '../../numerics/importance/permutation-importance.ts';
import { type Column, type Table, tableInMemory } from '../../subjects/table/table.ts';
import { constantLoss, pairsOf, patchesOf, rashomonFis } from './rashomon-fis.ts';

/** Numbers a, b, c and a constant; what is to be predicted is a function of a, b and c. */
function generated(of: (a: number, b: number, c: number) => number, { classes = false, rows = 240 } = {}): Table {
  const random = new Random(3);
  const [a, b, c] = [0, 1, 2].map(() => Float64Array.from({ length: rows }, () => random.normal()));
  const y = a.map((v, i) => of(v, b[i], c[i]));
  const columns = [a, b, c, new Float64Array(rows).fill(2)].map(
    (values, j): Column => ({ name: ['a', 'b', 'c', 'constant'][j], kind: 'number', values }),
  );
  const target: Column = classes
    ? { name: 'y', kind: 'boolean', values: y.map((v) => Number(v > 0)), levels: ['no', 'yes'] }
    : { name: 'y', kind: 'number', values: y };
  const all = Uint32Array.from({ length: rows }, (_, i) => i);
  return tableInMemory(columns, target, { train: all.slice(0, rows - 80), test: all.slice(rows - 80) });
}

const quick = { shuffles: 5, cloudShuffles: 4, clouds: 1, rings: 2 };
const score = (of: Table, given: Record<string, unknown> = {}) =>
  rashomonFis.score(of, parseParams(rashomonFis, { ...quick, ...given }), new Run({ seed: 4 }));
const charts = (blocks: readonly Block[] | undefined) =>
  blocks!.flatMap((block) => (block.kind === 'chart' ? [block.chart] : []));
const texts = (blocks: readonly Block[] | undefined) =>
  blocks!.flatMap((block) => (block.kind === 'text' ? [block.text] : [])).join(' ');

describe('rashomon-fis', () => {
  it('puts the pair that acts by its product first, and gives a constant no interaction', async () => {
    const of = generated((a, b, c) => a + b + c + 2 * a * b);
    const { values, labels, unit, members } = await score(of, { model: 'boosting' });
    expect(unit).toBe('feature pair');
    expect(labels).toEqual(['a × b', 'a × c', 'a × constant', 'b × c', 'b × constant', 'c × constant']);
    expect(members![3]).toEqual([1, 2]);
    expect(values.indexOf(Math.max(...values))).toBe(0);
    for (const s of [2, 4, 5]) expect(values[s]).toBe(0);
  });

  it('of a linear model of classes gives a swarm of 36 models with the reference starred, and nested halos', async () => {
    const of = generated((a, b, c) => a + b + 0.3 * c + 0.8 * Math.sin(9 * c), { classes: true });
    const { findings } = await score(of);
    const [swarm, halo] = charts(findings);
    if (swarm.type !== 'swarm' || halo.type !== 'halo') throw new Error('other charts');
    expect(swarm.rows).toHaveLength(1);
    expect(swarm.rows[0].points).toHaveLength(36);
    expect(swarm.rows[0].star).toBeDefined();
    expect(halo.rings).toHaveLength(2);
    expect(halo.rings[1].expected).toBeCloseTo(2 * halo.rings[0].expected, 12);
    expect(texts(findings)).toContain('of the way to a model that always says the same');
  });

  it('is the same again from the same seed', async () => {
    const of = generated((a, b) => a * b, { classes: true });
    const [one, two] = [await score(of, { model: 'tree' }), await score(of, { model: 'tree' })];
    expect(one).toEqual(two);
  });

  it('of two columns has one pair', async () => {
    const of = generated((a, b) => a + b);
    const { values } = await score({ ...of, columns: of.columns.slice(0, 2) });
    expect(values).toHaveLength(1);
  });

  it('says so where the reference makes no error, and stays there', async () => {
    const of = generated((a) => Number(a > 0), { classes: true });
    const { findings } = await score(of, { model: 'tree', loss: 'zeroOne' });
    expect(texts(findings)).toContain('makes no error, so the set is the reference alone');
    const [swarm] = charts(findings);
    if (swarm.type !== 'swarm') throw new Error('another chart');
    for (const { x } of swarm.rows[0].points) expect(x).toBe(swarm.rows[0].star);
  });

  it('says so where a model that always says the same is no worse', async () => {
    const random = new Random(9);
    const of = generated(() => random.normal(), { classes: true });
    const { findings } = await score(of, { model: 'tree' });
    expect(texts(findings)).toContain('the reference is no better, and any interaction may vanish');
  });

  it('of pixels scores pairs of patches, with a picture of what each costs', async () => {
    const of = generated((a, b) => a * b, { classes: true });
    const { labels, members, findings } = await score(of, { patch: '2x2/1x2' });
    expect(labels).toEqual(['patch 0,0 × patch 1,0']);
    expect(members).toEqual([[0, 1, 2, 3]]);
    expect(charts(findings)[0]).toMatchObject({ type: 'heat', rows: 2, columns: 1 });
  });
});

describe('parts', () => {
  it('pairs are all i < j, in order', () => {
    expect(pairsOf(3)).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ]);
    expect(pairsOf(1)).toEqual([]);
  });

  it('patches take their pixels row after row', () => {
    const found = patchesOf('4x4/2x2', 16);
    expect(found.map(({ name }) => name)).toEqual(['patch 0,0', 'patch 0,1', 'patch 1,0', 'patch 1,1']);
    expect(found[1].columns).toEqual([2, 3, 6, 7]);
    expect(found.flatMap(({ columns }) => columns).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, i) => i),
    );
  });

  it('a constant model says the mean', async () => {
    const explained = { predict: (x: Float64Array) => x, rows: new Float64Array(4), columns: 1, features: [[0]] };
    const targets = Float64Array.of(0, 0, 1, 3);
    expect(await constantLoss({ ...explained, targets, loss: squaredLoss })).toBe(1.5);
  });
});

describe('bad input', () => {
  const of = generated((a, b) => a * b, { classes: true });
  it.each<[string, Table, Record<string, unknown>, string]>([
    ['one feature', { ...of, columns: of.columns.slice(0, 1) }, {}, '1 feature makes no pair; 2 are needed'],
    ['one row', { ...of, test: of.test.slice(0, 1) }, {}, '1 row cannot be shuffled; 2 are needed'],
    ['a table without a target', { ...of, target: undefined }, {}, 'has no target'],
    ['patches that do not fill the image', of, { patch: '2x2/2x3' }, 'the patches must fill it'],
    ['an image of another size', of, { patch: '8x8/2x2' }, 'an image of 64 pixels, but the table has 4 columns'],
    ['a patch that is none', of, { patch: 'big' }, 'write the image and its patches as 8x8/2x2'],
    ['the log loss of a value', generated((a) => a), { loss: 'logLoss' }, 'logLoss takes probabilities'],
    ['classes of a value', generated((a) => a), { loss: 'zeroOne' }, 'zeroOne takes classes'],
  ])('%s is refused', async (_, table, given, message) => {
    await expect(score(table, given)).rejects.toThrow(message);
  });

  it('a rate of 0, no shuffle and a loss that is none are refused', () => {
    for (const given of [{ rate: 0 }, { shuffles: 0 }, { rows: 1 }, { loss: 'auroc' }]) {
      expect(() => parseParams(rashomonFis, given)).toThrow('rashomon-fis: parameter');
    }
  });
});
