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
import type { Block, Cell } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import { type ActionSet, objection } from '../../numerics/actions/action-set.ts';
import { changeBounds } from '../../numerics/actions/element.ts';
import { type Recourse, recourseOf } from '../../numerics/actions/recourse.ts';
import {
  type Decision,
  type FeatureScore,
  type Look,
  type PersonScores,
  type Stopping,
  scorePeople,
  threeLooks,
} from '../../numerics/actions/score-people.ts';
import { lime, limeSpace } from '../../numerics/explanation/lime.ts';
import { permutationShapley } from '../../numerics/shapley/permutation.ts';
import { interventional, singles } from '../../numerics/shapley/value-function.ts';
import { hoeffdingDraws, hoeffdingHalfWidth } from '../../numerics/statistics/binomial-interval.ts';
import { actionSetFor } from '../../subjects/action-set/action-set-of.ts';
import { blackBoxFor, modelParams } from '../../subjects/table/black-box-of.ts';
import { table as tableSubject } from '../../subjects/table/subject.ts';
import { type Column, rowsOf, type Table } from '../../subjects/table/table.ts';

/**
 * The features shown as reasons: the `most` with the greatest |value|, ties to the lower feature, those with value 0 left out.
 * @param values one a feature; of features that cannot be changed 0, where an explanation is to be aware of actions.
 */
export function topReasons(values: ArrayLike<number>, most = 4): number[] {
  if (!(Number.isSafeInteger(most) && most >= 1)) throw new ParameterError(`${most} reasons: there must be 1 or more`);
  return Array.from(values, (_, j) => j)
    .sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b)
    .slice(0, most)
    .filter((j) => values[j] !== 0);
}

/** The same values with 0 for features that cannot be changed: the action-aware version of an explanation. */
export function actionAware(values: ArrayLike<number>, set: ActionSet): Float64Array {
  return Float64Array.from(values, (value, j) => (set.elements[j].actionable ? value : 0));
}

/** What the reasons shown to people are worth; shares of people, the four after the first among those with reasons. */
export interface ReasonQuality {
  /** At least one reason is shown. */
  readonly withReasons: number;
  /** No shown reason is responsive: reasons without recourse. */
  readonly allInvalid: number;
  readonly atLeast1Responsive: number;
  readonly allResponsive: number;
  readonly atLeast1Invalid: number;
  /** Mean number of reasons of people with reasons. */
  readonly meanReasons: number;
}

/**
 * Judges reasons by responsiveness: a reason is invalid if its score is 0. Shares among nobody are 0.
 * @param reasons features shown to each person.
 * @param scores responsiveness of each person's features, by whoever judges.
 */
export function reasonQuality(
  reasons: readonly (readonly number[])[],
  scores: readonly ArrayLike<number>[],
): ReasonQuality {
  const shown = reasons.flatMap((list, i) => (list.length > 0 ? [list.map((j) => scores[i][j] > 0)] : []));
  const share = (holds: (valid: readonly boolean[]) => boolean) =>
    shown.length === 0 ? 0 : shown.filter(holds).length / shown.length;
  return {
    withReasons: reasons.length === 0 ? 0 : shown.length / reasons.length,
    allInvalid: share((valid) => !valid.includes(true)),
    atLeast1Responsive: share((valid) => valid.includes(true)),
    allResponsive: share((valid) => !valid.includes(false)),
    atLeast1Invalid: share((valid) => valid.includes(false)),
    meanReasons: shown.length === 0 ? 0 : shown.reduce((sum, { length }) => sum + length, 0) / shown.length,
  };
}

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

