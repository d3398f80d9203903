/**
 * @file The Shapley workflow (arXiv:2205.05907): models of a table compared, their features scored by Shapley values one by one and by groups
 * that go together, and the scores held against two other measures of importance and against forward selection.
 */

import { z } from 'zod';
import { bootstrapMean } from '../../core/bootstrap.ts';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
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
import { blackBoxFor, modelParams, type TableModel } from '../../subjects/table/black-box-of.ts';
import { backgroundOf, outcomesOf, rowsToExplain } from '../../subjects/table/explained-rows.ts';
import { trainingTargets } from '../../subjects/table/labelled-inputs.ts';
import { outputOf, shapleySwarm, shapleyWaterfall } from '../../subjects/table/shapley-charts.ts';
import { meanSizes, shapleyOf } from '../../subjects/table/shapley-of.ts';
import { table } from '../../subjects/table/subject.ts';
import { type Column, rowsOf, type Table } from '../../subjects/table/table.ts';
import {
  agreements,
  aspectsTable,
  importances,
  inWords,
  type Measured,
  performance,
  remarks,
  type Selection,
  selectionBlocks,
} from './shapley-workflow.report.ts';

export { type Agreement, agreement } from '../../numerics/statistics/agreement.ts';

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

/** The correlation of a feature's values with its Shapley values over rows where it is there: its sign is the direction of effect. */
export function direction(x: ArrayLike<number>, values: ArrayLike<number>): number | null {
  const there = Array.from({ length: x.length }, (_, r) => r).filter((r) => Number.isFinite(x[r]));
  if (there.length < 2) return null;
  const found = pearson(
    there.map((r) => x[r]),
    there.map((r) => values[r]),
  );
  return Number.isNaN(found) ? null : found;
}

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
        ...remarks(given, of, params.background, indices.length),
        performance(measured),
        shapleySwarm(of, own.shapley, indices, own.sizes, outputOf(own.model, own.shapley)),
        shapleyWaterfall(of, own.shapley, indices, 0, outputOf(own.model, own.shapley)),
        importances(names, own, directions, aspectOf, aspectNames),
        agreements(measured),
        aspectsTable(aspectNames, aspects, aspectSizes, own.sizes),
        ...(selection ? selectionBlocks(selection) : []),
      ],
    };
  },
});

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
  return {
    always: always.map((c) => names[c]),
    picked: columns.map((c) => names[c]),
    qualities,
    candidates: candidates.length,
    all: mean(withAll),
    own: mean(withFew),
    difference,
  };
}
