/** @file The claim of GAIS: with 4% of the instances nothing is lost, and more is kept than by chance. */

import { claim, type Reported } from '../../core/claim.ts';
import { parseParams } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import { finish } from '../../core/steps.ts';
import { fitForest } from '../../models/tabular/forest.ts';
import { fitLogistic } from '../../models/tabular/logistic.ts';
import { fitNeighbours } from '../../models/tabular/neighbours.ts';
import { classCounts } from '../../numerics/allocation/class-counts.ts';
import { accuracy, mostProbable } from '../../numerics/statistics/classification.ts';
import { rangeScaling, scaled } from '../../numerics/statistics/standardise.ts';
import { datasetInMemory } from '../../subjects/dataset/dataset.ts';
import type { OwnSet } from '../../subjects/dataset/labelled-features.ts';
import { realTable, realTablesPresent } from '../../subjects/table/real-tables.ts';
import { rowsOf } from '../../subjects/table/table.ts';
import { condense } from './condensed-nn.ts';
import { drop3 } from './drop3.ts';
import { attend, gais, instanceScores } from './gais.ts';
import { iterativeCaseFiltering } from './icf.ts';
import { kMeansPrototypes } from './k-means-prototypes.ts';
import { lshSelection } from './lsh-selection.ts';

const trainRows = 1000;
const testRows = 600;
const share = 0.04;
const draws = 5;

/** Rows with classes. */
interface Rows {
  readonly columns: number;
  readonly classes: number;
  /** Shape [n · columns]. */
  readonly x: Float64Array;
  /** Shape [n]. */
  readonly y: Uint32Array;
}

interface Task {
  readonly name: string;
  readonly train: Rows;
  readonly test: Rows;
}

/** Two half circles that reach into each other, with noise of deviation .25. */
function moons(n: number, random: Random): Rows {
  const y = Uint32Array.from({ length: n }, (_, i) => i % 2);
  const x = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const t = Math.PI * random.uniform();
    x[2 * i] = (y[i] ? 1 - Math.cos(t) : Math.cos(t)) + 0.25 * random.normal();
    x[2 * i + 1] = (y[i] ? 0.5 - Math.sin(t) : Math.sin(t)) + 0.25 * random.normal();
  }
  return { columns: 2, classes: 2, x, y };
}

/**
 * 3 classes of 2 clusters at corners of a hypercube of side 2 in 6 dimensions, each cluster stretched by a random matrix of its own; 2
 * further columns are mixtures of these and 2 are noise. 1% of the classes are drawn anew.
 */
function hypercube(n: number, random: Random): Rows {
  const informative = 6;
  const columns = 10;
  const corners = random.permutation(2 ** informative).slice(0, 6);
  const uniform = (size: number) => Float64Array.from({ length: size }, () => 2 * random.uniform() - 1);
  const stretches = Array.from(corners, () => uniform(informative ** 2));
  const mixtures = [uniform(informative), uniform(informative)];
  const y = new Uint32Array(n);
  const x = new Float64Array(n * columns);
  for (let i = 0; i < n; i++) {
    const cluster = i % 6;
    y[i] = random.uniform() < 0.01 ? random.integer(3) : cluster % 3;
    const drawn = Float64Array.from({ length: informative }, () => random.normal());
    for (let c = 0; c < informative; c++) {
      let value = (corners[cluster] >> c) & 1 ? 1 : -1;
      for (let e = 0; e < informative; e++) value += stretches[cluster][e * informative + c] * drawn[e];
      x[i * columns + c] = value;
    }
    mixtures.forEach((mixture, m) => {
      for (let c = 0; c < informative; c++) x[i * columns + informative + m] += mixture[c] * x[i * columns + c];
    });
    for (let c = informative + 2; c < columns; c++) x[i * columns + c] = random.normal();
  }
  return { columns, classes: 3, x, y };
}

/** 9 round clusters in 4 dimensions around centres from −10 to 10, of deviation 2.5; the class is the cluster's number modulo 3. */
function blobs(n: number, random: Random): Rows {
  const centres = Array.from({ length: 9 }, () => Array.from({ length: 4 }, () => 20 * random.uniform() - 10));
  const y = Uint32Array.from({ length: n }, (_, i) => (i % 9) % 3);
  const x = Float64Array.from(
    { length: n * 4 },
    (_, p) => centres[Math.floor(p / 4) % 9][p % 4] + 2.5 * random.normal(),
  );
  return { columns: 4, classes: 3, x, y };
}

/** A real table as rows; classes in the order of their values. */
async function real(name: 'digits' | 'wine', run: Run): Promise<Rows> {
  const table = await realTable(name, run);
  const values = table.target!.values;
  const levels = [...new Set(values)].sort((a, b) => a - b);
  return {
    columns: table.columns.length,
    classes: levels.length,
    x: rowsOf(table),
    y: Uint32Array.from(values, (value) => levels.indexOf(value)),
  };
}

