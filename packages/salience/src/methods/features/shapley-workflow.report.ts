/** @file The report of the Shapley workflow: tables beside the charts of Shapley values, and what they come to in words. */

import type { Block, Cell } from '../../core/report.ts';
import { agreement } from '../../numerics/statistics/agreement.ts';
import type { TableModel } from '../../subjects/table/black-box-of.ts';
import type { shapleyOf } from '../../subjects/table/shapley-of.ts';
import type { Table } from '../../subjects/table/table.ts';

/** A model and what was measured of it. */
export interface Measured {
  readonly model: TableModel;
  readonly shapley: Awaited<ReturnType<typeof shapleyOf>>;
  /** Mean |Shapley value|, shape [features]. */
  readonly sizes: Float64Array;
  /** The model's own importance, where it has one. */
  readonly natural: Float64Array | undefined;
  /** Permutation importance. */
  readonly shuffled: Float64Array;
}

const four = (x: number) => Number(x.toPrecision(4));
const cell = (x: number | null | undefined): Cell =>
  x === null || x === undefined ? 'undefined' : Number(x.toFixed(2));
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const points = (share: number) => `${(100 * share).toFixed(1)} points`;

/** How good each model is. */
export function performance(measured: readonly Measured[]): Block {
  const kinds = Object.keys(measured[0].model.quality!);
  return {
    kind: 'table',
    columns: ['model, on the rows to test on', ...kinds],
    rows: measured.map(({ model }) => [model.name, ...kinds.map((kind) => four(model.quality![kind]))]),
  };
}

/** The features by their scores, with the model's other importances. */
export function importances(
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

/** The aspects with their values, and what their features' values add up to. */
export function aspectsTable(
  aspectNames: readonly string[],
  aspects: readonly (readonly number[])[],
  aspectSizes: Float64Array,
  sizes: Float64Array,
): Block {
  return {
    kind: 'table',
    columns: ['aspect', 'features', 'mean |Shapley value|', 'sum of its features’'],
    rows: aspectNames.map((name, a) => [
      name,
      aspects[a].length,
      four(aspectSizes[a]),
      four(aspects[a].reduce((sum, c) => sum + sizes[c], 0)),
    ]),
  };
}

/** How each model's Shapley values agree with its other importances. */
export function agreements(measured: readonly Measured[]): Block {
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

/** What forward selection picked. */
export interface Selection {
  /** Columns that were not to be chosen from. */
  readonly always: readonly string[];
  /** In the order they were added. */
  readonly picked: readonly string[];
  /** The accuracy on rows held back, with each of them and all before it. */
  readonly qualities: readonly number[];
  /** How many it chose from. */
  readonly candidates: number;
  /** Accuracy on the rows to test on, with all columns. */
  readonly all: number;
  /** The same with those always in and those picked. */
  readonly own: number;
  /** The first over the second, with its interval. */
  readonly difference: { readonly mean: number; readonly low: number; readonly high: number };
}

/** What was picked, and what the model is worth with it. */
export function selectionBlocks({ always, picked, qualities, candidates, all, own, difference }: Selection): Block[] {
  const others = always.length > 0 ? ` and ${always.length} that are always in` : '';
  return [
    {
      kind: 'table',
      columns: ['forward selection', 'accuracy on rows held back'],
      rows: picked.map((name, k) => [`+ ${name}`, four(qualities[k])]),
    },
    {
      kind: 'text',
      text:
        `With these ${picked.length} of ${candidates}${others} the accuracy on the rows to test on is ` +
        `${percent(own)}, with all ${percent(all)}; all over these: ${points(difference.mean)} (95% paired bootstrap ${points(difference.low)} to ${points(difference.high)}).`,
    },
  ];
}

/** What was left out: columns without values, and rows. */
export function remarks(given: Table, of: Table, background: number, rows: number): Block[] {
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
export function inWords({
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
  const inSelection = selection ? [...selection.always, ...selection.picked] : [];
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
      ? `With ${inSelection.length} of the ${names.length} features (${inSelection.join(', ')}) it would be right for ${hundred(selection.own)}.`
      : '',
    'All this says what the model goes by, not what causes what.',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}
