/** @file Charts on a terminal: as tables and blocks, the picture itself is what --plot writes. */

import { sparkline } from '../core/curves.ts';
import type { Block, Cell, Chart } from '../core/report.ts';

/** What stands for a chart where nothing can be drawn. */
export function chartAsBlock(title: string, chart: Chart): Block {
  switch (chart.type) {
    case 'swarm':
      return table(
        [title, 'least', 'spread', 'greatest', ...(chart.rows.some(({ star }) => star !== undefined) ? ['★'] : [])],
        swarmRows(chart.rows),
      );
    case 'waterfall':
      return table(
        [title, 'change', chart.x],
        [[chart.from.label, '', chart.from.value], ...waterfallRows(chart), [chart.to.label, '', chart.to.value]],
      );
    case 'halo':
      return table(
        [title, 'expected', 'nearest', 'farthest'],
        chart.rings.map(({ label, expected, points }) => [
          label,
          expected,
          Math.min(...points.map(({ radius }) => radius)),
          Math.max(...points.map(({ radius }) => radius)),
        ]),
      );
    case 'lines':
      return table(
        [title, `${chart.y} over ${chart.x}`, 'first', 'last'],
        chart.lines.map(({ label, points }) => {
          const values = points.map(({ y }) => y);
          return [label, sparkline(values, Math.max(...values)), values[0] ?? '', values.at(-1) ?? ''];
        }),
      );
    case 'heat':
      return { kind: 'text', text: `${title} (${chart.of})\n${heatRows(chart).join('\n')}` };
  }
}

function table(columns: readonly string[], rows: readonly (readonly Cell[])[]): Block {
  return { kind: 'table', columns, rows };
}

type Of<Type extends Chart['type']> = Extract<Chart, { type: Type }>;

/** Each row's counts over the whole chart's range, in 24 bins. */
function swarmRows(rows: Of<'swarm'>['rows']): Cell[][] {
  const bins = 24;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const { points } of rows) {
    for (const { x } of points) {
      least = Math.min(least, x);
      greatest = Math.max(greatest, x);
    }
  }
  return rows.map(({ label, points, star }) => {
    const counts = new Array<number>(bins).fill(0);
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const { x } of points) {
      counts[Math.min(bins - 1, Math.floor((bins * (x - least)) / (greatest - least || 1)))]++;
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    const most = Math.max(...counts);
    const spread = sparkline(
      counts.map((count) => (count === 0 ? Number.NaN : count)),
      most || 1,
    );
    if (points.length === 0) return [label, '', '', '', ...(star === undefined ? [] : [star])];
    return [label, low, spread, high, ...(star === undefined ? [] : [star])];
  });
}

function waterfallRows({ from, steps }: Of<'waterfall'>): Cell[][] {
  let at = from.value;
  return steps.map(({ label, change }) => {
    at += change;
    return [label, `${change >= 0 ? '+' : '−'}${Number(Math.abs(change).toPrecision(3))}`, at];
  });
}

/** Two characters a cell, darker for more. */
function heatRows({ rows, columns, values }: Of<'heat'>): string[] {
  const heats = ' ░▒▓█';
  const least = Math.min(...values);
  const reach = Math.max(...values) - least || 1;
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_, c) =>
      heats[Math.round((4 * (values[r * columns + c] - least)) / reach)].repeat(2),
    ).join(''),
  );
}
