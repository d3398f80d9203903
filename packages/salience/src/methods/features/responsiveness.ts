/**
 * @file Responsiveness scores (Cheon, Wernerfelt, Friedler & Ustun 2024, arXiv:2410.22598): how many of the changes that somebody who was
 * denied may make to one feature would turn the decision.
 *
 *   μ_j(x) = |{ x' ∈ R_j(x) : h(x') = wanted }| / |R_j(x)|
 *
 * R_j(x) are the points reached by changing feature j within the action set, others only where a constraint makes them follow. Reasons are
 * the features with the highest scores above 0; SHAP and LIME show features as reasons whether or not changing them changes anything.
 */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import { type ActionSet, objection } from '../../numerics/actions/action-set.ts';
import { type Recourse, recourseOf } from '../../numerics/actions/recourse.ts';
import {
  type Decision,
  type Look,
  type Stopping,
  scorePeople,
  threeLooks,
} from '../../numerics/actions/score-people.ts';
import { lime, limeSpace } from '../../numerics/explanation/lime.ts';
import { permutationShapley } from '../../numerics/shapley/permutation.ts';
import { interventional, singles } from '../../numerics/shapley/value-function.ts';
import { hoeffdingDraws } from '../../numerics/statistics/binomial-interval.ts';
import { actionSetFor } from '../../subjects/action-set/action-set-of.ts';
import { blackBoxFor, modelParams } from '../../subjects/table/black-box-of.ts';
import { table as tableSubject } from '../../subjects/table/subject.ts';
import { rowsOf, type Table } from '../../subjects/table/table.ts';
import { type Chosen, introduction, reportOfAll, reportOfOne } from './responsiveness.report.ts';

export { actionAware, type ReasonQuality, reasonQuality, topReasons } from '../../numerics/actions/reasons.ts';

/** SHAP and LIME values of one person's features. */
export interface RivalValues {
  readonly shap: Float64Array;
  readonly lime: Float64Array;
}

/**
 * What the rivals say of people: SHAP values over random orders against a background, and LIME's coefficients without discretisation.
 * @param people row-major, shape [n · columns].
 * @param background rows that stand for what is usual, row-major.
 */
export async function rivalValues(
  { columns }: Table,
  decide: Decision,
  people: Float64Array,
  { background, around, orders, samples }: RivalOptions,
  random: Random,
  pause?: (done: number) => Promise<void>,
): Promise<RivalValues[]> {
  const d = columns.length;
  const space = limeSpace(
    around,
    d,
    columns.map(({ kind }) => kind === 'categorical'),
  );
  const found: RivalValues[] = [];
  for (let i = 0; i < people.length / d; i++) {
    const x = people.subarray(i * d, (i + 1) * d);
    const value = interventional(decide, { rows: background, columns: d }, x, singles(d));
    const shap = await permutationShapley(value, d, { orders, random: random.stream(`shap/${i}`) });
    const local = await lime(decide, x, space, { samples, random: random.stream(`lime/${i}`) });
    found.push({ shap: shap.values, lime: local.weights });
    await pause?.(i + 1);
  }
  return found;
}

export interface RivalOptions {
  readonly background: Float64Array;
  /** Rows whose means and deviations LIME draws around. */
  readonly around: Float64Array;
  readonly orders: number;
  readonly samples: number;
}

/** How the rivals are asked for a report: fewer orders than their papers would take, which moves ranks but hardly reasons. */
const rivals = { backgroundRows: 50, orders: 10, samples: 1000 };

const params = z.object({
  ...modelParams.shape,
  actions: z
    .string()
    .optional()
    .describe('file that says what people may change; default: all, within the values of each column'),
  threshold: z.number().default(0.5).describe('a prediction of this or more is the wanted decision'),
  row: z.int().min(0).optional().describe('number of one row, from 0, to be explained alone'),
  people: z
    .int()
    .min(1)
    .default(100)
    .describe('denied people among the rows to test on that are scored, the first ones'),
  reasons: z.int().min(1).default(4).describe('features shown to a person as reasons, at the most'),
  method: z
    .enum(['auto', 'enumerate', 'sample'])
    .default('auto')
    .describe('all interventions, draws of them, or all where they are no more than there would be draws'),
  tolerance: z.number().gt(0).lt(1).default(0.02).describe('how far a sampled score’s interval may reach from it'),
  delta: z.number().gt(0).lt(1).default(0.05).describe('probability that an interval misses the score'),
  sampling: z
    .enum(['looks', 'hoeffding'])
    .default('looks')
    .describe(
      'draws until an exact interval is within the tolerance, in three looks, or as many as Hoeffding’s inequality asks for',
    ),
  draws: z.int().min(1).optional().describe('draws for each person and feature, in place of a tolerance'),
  weighting: z
    .enum(['points', 'actions'])
    .default('points')
    .describe('a change with several completions counts as each of them, or as the cheapest'),
  cap: z.int().min(1).default(200_000).describe('steps to enumerate features that are tied together, at the most'),
  points: z
    .int()
    .min(1)
    .default(20_000)
    .describe('reachable points looked at for each person without a reason, at the most'),
  compare: z.boolean().default(true).describe('whether SHAP and LIME reasons are judged too'),
});

