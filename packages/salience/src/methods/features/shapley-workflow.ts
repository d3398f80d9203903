/**
 * @file The Shapley workflow (arXiv:2205.05907): models of a table compared, their features scored by Shapley values one by one and by groups
 * that go together, and the scores held against two other measures of importance and against forward selection.
 */

import { z } from 'zod';
import { bootstrapMean } from '../../core/bootstrap.ts';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Block, Cell } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import { aspectsOf, dependenciesOf } from '../../numerics/clustering/aspects.ts';
import {
  jointShuffles,
  permutationEffects,
  permutationLosses,
} from '../../numerics/importance/permutation-importance.ts';
import { stratifiedSplit } from '../../numerics/sampling/folds.ts';
import { singles } from '../../numerics/shapley/value-function.ts';
import { pearson } from '../../numerics/statistics/correlation.ts';
import { spearman } from '../../numerics/statistics/rank-correlation.ts';
import { blackBoxFor, modelParams, type TableModel } from '../../subjects/table/black-box-of.ts';
import { backgroundOf, outcomesOf, rowsToExplain } from '../../subjects/table/explained-rows.ts';
import { trainingTargets } from '../../subjects/table/labelled-inputs.ts';
import { outputOf, shapleySwarm, shapleyWaterfall } from '../../subjects/table/shapley-charts.ts';
import { meanSizes, shapleyOf } from '../../subjects/table/shapley-of.ts';
import { table } from '../../subjects/table/subject.ts';
import { type Column, rowsOf, type Table } from '../../subjects/table/table.ts';

export interface Selected {
  /** In the order they were added. */
  readonly columns: readonly number[];
  /** The quality with each of them and all before it. */
  readonly qualities: readonly number[];
}

/**
 * Forward selection: the candidate that makes the quality best is added, as long as it becomes strictly better (from 0); the lower
 * column of equals. So it stops at the first plateau.
 * @param quality how good a model of these columns is on rows it did not see.
 */
export async function forwardSelection(
  candidates: readonly number[],
  quality: (columns: readonly number[]) => Promise<number>,
): Promise<Selected> {
  const columns: number[] = [];
  const qualities: number[] = [];
  for (let best = 0; columns.length < candidates.length; ) {
    let added = -1;
    for (const c of candidates) {
      if (columns.includes(c)) continue;
      const now = await quality([...columns, c]);
      if (now > best) {
        best = now;
        added = c;
      }
    }
    if (added < 0) break;
    columns.push(added);
    qualities.push(best);
  }
  return { columns, qualities };
}

/** How two importances of the same features agree; null where a correlation is undefined. */
export interface Agreement {
  readonly pearson: number | null;
  readonly spearman: number | null;
  /** Spearman's without the feature that the first ranks highest, which alone can carry a correlation. */
  readonly withoutTop: number | null;
}

/** Pearson's and Spearman's correlation of two importances, shape [features] each. */
export function agreement(a: ArrayLike<number>, b: ArrayLike<number>): Agreement {
  let top = 0;
  for (let i = 1; i < a.length; i++) if (a[i] > a[top]) top = i;
  const rest = (x: ArrayLike<number>) => Array.from(x).toSpliced(top, 1);
  return {
    pearson: defined(pearson(a, b)),
    spearman: defined(spearman(a, b)),
    withoutTop: defined(spearman(rest(a), rest(b))),
  };
}

/** The correlation of a feature's values with its Shapley values over rows where it is there: its sign is the direction of effect. */
export function direction(x: ArrayLike<number>, values: ArrayLike<number>): number | null {
  const there = Array.from({ length: x.length }, (_, r) => r).filter((r) => Number.isFinite(x[r]));
  if (there.length < 2) return null;
  return defined(
    pearson(
      there.map((r) => x[r]),
      there.map((r) => values[r]),
    ),
  );
}

const defined = (value: number) => (Number.isNaN(value) ? null : value);

