/** @file The report of responsiveness scores: of one person, or of all that were scored. */

import type { Block, Cell } from '../../core/report.ts';
import type { ActionSet } from '../../numerics/actions/action-set.ts';
import { changeBounds } from '../../numerics/actions/element.ts';
import { actionAware, reasonQuality, topReasons } from '../../numerics/actions/reasons.ts';
import type { Recourse } from '../../numerics/actions/recourse.ts';
import type { FeatureScore, Look, PersonScores, Stopping } from '../../numerics/actions/score-people.ts';
import { hoeffdingHalfWidth } from '../../numerics/statistics/binomial-interval.ts';
import type { Column, Table } from '../../subjects/table/table.ts';

/** Who is scored. */
export interface Chosen {
  /** Row numbers of the people that are scored. */
  readonly rows: Uint32Array;
  /** How many rows there were to test on, and how many of them are denied. */
  readonly tested: number;
  readonly denied: number;
  /** Denied people passed over because they cannot be acted from, and why the first one cannot. */
  readonly passedOver: number;
  readonly why?: string;
}

/** What is reported of the people that were scored. */
export interface About {
  readonly of: Table;
  readonly set: ActionSet;
  readonly chosen: Chosen;
  /** Row-major, shape [people · columns]. */
  readonly people: Float64Array;
  readonly scored: readonly PersonScores[];
  /** Of each person without a responsive feature. */
  readonly recourse: readonly (Recourse | undefined)[];
  /** One a person, or none where no comparison was asked for. */
  readonly others: readonly { readonly shap: Float64Array; readonly lime: Float64Array }[];
  readonly given: {
    /** Of the wanted decision. */
    readonly threshold: number;
    /** The one row that is explained, if it is one. */
    readonly row?: number;
    /** Shown to a person at the most. */
    readonly reasons: number;
    readonly delta: number;
  };
  readonly sampling: Look | Stopping;
}

const percent = (share: number) => `${Number((100 * share).toPrecision(3))}%`;
const two = (value: number) => String(Number(value.toFixed(3)));

/** A column's value as its file has it. */
function textOf({ levels }: Column, value: number): string {
  if (Number.isNaN(value)) return 'missing';
  return levels?.[value] ?? String(Number(value.toPrecision(6)));
}

/** Model, action set, how the scores came about, and who is scored, in words. */
export function introduction(
  { of, set, chosen, scored, given, sampling }: About,
  model: string,
  positive?: string,
): string {
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

/** One person's reasons, and every feature with what may be done to it. */
export function reportOfOne({ of, set, chosen, people, scored, recourse, others, given }: About): Block[] {
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

/** How many people have reasons and recourse, whose reasons are worth what, and each person's. */
export function reportOfAll(about: About): Block[] {
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