function rowsAt({ x, y, columns, classes }: Rows, at: ArrayLike<number>): Rows {
  const own = new Float64Array(at.length * columns);
  for (let r = 0; r < at.length; r++) own.set(x.subarray(at[r] * columns, (at[r] + 1) * columns), r * columns);
  return { columns, classes, x: own, y: Uint32Array.from(at, (i) => y[i]) };
}

/** Rows dealt at random into train and test, every column scaled to the range that it has in train. */
function taskOf(name: string, rows: Rows, random: Random): Task {
  const order = random.permutation(rows.y.length);
  const train = Math.min(trainRows, Math.round(0.65 * order.length));
  const first = rowsAt(rows, order.slice(0, train).sort());
  const second = rowsAt(rows, order.slice(train, train + testRows).sort());
  const scaling = rangeScaling(first.x, rows.columns);
  const on = (part: Rows) => ({ ...part, x: scaled(part.x, scaling) });
  return { name, train: on(first), test: on(second) };
}

const classifiers = ['1-NN', 'forest', 'logistic'] as const;

/** Accuracy on a test of each classifier trained on some of the rows, and the mean of the three. */
async function accuracies(all: Rows, kept: ArrayLike<number>, test: Rows, run: Run): Promise<readonly number[]> {
  const { x, y, columns, classes } = rowsAt(all, kept);
  const data = { columns, classes, x, y: Float64Array.from(y) };
  const single = y.every((c) => c === y[0]);
  const found: number[] = [];
  for (const name of classifiers) {
    let predicted: ArrayLike<number> = new Uint32Array(test.y.length).fill(y[0]);
    if (!single) {
      const fitted =
        name === '1-NN'
          ? await fitNeighbours(data, { k: 1 }, run)
          : name === 'forest'
            ? await fitForest(data, { trees: 60 }, run)
            : await fitLogistic(data, {}, run);
      predicted = mostProbable(await fitted.predict(test.x), classes);
    }
    found.push(accuracy(test.y, predicted));
  }
  return [...found, found.reduce((sum, a) => sum + a, 0) / found.length];
}

/** Place of the mean in what `accuracies` gives. */
const overall = classifiers.length;

/** The first of each class in an order, as many as its share of `count`. */
function firstOfClasses({ y, classes }: Rows, order: ArrayLike<number>, count: number): number[] {
  const sizes = new Array<number>(classes).fill(0);
  for (const c of y) sizes[c]++;
  const left = classCounts(sizes, count);
  return Array.from(order).filter((i) => left[y[i]]-- > 0);
}

/** From the highest score to the lowest, the lower index first among equals. */
function orderOf(values: ArrayLike<number>): number[] {
  return Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[j] - values[i] || i - j);
}

function datasetOf({ x, y, columns, classes }: Rows) {
  return datasetInMemory({
    features: Array.from({ length: columns }, (_, c) => `x${c}`),
    values: Float32Array.from(x),
    labels: { classes: Array.from({ length: classes }, (_, c) => `${c}`), of: y },
  });
}

/** Every arm without tuning: what it keeps of the training rows. */
async function selections({ name, train }: Task, count: number, run: Run): Promise<Map<string, ArrayLike<number>[]>> {
  const { columns, classes, y } = train;
  const x = Float32Array.from(train.x);
  const data = datasetOf(train);
  const chosen = new Map<string, ArrayLike<number>[]>();
  chosen.set('full', [Uint32Array.from(y, (_, i) => i)]);
  const attended = await attend(data, parseParams(gais), run);
  for (const score of ['attention', 'confidence'] as const) {
    for (const order of ['high', 'low'] as const) {
      const values = instanceScores(attended, { score, order });
      chosen.set(`${score} ${order}`, [firstOfClasses(train, orderOf(values), count)]);
    }
  }
  const even = await attend(data, parseParams(gais, { score: 'degree' }), run);
  chosen.set('degree baseline', [firstOfClasses(train, orderOf(even.attention), count)]);
  const drawn = Array.from({ length: draws }, (_, t) =>
    firstOfClasses(train, run.random(`${name}/random ${t}`).permutation(y.length), count),
  );
  chosen.set('stratified random', drawn);
  const random = (what: string) => run.random(`${name}/${what}`);
  const own = (arm: string, set: OwnSet) => {
    chosen.set(`${arm} at its own size`, [set.order.slice(0, set.own)]);
    chosen.set(`${arm} at equal size`, [firstOfClasses(train, set.order, count)]);
  };
  const means = await kMeansPrototypes(x, columns, y, classes, count, run, random('k-means'));
  chosen.set('k-means', [firstOfClasses(train, means.order, count)]);
  own('CNN', finish(condense(x, columns, y, classes, random('CNN'))));
  own('DROP3', await run.drive('DROP3', drop3(x, columns, y, 3)));
  own('ICF', await run.drive('ICF', iterativeCaseFiltering(x, columns, y, 3)));
  own('LSH', lshSelection(x, columns, y, { tables: 1, functions: 4, width: 1 }, random('LSH')));
  return chosen;
}