const params = z.object({
  ...modelParams.shape,
  model: modelParams.shape.model
    .unwrap()
    .default('forest')
    .describe('the model whose Shapley values are the scores; as for shap'),
  compare: z
    .string()
    .default('tree,logistic,forest,boosting')
    .describe('models it is compared with, joined by commas; empty for none'),
  level: z
    .enum(['feature', 'aspect'])
    .default('feature')
    .describe(
      'feature: each by its own value; aspect: features that go together share the value of their group evenly',
    ),
  rows: z.int().positive().default(50).describe('rows explained at the most, drawn by the seed from those to test on'),
  background: z
    .int()
    .positive()
    .default(100)
    .describe('training rows that stand for what is usual; the paper takes all'),
  way: z.enum(['auto', 'kernel', 'permutation']).default('auto').describe('as for shap; the paper has kernel'),
  samples: z
    .int()
    .positive()
    .default(1000)
    .describe('coalitions of the kernel where it cannot have all; 2 a feature or more'),
  orders: z.int().positive().default(20).describe('orders of permutation sampling'),
  h: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('dependency that every two features of an aspect have: |Spearman|, with categories Cramér’s V or η²'),
  aspectOrders: z.int().positive().default(25).describe('orders of the aspects, for models that are not trees'),
  aspectRows: z
    .int()
    .positive()
    .default(1000)
    .describe('training rows that stand for what is usual where aspects are valued'),
  permRepeats: z.int().positive().default(10).describe('shuffles of permutation importance'),
  permMetric: z
    .enum(['logLoss', 'accuracy', 'auroc'])
    .default('logLoss')
    .describe('what permutation importance is measured in'),
  select: z
    .string()
    .default('all')
    .describe(
      'columns that forward selection chooses from, joined by commas; the others are always in; none leaves it out',
    ),
  ffsSplit: z.number().gt(0).lt(1).default(0.8).describe('share of the training rows that forward selection trains on'),
  ffsSeed: z.int().min(0).default(101).describe('seed of that split'),
});
type Params = z.infer<typeof params>;

export const shapleyWorkflow = method({
  id: 'shapley-workflow',
  name: 'Shapley workflow',
  source: 'arXiv:2205.05907',
  summary:
    'Scores features by Shapley values of a model, and reports models, groups of features, other importances and a selection beside them.',
  unit: 'feature',
  subject: table,
  formula:
    's_j = mean over test rows of |φ_j|, φ the Shapley values of P(class); aspects: the same with groups of |Spearman| ≥ h as players',
  cost: 'a training and a set of Shapley values a model; forward selection trains up to features²/2 more',
  params,
  async score(given, params, run) {
    checkTarget(given, params.positive);
    const { of, kept } = prepared(given);
    const d = of.columns.length;
    const names = of.columns.map(({ name }) => name);
    const indices = rowsToExplain(of, -1, params.rows, run);
    const rows = rowsOf(of, indices);
    const background = backgroundOf(of, params.background, run);
    const asked = params.compare.split(',').filter((name) => name !== '');
    const wanted = [params.model, ...asked.filter((name) => name !== params.model)];
    const measured: Measured[] = [];
    for (const name of wanted) {
      run.log(`${of.name}: ${name}`);
      const model = await blackBoxFor(of, { ...params, model: name }, run);
      const shapley = await shapleyOf(model, rows, background, singles(d), params, run);
      const sizes = meanSizes(shapley.values, d);
      measured.push({
        model,
        shapley,
        sizes,
        natural: naturalImportance(model, d),
        shuffled: await shuffled(of, model, params, run),
      });
    }
    const [own] = measured;

    const aspects = aspectsOf(dependenciesOf(rowsOf(of, of.train), d, of.columns.map(unordered)), d, params.h);
    const isTree = own.model.fitted?.trees !== undefined && own.model.fitted.treesGive !== 'margin';
    const ofAspects = await shapleyOf(
      own.model,
      rows,
      backgroundOf(of, params.aspectRows, run),
      aspects,
      { way: isTree ? 'tree' : 'permutation', samples: params.samples, orders: params.aspectOrders },
      run,
    );
    const aspectSizes = meanSizes(ofAspects.values, aspects.length);
    const aspectOf = new Int32Array(d);
    aspects.forEach((columns, a) => {
      for (const c of columns) aspectOf[c] = a;
    });
    const directions = names.map((_, c) =>
      direction(
        Array.from(indices, (row) => of.columns[c].values[row]),
        Array.from(indices, (_, r) => own.shapley.values[r * d + c]),
      ),
    );
    const selection = await selected(of, params, run);

    const scores = new Float32Array(given.columns.length);
    kept.forEach((at, c) => {
      scores[at] = params.level === 'feature' ? own.sizes[c] : aspectSizes[aspectOf[c]] / aspects[aspectOf[c]].length;
    });
    const aspectNames = aspects.map((columns) => columns.map((c) => names[c]).join(' + '));
    return {
      unit: 'feature',
      values: scores,
      labels: given.columns.map(({ name }) => name),
      findings: [
        { kind: 'text', text: inWords({ of, measured, directions, aspects, names, selection, rows: indices.length }) },
        ...remarks(given, of, params, indices.length),
        performance(measured),
        shapleySwarm(of, own.shapley, indices, own.sizes, outputOf(own.model, own.shapley)),
        shapleyWaterfall(of, own.shapley, indices, 0, outputOf(own.model, own.shapley)),
        importances(names, own, directions, aspectOf, aspectNames),
        agreements(measured),
        {
          kind: 'table',
          columns: ['aspect', 'features', 'mean |Shapley value|', 'sum of its features’'],
          rows: aspectNames.map((name, a) => [
            name,
            aspects[a].length,
            four(aspectSizes[a]),
            four(aspects[a].reduce((sum, c) => sum + own.sizes[c], 0)),
          ]),
        },
        ...(selection ? selection.blocks : []),
      ],
    };
  },
});