export const responsiveness = method({
  id: 'responsiveness',
  name: 'Responsiveness scores',
  source: 'arXiv:2410.22598',
  summary: 'Scores a feature by how many of its allowed changes would turn a rejected person into an accepted one.',
  unit: 'feature',
  subject: tableSubject,
  formula: 'μ_j(x) = |{x′ ∈ R_j(x): h(x′) = wanted}| / |R_j(x)|, mean over denied people',
  cost: 'interventions · features · people predictions; by sampling ln(2/δ) / 2ε² a feature',
  params,
  async score(of, given, run) {
    const box = await blackBoxFor(of, given, run);
    const set = await actionSetFor(of, given.actions);
    const decide: Decision = (rows) => box.predict(rows);
    const chosen = await choosePeople(of, set, decide, given, run);
    const people = rowsOf(of, chosen.rows);
    const sampling = samplingOf(given);
    const options = { ...given, sampling, batch: 16_384 };
    const paused = pauses(run);
    const n = chosen.rows.length;
    const scored = await scorePeople(set, people, decide, options, run.random('responsiveness'), (done) =>
      paused('interventions', done, n),
    );
    const d = of.columns.length;
    const recourse: (Recourse | undefined)[] = [];
    for (const [i, { scores }] of scored.entries()) {
      if (scores.some((score) => score > 0)) recourse.push(undefined);
      else {
        const x = people.subarray(i * d, (i + 1) * d);
        const options = { threshold: given.threshold, most: given.points, cap: given.cap };
        recourse.push(await recourseOf(set, x, decide, options, run.random(`reachable/${chosen.rows[i]}`)));
      }
      await paused('reachable sets', i + 1, n);
    }
    const others =
      given.compare && n > 0
        ? await rivalValues(of, decide, people, rivalOptions(of, run), run.random('rivals'), (done) =>
            paused('SHAP and LIME', done, n),
          )
        : [];
    const values = new Float32Array(d);
    for (const { scores } of scored) for (let j = 0; j < d; j++) values[j] += scores[j] / n;
    const about = { of, set, chosen, people, scored, recourse, others, given, sampling };
    return {
      unit: 'feature',
      values,
      labels: of.columns.map(({ name }) => name),
      findings: [
        { kind: 'text', text: introduction(about, box.name, box.positive) },
        ...(given.row !== undefined ? reportOfOne(about) : reportOfAll(about)),
      ],
    };
  },
});

/** How much is drawn: as many as asked for, as Hoeffding's inequality says, or in three looks. */
function samplingOf({ draws, sampling, tolerance, delta }: z.infer<typeof params>): Look | Stopping {
  if (draws !== undefined) return { draws, delta };
  return sampling === 'looks' ? threeLooks(tolerance, delta) : { draws: hoeffdingDraws(tolerance, delta), delta };
}

function rivalOptions(of: Table, run: Run): RivalOptions {
  const { backgroundRows, orders, samples } = rivals;
  const train = run.random('rivals/background').shuffle(Uint32Array.from(of.train));
  return {
    background: rowsOf(of, train.slice(0, backgroundRows)),
    around: rowsOf(of, of.train),
    orders,
    samples,
  };
}

function pauses(run: Run): (what: string, done: number, total: number) => Promise<void> {
  let last = performance.now();
  return async (what, done, total) => {
    run.check();
    if (performance.now() - last < 50) return;
    run.progress(what, done, total);
    await run.breathe();
    last = performance.now();
  };
}

/** The row asked for, or the first denied people among the rows to test on (those to train on where there are none). */
async function choosePeople(
  of: Table,
  set: ActionSet,
  decide: Decision,
  { row, people, threshold }: z.infer<typeof params>,
  run: Run,
): Promise<Chosen> {
  if (row !== undefined) {
    if (row >= of.rows) throw new ParameterError(`row ${row} is not there; ${of.name} has rows 0 to ${of.rows - 1}`);
    const why = objection(set, rowsOf(of, [row]), 'hold');
    if (why) throw new InputError(`row ${row} of ${of.name} cannot be acted from: ${why}`);
    return { rows: Uint32Array.of(row), tested: 1, denied: 1, passedOver: 0 };
  }
  const candidates = of.test.length > 0 ? of.test : of.train;
  const decisions = await decide(rowsOf(of, candidates));
  run.check();
  const denied = candidates.filter((_, i) => decisions[i] < threshold);
  const rows: number[] = [];
  let passedOver = 0;
  let first: string | undefined;
  for (const i of denied) {
    if (rows.length === people) break;
    const why = objection(set, rowsOf(of, [i]), 'hold');
    if (why) {
      passedOver++;
      first ??= `row ${i}: ${why}`;
    } else rows.push(i);
  }
  if (rows.length === 0 && passedOver > 0) {
    throw new InputError(`none of the ${passedOver} denied people of ${of.name} can be acted from; ${first}`);
  }
  return {
    rows: Uint32Array.from(rows),
    tested: candidates.length,
    denied: denied.length,
    passedOver,
    ...(first !== undefined && { why: first }),
  };
}