/** The networks that tuning tries; each gives attention and confidence, high and low: 36 configurations. */
const networks = [
  { q: 0.8 },
  { q: 0.9 },
  { q: 0.95 },
  { q: 0.98 },
  { q: 0.95, batchSize: 100 },
  { graph: 'hash1', bits: 6 },
  { graph: 'hash1', bits: 10 },
  { graph: 'hashMulti' },
  { graph: 'hashView' },
];

/**
 * Test accuracy of the best by validation of 36 configurations of GAIS, and of as many random subsets: 200 of the training rows
 * validate, the others are chosen from.
 */
async function tuned({ name, train, test }: Task, count: number, run: Run): Promise<{ gais: number; random: number }> {
  const order = run.random(`${name}/validation`).permutation(train.y.length);
  const validation = rowsAt(train, order.slice(0, 200).sort());
  const rest = rowsAt(train, order.slice(200).sort());
  const data = datasetOf(rest);
  const ofGais: number[][] = [];
  for (const network of networks) {
    const attended = await attend(data, parseParams(gais, network), run);
    for (const score of ['attention', 'confidence'] as const) {
      for (const high of ['high', 'low'] as const) {
        ofGais.push(firstOfClasses(rest, orderOf(instanceScores(attended, { score, order: high })), count));
      }
    }
  }
  const ofRandom = ofGais.map((_, t) =>
    firstOfClasses(rest, run.random(`${name}/try ${t}`).permutation(rest.y.length), count),
  );
  const best = async (subsets: readonly number[][]) => {
    let chosen = subsets[0];
    let highest = -1;
    for (const subset of subsets) {
      const value = (await accuracies(rest, subset, validation, run))[overall];
      if (value > highest) [highest, chosen] = [value, subset];
      await run.breathe();
    }
    return (await accuracies(rest, chosen, test, run))[overall];
  };
  return { gais: await best(ofGais), random: await best(ofRandom) };
}

/** How far GAIS passes the rule of a task: the smaller of what it has over random + .01 and over full − .02. */
const margin = (own: number, random: number, full: number) => Math.min(own - random - 0.01, own - full + 0.02);

const middle = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const generated = ['moons', 'hypercube', 'blobs'];
const realNames = ['digits', 'wine'] as const;

const removed: Reported = {
  figure: 'above 96% removed, performance kept or better',
  setting: 'against all rows, 39 data sets',
  source: 'abstract',
};