interface Measured {
  readonly model: TableModel;
  readonly shapley: Awaited<ReturnType<typeof shapleyOf>>;
  /** Mean |Shapley value|, shape [features]. */
  readonly sizes: Float64Array;
  /** The model's own importance, where it has one. */
  readonly natural: Float64Array | undefined;
  /** Permutation importance. */
  readonly shuffled: Float64Array;
}

/** Refuses a target that is not of two classes, and rows to test on that are of one. */
function checkTarget(table: Table, positive: string | undefined): void {
  trainingTargets(table, 'shapley-workflow');
  const { name, test, train, columns } = table;
  const target = table.target!;
  if (!target.levels) throw new InputError(`${name}: the target ${target.name} is a value; this needs two classes`);
  if (target.levels.length !== 2 && positive === undefined) {
    throw new InputError(
      `${name}: the target ${target.name} has ${target.levels.length} classes; this needs two, or one against the others (--positive)`,
    );
  }
  if (test.length === 0)
    throw new InputError(`${name}: there is no row to test on; set the share of test rows above 0`);
  const classes = new Set(Array.from(test, (row) => target.values[row]));
  if (classes.size < 2) throw new InputError(`${name}: the rows to test on are all of one class of ${target.name}`);
  for (const column of columns) {
    const there = (rows: Uint32Array) => rows.some((row) => Number.isFinite(column.values[row]));
    if (there(train) && !there(test)) {
      throw new InputError(
        `${name}: column ${column.name} has no value in any row to test on, and has some to train on`,
      );
    }
  }
}

/** The table with infinite values as missing, without columns that training rows have nothing of; `kept` says which stay. */
function prepared(given: Table): { of: Table; kept: number[] } {
  const finite = given.columns.map((column) => ({
    ...column,
    values: column.values.map((value) => (Number.isFinite(value) ? value : Number.NaN)),
  }));
  const kept = finite.map((_, c) => c).filter((c) => given.train.some((row) => !Number.isNaN(finite[c].values[row])));
  if (kept.length === 0) throw new InputError(`${given.name}: no column has a value in a row to train on`);
  return { of: { ...given, columns: kept.map((c) => finite[c]) }, kept };
}

/** The model's own importance of each column of the table: what its columns of the design add up to. */
function naturalImportance({ fitted, design }: TableModel, columns: number): Float64Array | undefined {
  if (!fitted?.importance || !design) return undefined;
  const sums = new Float64Array(columns);
  fitted.importance.forEach((value, k) => {
    sums[design.from[k]] += value;
  });
  return sums;
}

async function shuffled(of: Table, model: TableModel, params: Params, run: Run): Promise<Float64Array> {
  const d = of.columns.length;
  // The same shuffles for every model.
  const shuffles = jointShuffles(of.test.length, params.permRepeats, run.random('permutation importance'));
  const { effects } = await permutationEffects(
    (x) => model.predict(x),
    { rows: rowsOf(of, of.test), columns: d },
    outcomesOf(of, of.test, model.positive),
    permutationLosses[params.permMetric].loss,
    singles(d),
    shuffles,
  );
  return effects;
}

/** Whether a column is of categories without an order; two have one. */
const unordered = ({ kind, levels }: Column) => kind === 'categorical' && (levels?.length ?? 0) > 2;

