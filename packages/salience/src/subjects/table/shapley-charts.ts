/** @file Pictures of Shapley values: a swarm over rows, a waterfall of one row. */

import type { Block } from '../../core/report.ts';
import type { TableModel } from './black-box-of.ts';
import type { ShapleyOfRows } from './shapley-of.ts';
import type { Table } from './table.ts';

/** Features that a picture shows; in a waterfall the others are one. */
const shown = 12;

/** What Shapley values are shares of, e.g. "probability of good". */
export function outputOf({ positive }: TableModel, { scale }: Pick<ShapleyOfRows, 'scale'>): string {
  if (positive === undefined) return 'output';
  return `${scale === 'log-odds' ? 'log-odds' : 'probability'} of ${positive}`;
}

/**
 * A row of points for each of the features that matter most: the change of the output, coloured by the feature's value.
 * @param indices the rows' numbers in the table.
 * @param sizes what features are ranked by, shape [features].
 */
export function shapleySwarm(
  of: Table,
  { values }: Pick<ShapleyOfRows, 'values'>,
  indices: Uint32Array,
  sizes: ArrayLike<number>,
  output: string,
): Block {
  const d = of.columns.length;
  const order = Array.from({ length: d }, (_, c) => c).sort((i, j) => sizes[j] - sizes[i] || i - j);
  return {
    kind: 'chart',
    title: `Shapley values of ${indices.length} rows`,
    chart: {
      type: 'swarm',
      x: `change of the ${output}`,
      shade: 'value of the feature',
      rows: order.slice(0, shown).map((c) => {
        const shade = shadeOf(of.columns[c].values);
        return {
          label: of.columns[c].name,
          points: Array.from(indices, (row, r) => ({ x: values[r * d + c], ...shade(row) })),
        };
      }),
    },
  };
}

/** From the usual output to that of one row, by the features that change it most. */
export function shapleyWaterfall(
  of: Table,
  { values, empty, full }: Pick<ShapleyOfRows, 'values' | 'empty' | 'full'>,
  indices: Uint32Array,
  at: number,
  output: string,
): Block {
  const row = indices[at];
  const d = of.columns.length;
  const changes = of.columns
    .map((_, c) => ({ c, change: values[at * d + c] }))
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || a.c - b.c);
  const others = changes.slice(shown);
  return {
    kind: 'chart',
    title: `Row ${row}`,
    chart: {
      type: 'waterfall',
      x: output,
      from: { label: 'usual', value: empty },
      steps: [
        ...changes.slice(0, shown).map(({ c, change }) => ({ label: labelOf(of, c, row), change })),
        ...(others.length > 0
          ? [{ label: `${others.length} others`, change: others.reduce((sum, { change }) => sum + change, 0) }]
          : []),
      ],
      to: { label: `row ${row}`, value: full[at] },
    },
  };
}

/** Where a row's value lies in its column, 0 to 1, so that colours of all features can be compared. */
function shadeOf(column: Float64Array): (row: number) => { shade?: number } {
  let low = Infinity;
  let high = -Infinity;
  for (const value of column) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return (row) => (Number.isFinite(column[row]) && high > low ? { shade: (column[row] - low) / (high - low) } : {});
}

function labelOf({ columns }: Table, c: number, row: number): string {
  const { name, values, levels } = columns[c];
  const value = values[row];
  return `${name} = ${Number.isNaN(value) ? 'missing' : (levels?.[value] ?? Number(value.toPrecision(4)))}`;
}