export default claim({
  method: 'gais',
  headline: 'With more than 96% of the instances removed, classifiers are as good as on all of them or better.',
  setting:
    'Two moons with noise .25, 3 classes at corners of a hypercube (6 informative of 10 columns), 9 blobs in 4 dimensions with classes ' +
    'modulo 3, each 1,000 to train and 600 to test, and where present the real sets digits and wine (65% to train, at most 1,000). 4% is ' +
    'kept, every class its share. Accuracy is the mean of 1-NN, a random forest of 60 trees and logistic regression on untouched rows. ' +
    'Arms: GAIS by attention and by confidence, each order; the same graph with even attention; stratified random (5 draws); k-means ' +
    'in each class; CNN, DROP3, ICF and LSH at their own size and at 4%; all rows. Tuned: the best of 36 configurations (9 networks on ' +
    'all four graphs, both scores, both orders) by 200 validation rows, against the best of 36 random subsets. ' +
    'GAIS is a reconstruction: its scoring formulas are not published.',
  unjudged:
    'the 39 data sets of the paper, which variant is best where, and its times; that cost grows linearly is in the benches.',
  seeds: [1, 2, 3, 4, 5],
  parts: [
    {
      id: 'untuned',
      says: 'on 2 of 3 tasks GAIS is at least .01 above random of equal size and at most .02 below all rows: the second best task’s margin',
      role: 'headline',
      rule: { of: 'second best margin', atLeast: 0 },
      reported: removed,
    },
    {
      id: 'tuned',
      says: 'the same when both GAIS and random have 36 tries on validation rows',
      role: 'headline',
      rule: { of: 'second best margin, tuned', atLeast: 0 },
      reported: removed,
    },
    ...(realTablesPresent()
      ? realNames.map((name) => ({
          id: name,
          says: `the same on ${name}: the margin`,
          role: 'headline' as const,
          rule: { of: `${name}: margin`, atLeast: 0 },
          reported: removed,
        }))
      : []),
    ...generated.map((name) => ({
      id: `random-${name}`,
      says: `${name}: GAIS is at least .01 above stratified random of equal size`,
      role: 'control' as const,
      rule: { of: `${name}: attention high`, over: `${name}: stratified random`, atLeast: 0.01 },
    })),
    {
      id: 'k-means',
      says: 'GAIS is at least .01 above k-means in each class, mean of the three tasks',
      role: 'control',
      rule: { of: 'all: attention high', over: 'all: k-means', atLeast: 0.01 },
    },
    {
      id: 'degree',
      says: 'attention tells at least .01 more than the degrees of the graph alone, mean of the three tasks',
      role: 'control',
      rule: { of: 'all: attention high', over: 'all: degree baseline', atLeast: 0.01 },
    },
    {
      id: 'order',
      says: 'high attention is worth more than low by at least .01, mean of the three tasks',
      role: 'control',
      rule: { of: 'all: attention high', over: 'all: attention low', atLeast: 0.01 },
    },
    {
      id: 'not-easy',
      says: 'the tasks are not so easy that any 4% will do: all rows are at least .02 above random on the easiest',
      role: 'control',
      rule: { of: 'least lost by random', atLeast: 0.02 },
    },
    {
      id: 'product',
      says: 'by accuracy times reduction, a usual figure, GAIS passes CNN at its own size on moons',
      role: 'refutation',
      rule: { of: 'moons: GAIS, accuracy × reduction', over: 'moons: CNN, accuracy × reduction', atLeast: 0 },
    },
    {
      id: 'product-random',
      says: '… and so does random: the figure rewards removing alone',
      role: 'refutation',
      rule: { of: 'moons: random, accuracy × reduction', over: 'moons: CNN, accuracy × reduction', atLeast: 0 },
    },
    {
      id: 'best-by-test',
      says: 'with score and order chosen on the test rows, GAIS is above random on the mean of the three tasks',
      role: 'refutation',
      rule: { of: 'all: best of four by test', over: 'all: stratified random', atLeast: 0 },
    },
  ],
  async measure(run) {
    const made = { moons, hypercube, blobs };
    const tasks = Object.entries(made).map(([name, make]) => {
      const random = run.random(name);
      return taskOf(name, make(Math.round(trainRows / 0.625), random), random);
    });
    if (realTablesPresent()) {
      for (const name of realNames) tasks.push(taskOf(name, await real(name, run), run.random(name)));
    }
    const taken: Record<string, number> = {};
    for (const task of tasks) {
      const { name, train, test } = task;
      const count = Math.round(share * train.y.length);
      for (const [arm, subsets] of await selections(task, count, run)) {
        const found: (readonly number[])[] = [];
        for (const subset of subsets) found.push(await accuracies(train, subset, test, run));
        taken[`${name}: ${arm}`] = meanOf(found.map((of) => of[overall]));
        if (['full', 'stratified random', 'k-means', 'attention high'].includes(arm)) {
          classifiers.forEach((classifier, c) => {
            taken[`${name}, ${classifier}: ${arm}`] = meanOf(found.map((of) => of[c]));
          });
        }
        if (arm.endsWith('own size')) taken[`${name}: ${arm}, share kept`] = subsets[0].length / train.y.length;
        await run.breathe();
      }
      const full = taken[`${name}: full`];
      taken[`${name}: margin`] = margin(taken[`${name}: attention high`], taken[`${name}: stratified random`], full);
      taken[`${name}: best of four by test`] = Math.max(
        ...['attention high', 'attention low', 'confidence high', 'confidence low'].map(
          (arm) => taken[`${name}: ${arm}`],
        ),
      );
      if (!generated.includes(name)) continue;
      const best = await tuned(task, count, run);
      taken[`${name}: GAIS tuned`] = best.gais;
      taken[`${name}: random tuned`] = best.random;
      taken[`${name}: margin, tuned`] = margin(best.gais, best.random, full);
    }
    const over = (what: string) => generated.map((name) => taken[`${name}: ${what}`]);
    const cnn = 'moons: CNN at its own size';
    return {
      'second best margin': middle(over('margin')),
      'second best margin, tuned': middle(over('margin, tuned')),
      'least lost by random': Math.min(...over('full').map((full, t) => full - over('stratified random')[t])),
      ...Object.fromEntries(
        [
          'attention high',
          'attention low',
          'degree baseline',
          'stratified random',
          'k-means',
          'best of four by test',
        ].map((arm) => [`all: ${arm}`, meanOf(over(arm))]),
      ),
      'moons: GAIS, accuracy × reduction': taken['moons: attention high'] * (1 - share),
      'moons: random, accuracy × reduction': taken['moons: stratified random'] * (1 - share),
      'moons: CNN, accuracy × reduction': taken[cnn] * (1 - taken[`${cnn}, share kept`]),
      ...taken,
    };
  },
});