interface Selection {
  readonly columns: readonly string[];
  readonly all: number;
  readonly own: number;
  readonly blocks: readonly Block[];
}

/** Forward selection on a part of the training rows, and its model beside that of all columns on the rows to test on. */
async function selected(of: Table, params: Params, run: Run): Promise<Selection | undefined> {
  if (params.select === 'none') return undefined;
  const names = of.columns.map(({ name }) => name);
  const candidates =
    params.select === 'all'
      ? names.map((_, c) => c)
      : params.select.split(',').map((name) => {
          const c = names.indexOf(name);
          if (c < 0) throw new ParameterError(`select names a column "${name}"; ${of.name} has ${names.join(', ')}`);
          return c;
        });
  if (/^https?:|\.onnx$/i.test(params.model)) return undefined; // it cannot be trained on fewer columns
  const always = names.map((_, c) => c).filter((c) => !candidates.includes(c));
  const classes = Array.from(of.train, (row) => of.target!.values[row]);
  const { train, test } = stratifiedSplit(
    classes,
    1 - params.ffsSplit,
    run.withSeed(params.ffsSeed).random('selection'),
  );
  const part: Table = {
    ...of,
    train: Uint32Array.from(train, (i) => of.train[i]),
    test: Uint32Array.from(test, (i) => of.train[i]),
  };
  const only = (from: Table, columns: readonly number[]): Table => ({
    ...from,
    columns: [...columns].sort((a, b) => a - b).map((c) => of.columns[c]),
  });
  let tried = 0;
  const { columns, qualities } = await forwardSelection(candidates, async (now) => {
    run.progress('forward selection', tried++);
    await run.breathe();
    const { quality } = await blackBoxFor(only(part, [...now, ...always]), params, run);
    return quality!.accuracy;
  });
  const right = async (from: Table) => {
    const model = await blackBoxFor(from, params, run);
    const y = outcomesOf(from, from.test, model.positive);
    const p = await model.predict(rowsOf(from, from.test));
    return Array.from(y, (v, i) => Number((p[i] > 0.5 ? 1 : 0) === v));
  };
  const withAll = await right(of);
  const withFew = await right(only(of, [...columns, ...always]));
  const difference = bootstrapMean(
    withAll.map((v, i) => v - withFew[i]),
    run.random('selection interval'),
  );
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const picked = columns.map((c) => names[c]);
  return {
    columns: [...always.map((c) => names[c]), ...picked],
    all: mean(withAll),
    own: mean(withFew),
    blocks: [
      {
        kind: 'table',
        columns: ['forward selection', 'accuracy on rows held back'],
        rows: picked.map((name, k) => [`+ ${name}`, four(qualities[k])]),
      },
      {
        kind: 'text',
        text:
          `With these ${picked.length} of ${candidates.length}${always.length > 0 ? ` and ${always.length} that are always in` : ''} the accuracy on the rows to test on is ` +
          `${percent(mean(withFew))}, with all ${percent(mean(withAll))}; all over these: ${points(difference.mean)} (95% paired bootstrap ${points(difference.low)} to ${points(difference.high)}).`,
      },
    ],
  };
}

const four = (x: number) => Number(x.toPrecision(4));
const cell = (x: number | null | undefined): Cell =>
  x === null || x === undefined ? 'undefined' : Number(x.toFixed(2));
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const points = (share: number) => `${(100 * share).toFixed(1)} points`;

function performance(measured: readonly Measured[]): Block {
  const kinds = Object.keys(measured[0].model.quality!);
  return {
    kind: 'table',
    columns: ['model, on the rows to test on', ...kinds],
    rows: measured.map(({ model }) => [model.name, ...kinds.map((kind) => four(model.quality![kind]))]),
  };
}

function importances(
  names: readonly string[],
  { sizes, natural, shuffled }: Measured,
  directions: readonly (number | null)[],
  aspectOf: Int32Array,
  aspectNames: readonly string[],
): Block {
  const order = names.map((_, c) => c).sort((i, j) => sizes[j] - sizes[i] || i - j);
  return {
    kind: 'table',
    columns: ['feature', 'mean |Shapley value|', 'direction', 'own importance', 'permutation importance', 'aspect'],
    rows: order.map((c) => [
      names[c],
      four(sizes[c]),
      cell(directions[c]),
      natural ? four(natural[c]) : 'none',
      four(shuffled[c]),
      aspectNames[aspectOf[c]],
    ]),
  };
}