interface Chosen {
  /** Row numbers of the people that are scored. */
  readonly rows: Uint32Array;
  /** How many rows there were to test on, and how many of them are denied. */
  readonly tested: number;
  readonly denied: number;
  /** Denied people passed over because they cannot be acted from, and why the first one cannot. */
  readonly passedOver: number;
  readonly why?: string;
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

interface About {
  readonly of: Table;
  readonly set: ActionSet;
  readonly chosen: Chosen;
  /** Row-major, shape [people · columns]. */
  readonly people: Float64Array;
  readonly scored: readonly PersonScores[];
  /** Of each person without a responsive feature. */
  readonly recourse: readonly (Recourse | undefined)[];
  /** One a person, or none where no comparison was asked for. */
  readonly others: readonly RivalValues[];
  readonly given: z.infer<typeof params>;
  readonly sampling: Look | Stopping;
}

const percent = (share: number) => `${Number((100 * share).toPrecision(3))}%`;
const two = (value: number) => String(Number(value.toFixed(3)));

/** A column's value as its file has it. */
function textOf({ levels }: Column, value: number): string {
  if (Number.isNaN(value)) return 'missing';
  return levels?.[value] ?? String(Number(value.toPrecision(6)));
}

function introduction({ of, set, chosen, scored, given, sampling }: About, model: string, positive?: string): string {
  const actionable = set.elements.filter((element) => element.actionable).length;
  const tied = set.parts.filter(({ features, movable }) => movable && features.length > 1).length;
  const features = scored.flatMap((person) => person.features);
  const sampled = features.filter(({ how }) => how === 'sampled').length;
  const byActions = features.filter(({ weighting }) => weighting === 'actions').length;
  const lines = [
    `${model}; wanted: ${positive === undefined ? `a prediction of ${given.threshold} or more` : `${of.target?.name ?? 'the target'} = ${positive}`}.`,
    `${actionable} of ${set.elements.length} features may change${tied > 0 ? `, some of them together in ${tied} ${tied === 1 ? 'group' : 'groups'}` : ''}.`,
  ];
  if (features.length > 0) {
    lines.push(
      sampled === 0
        ? `All ${features.length} scores are exact.`
        : `Of ${features.length} scores ${features.length - sampled} are exact and ${sampled} sampled, ${howSampled(sampling, given.delta)}.`,
    );
    const weighting =
      byActions === 0
        ? 'points'
        : byActions === features.length
          ? 'actions'
          : 'points, continua and large groups by actions';
    lines.push(`Changes with several completions are weighted by ${weighting}.`);
  }
  if (given.row === undefined) {
    lines.push(
      chosen.denied === 0
        ? `None of the ${chosen.tested} rows to test on is denied, so there is nobody to score.`
        : `${chosen.denied} of ${chosen.tested} rows to test on are denied; the first ${chosen.rows.length} are scored.`,
    );
  }
  if (chosen.passedOver > 0) {
    lines.push(
      `${chosen.passedOver} denied people were passed over because they cannot be acted from (${chosen.why}).`,
    );
  }
  return lines.join(' ');
}

function howSampled(sampling: Look | Stopping, delta: number): string {
  const level = percent(1 - delta);
  return 'looks' in sampling
    ? `each by ${sampling.looks[0].draws} to ${sampling.looks.at(-1)!.draws} draws until its ${level} interval (Clopper–Pearson) is within ±${sampling.tolerance}`
    : `each by ${sampling.draws} draws, within ±${two(hoeffdingHalfWidth(sampling.draws, delta))} with ${level} (Hoeffding); intervals shown are Clopper and Pearson’s`;
}

/** A feature's score in words: exact, or with its interval. */
function scoreText({ score, total, how, interval }: FeatureScore): string {
  if (total === 0 || how === 'exact') return two(score);
  return `${two(score)} (${two(interval.low)}–${two(interval.high)})`;
}

function reportOfOne({ of, set, chosen, people, scored, recourse, others, given }: About): Block[] {
  const [person] = scored;
  const [rival] = others;
  const byFeature = new Map(person.features.map((each) => [each.feature, each]));
  const reasons = topReasons(person.scores, given.reasons);
  const ranked = rival && { shap: topReasons(rival.shap, given.reasons), lime: topReasons(rival.lime, given.reasons) };
  const order = topReasons(
    person.scores.map((score) => score + 1),
    set.elements.length,
  );
  const rows = order.map((j): Cell[] => {
    const found = byFeature.get(j);
    const element = set.elements[j];
    const [low, high] = Number.isNaN(people[j]) ? [0, 0] : changeBounds(element, people[j]);
    const range =
      of.columns[j].kind === 'categorical' && element.actionable
        ? `${element.values?.length ?? 0} levels`
        : low === high
          ? 'stays'
          : `${two(low)} to ${two(high)}`;
    const interval = found && found.total > 0 && found.how === 'sampled' ? found.interval : undefined;
    return [
      element.name,
      textOf(of.columns[j], people[j]),
      range,
      found?.total ?? 0,
      found?.how ?? '',
      Number(two(person.scores[j])),
      interval ? `${two(interval.low)} to ${two(interval.high)}` : '',
      ...(rival ? [Number(rival.shap[j].toPrecision(3)), Number(rival.lime[j].toPrecision(3))] : []),
    ];
  });
  const without = ranked
    ? (['shap', 'lime'] as const).flatMap((which) => {
        const empty = ranked[which].filter((j) => person.scores[j] === 0).map((j) => set.elements[j].name);
        return empty.length > 0
          ? [
              `${which.toUpperCase()} shows reasons without recourse: ${empty.join(', ')} (of ${ranked[which].map((j) => set.elements[j].name).join(', ')}).`,
            ]
          : [];
      })
    : [];
  const d = of.columns.length;
  return [
    {
      kind: 'text',
      text: [
        reasons.length > 0
          ? `Row ${chosen.rows[0]}: reasons are ${reasons.map((j) => `${set.elements[j].name} ${scoreText(byFeature.get(j)!)}`).join(', ')}.`
          : `Row ${chosen.rows[0]}: no change of one feature reaches the wanted decision. ${recourseText(recourse[0], of, people.subarray(0, d))}`,
        ...without,
      ].join(' '),
    },
    {
      kind: 'table',
      columns: [
        'feature',
        'value',
        'may change by',
        'changes',
        'how',
        'score',
        'interval',
        ...(rival ? ['SHAP', 'LIME'] : []),
      ],
      rows,
    },
  ];
}

function recourseText(recourse: Recourse | undefined, { columns }: Table, x: ArrayLike<number>): string {
  if (!recourse) return '';
  if (recourse.kind === 'fixed') return 'The prediction is fixed: none of all the reachable points has it.';
  if (recourse.kind === 'not settled') {
    return `No recourse was found among ${recourse.tried} reachable points; whether the prediction is fixed is not settled.`;
  }
  const moved = columns.flatMap((column, j) =>
    recourse.point[j] === x[j] || Number.isNaN(x[j])
      ? []
      : [`${column.name} ${textOf(column, x[j])} → ${textOf(column, recourse.point[j])}`],
  );
  return `Several together do: ${moved.join(', ')}.`;
}

function reportOfAll(about: About): Block[] {
  const { of, set, chosen, people, scored, recourse, others, given } = about;
  const n = scored.length;
  if (n === 0) return [];
  const names = set.elements.map(({ name }) => name);
  const d = names.length;
  const kinds = (kind: Recourse['kind']) => Array.from(chosen.rows).filter((_, i) => recourse[i]?.kind === kind);
  const [fixed, unsettled, together] = [kinds('fixed'), kinds('not settled'), kinds('possible')];
  const scores = scored.map((person) => person.scores);
  const shown = scores.map((values) => topReasons(values, given.reasons));
  const arms: [string, number[][]][] = [['responsiveness', shown]];
  if (others.length > 0) {
    for (const which of ['shap', 'lime'] as const) {
      const name = which.toUpperCase();
      arms.push([name, others.map((values) => topReasons(values[which], given.reasons))]);
      arms.push([
        `action-aware ${name}`,
        others.map((values) => topReasons(actionAware(values[which], set), given.reasons)),
      ]);
    }
  }
  const blocks: Block[] = [
    {
      kind: 'table',
      columns: ['of the denied people scored', 'people', 'share'],
      rows: [
        [
          'some feature alone reaches the wanted decision',
          n - fixed.length - unsettled.length - together.length,
          percent((n - fixed.length - unsettled.length - together.length) / n),
        ],
        ['only several features together do', together.length, percent(together.length / n)],
        ['fixed: nothing reachable does', fixed.length, percent(fixed.length / n)],
        ['not settled: nothing that was looked at does', unsettled.length, percent(unsettled.length / n)],
      ],
    },
  ];
  if (fixed.length > 0) blocks.push({ kind: 'text', text: `Fixed predictions: rows ${listed(fixed)}.` });
  if (unsettled.length > 0) {
    blocks.push({
      kind: 'text',
      text: `Not settled: rows ${listed(unsettled)}. More points, or steps for what moves on a continuum, may settle them.`,
    });
  }
  blocks.push({
    kind: 'table',
    columns: [
      'reasons by',
      'with reasons',
      'all without recourse',
      'at least one responsive',
      'all responsive',
      'at least one without',
      'mean reasons',
    ],
    rows: arms.map(([name, reasons]) => {
      const quality = reasonQuality(reasons, scores);
      return [
        name,
        percent(quality.withReasons),
        percent(quality.allInvalid),
        percent(quality.atLeast1Responsive),
        percent(quality.allResponsive),
        percent(quality.atLeast1Invalid),
        Number(quality.meanReasons.toPrecision(3)),
      ];
    }),
  });
  if (arms.length > 1) {
    blocks.push({
      kind: 'text',
      text: 'The row of responsiveness is judged by the scores that chose its reasons and is all responsive by construction; what it says is how few people have reasons at all.',
    });
    const of = (name: string) => arms.find(([arm]) => arm === name)![1];
    const count = (lists: readonly number[][], j: number, holds: (i: number) => boolean) =>
      lists.filter((list, i) => list.includes(j) && holds(i)).length;
    blocks.push({
      kind: 'table',
      columns: ['feature', 'may change', 'SHAP reason for', 'without recourse', 'LIME reason for', 'without recourse'],
      rows: names
        .map((name, j): Cell[] => [
          name,
          set.elements[j].actionable ? 'yes' : 'no',
          count(of('SHAP'), j, () => true),
          count(of('SHAP'), j, (i) => scores[i][j] === 0),
          count(of('LIME'), j, () => true),
          count(of('LIME'), j, (i) => scores[i][j] === 0),
        ])
        .filter((row) => Number(row[2]) + Number(row[4]) > 0),
    });
  }
  const most = 20;
  blocks.push({
    kind: 'table',
    columns: [
      'row',
      `reasons, at most ${given.reasons}`,
      'recourse',
      ...(others.length > 0 ? ['SHAP reasons without recourse'] : []),
    ],
    rows: scored.slice(0, most).map(({ features }, i): Cell[] => [
      String(chosen.rows[i]),
      shown[i].map((j) => `${names[j]} ${scoreText(features.find(({ feature }) => feature === j)!)}`).join('; '),
      recourse[i]
        ? { possible: 'several together', fixed: 'fixed', 'not settled': 'not settled' }[recourse[i].kind]
        : 'one feature',
      ...(others.length > 0
        ? [
            topReasons(others[i].shap, given.reasons)
              .filter((j) => scores[i][j] === 0)
              .map((j) => names[j])
              .join(', '),
          ]
        : []),
    ]),
  });
  if (n > most) blocks.push({ kind: 'text', text: `and ${n - most} people more.` });
  const means = Float64Array.from(names, (_, j) => scores.reduce((sum, values) => sum + values[j], 0) / n);
  const rows = topReasons(means, 12).map((j) => ({
    label: names[j],
    points: scores.map((values, i) => ({
      x: values[j],
      ...(Number.isFinite(people[i * d + j]) && { shade: rankOf(of.columns[j], people[i * d + j]) }),
    })),
    star: means[j],
  }));
  if (rows.length > 0) {
    blocks.push({
      kind: 'chart',
      title: 'Responsiveness of denied people, a point each, the mean starred',
      chart: {
        type: 'swarm',
        x: 'share of allowed changes that reach the wanted decision',
        shade: 'value of the feature',
        rows,
      },
    });
  }
  return blocks;
}

/** Where a value lies between the least and the greatest of its column, 0 to 1. */
function rankOf({ values }: Column, value: number): number {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const other of values) {
    if (other < least) least = other;
    if (other > greatest) greatest = other;
  }
  return greatest > least ? (value - least) / (greatest - least) : 0;
}

function listed(rows: readonly number[], most = 50): string {
  return rows.length <= most ? rows.join(', ') : `${rows.slice(0, most).join(', ')} and ${rows.length - most} more`;
}