function agreements(measured: readonly Measured[]): Block {
  return {
    kind: 'table',
    columns: ['model: mean |Shapley value| with', 'Pearson', 'Spearman', 'Spearman without the top feature'],
    rows: measured.flatMap(({ model, sizes, natural, shuffled }) =>
      [
        { name: 'permutation importance', with: shuffled },
        { name: 'its own importance', with: natural },
      ].map(({ name, with: other }): Cell[] => {
        if (!other) return [`${model.name}: ${name}`, 'none', 'none', 'none'];
        const { pearson: p, spearman: s, withoutTop } = agreement(sizes, other);
        return [`${model.name}: ${name}`, cell(p), cell(s), cell(withoutTop)];
      }),
    ),
  };
}

function remarks(given: Table, of: Table, { background }: Params, rows: number): Block[] {
  const texts: string[] = [];
  const gone = given.columns.filter(({ name }) => !of.columns.some((column) => column.name === name));
  if (gone.length > 0) {
    texts.push(`Without a value to train on, left out with score 0: ${gone.map(({ name }) => name).join(', ')}.`);
  }
  texts.push(
    `${rows} of ${of.test.length} rows to test on are explained, against ${Math.min(background, of.train.length)} of ${of.train.length} training rows.`,
  );
  return texts.map((text) => ({ kind: 'text', text }));
}

/** The report in a few sentences for somebody who reads no tables. */
function inWords({
  of,
  measured,
  directions,
  aspects,
  names,
  selection,
  rows,
}: {
  readonly of: Table;
  readonly measured: readonly Measured[];
  readonly directions: readonly (number | null)[];
  readonly aspects: readonly (readonly number[])[];
  readonly names: readonly string[];
  readonly selection: Selection | undefined;
  readonly rows: number;
}): string {
  const [own, ...others] = measured;
  const outcome = `${of.target!.name} is ${own.model.positive}`;
  const hundred = (share: number) => `${Math.round(100 * share)} of 100`;
  const top = names
    .map((_, c) => c)
    .sort((i, j) => own.sizes[j] - own.sizes[i] || i - j)
    .slice(0, 5)
    .filter((c) => own.sizes[c] > 0);
  const effect = (c: number) => {
    const found = directions[c];
    if (of.columns[c].kind === 'categorical' || found === null || Math.abs(found) < 0.3)
      return `${names[c]} (either way)`;
    return `${names[c]} (higher values ${found > 0 ? 'raise' : 'lower'} it)`;
  };
  const usual = Math.max(
    ...(of.target!.levels ?? []).map(
      (_, k) => of.test.filter((row) => of.target!.values[row] === k).length / of.test.length,
    ),
  );
  const together = aspects.filter((columns) => columns.length > 1);
  const agreed = agreement(own.sizes, own.shuffled).spearman;
  const strength =
    agreed === null
      ? undefined
      : agreed >= 0.7
        ? 'agree strongly'
        : agreed >= 0.5
          ? 'agree moderately'
          : agreed >= 0.3
            ? 'agree weakly'
            : 'do not agree';
  return [
    `The ${own.model.name} tells rightly for ${hundred(own.model.quality!.accuracy)} new cases whether ${outcome}; always naming the commoner class would be right for ${hundred(usual)}` +
      (others.length > 0
        ? `, ${others.map(({ model }) => `${model.name} for ${Math.round(100 * model.quality!.accuracy)}`).join(', ')}.`
        : '.'),
    top.length > 0
      ? `Over ${rows} cases, what moves its probability that ${outcome} most: ${top.map(effect).join(', ')}.`
      : 'No feature moves its answers.',
    together.length > 0
      ? `These go up and down together, so that what one of them gets may be due to another: ${together.map((columns) => columns.map((c) => names[c]).join(', ')).join('; ')}.`
      : 'No two features go together so closely that they should be read as one.',
    strength === undefined
      ? ''
      : `Shapley values and the loss from shuffling a feature ${strength} about what matters (Spearman ${agreed!.toFixed(2)})${strength.endsWith('strongly') ? '' : '; read the order of the lesser features with care'}.`,
    selection
      ? `With ${selection.columns.length} of the ${names.length} features (${selection.columns.join(', ')}) it would be right for ${hundred(selection.own)}.`
      : '',
    'All this says what the model goes by, not what causes what.',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}
