/** @file Charts of reports as SVG, drawn by Observable Plot: in a browser with its document, elsewhere with any document like it. */

import * as Plot from '@observablehq/plot';
import type { Chart } from '../core/report.ts';

/** Pixels. */
const width = 720;
/** Least to greatest. */
const ramp = { type: 'linear', range: ['#1e88e5', '#ff0d57'], interpolate: 'hcl' } as const;
/** Points of a swarm's row that are drawn; of more, as many are taken evenly from the sorted ones. */
const mostPoints = 1500;

/** What is used of an SVG element. */
export interface DrawnChart {
  readonly outerHTML: string;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
}

/**
 * A chart as an SVG element.
 * @param document the page's own, or one made by a library.
 */
export function drawChart(title: string, chart: Chart, document: unknown): DrawnChart {
  const style = { background: 'white', color: 'black', fontFamily: 'DejaVu Sans, sans-serif' };
  const { caption, ...options } = optionsOf(chart);
  // From the picture's edge, so that what a long label takes from the frame it does not take from the title.
  const atEdge = { frameAnchor: 'top-left', dx: 14 - (options.marginLeft ?? 0), facet: 'super' } as const;
  const heading = Plot.text([short(title, mostOfTitle)], { ...atEdge, dy: -34, fontSize: 14, fontWeight: 'bold' });
  const below = Plot.text([caption ?? ''], { ...atEdge, dy: -18, fill: '#555' });
  const marks = [...(options.marks ?? []), heading, below];
  const plot: Plot.PlotOptions = { marginTop: 54, width, style, ...options, marks };
  return Plot.plot({ ...plot, document } as Plot.PlotOptions) as unknown as DrawnChart;
}

function optionsOf(chart: Chart): Plot.PlotOptions & { caption?: string } {
  switch (chart.type) {
    case 'swarm':
      return swarm(chart);
    case 'waterfall':
      return waterfall(chart);
    case 'halo':
      return halo(chart);
    case 'lines':
      return lines(chart);
    case 'heat':
      return heat(chart);
  }
}

type Of<Type extends Chart['type']> = Extract<Chart, { type: Type }>;

/** Characters of a label and of a title that are drawn. */
const mostOfLabel = 44;
const mostOfTitle = 72;

/** A text as it is drawn: of a long one its beginning and its end. */
function short(text: string, most = mostOfLabel): string {
  const begin = Math.ceil(0.59 * most);
  return text.length <= most ? text : `${text.slice(0, begin)}…${text.slice(begin + 1 - most)}`;
}

/** Room for the labels at one side, by their length. */
function marginFor(labels: readonly string[]): number {
  const longest = labels.reduce((most, label) => Math.max(most, short(label).length), 0);
  return 24 + 6.4 * longest;
}

/** From one dot of a swarm to the next, in pixels. */
const apart = 4.4;
/** Most pixels of a swarm's row; more dots than it has room for stand closer. */
const highestRow = 72;

function swarm({ x, shade, rows }: Of<'swarm'>): Plot.PlotOptions & { caption?: string } {
  const labels = rows.map(({ label }) => label);
  const stars = rows.flatMap(({ label, star }) => (star === undefined ? [] : [{ label, x: star, y: 0 }]));
  const drawn = rows.map(({ points }) => evenly(points));
  const across = [...drawn.flat(), ...stars].reduce(
    ([low, high], { x }) => [Math.min(low, x), Math.max(high, x)],
    [0, 0],
  );
  const marginLeft = marginFor(labels);
  const bin = ((across[1] - across[0] || 1) * apart) / (width - marginLeft - 20);
  const layers = drawn.map((points) => layersOf(points, bin));
  const deepest = layers.flat().reduce((most, layer) => Math.max(most, Math.abs(layer)), 0);
  const rowHeight = Math.min(highestRow, Math.max(32, 12 + 2 * apart * deepest));
  const points = drawn.flatMap((own, r) => {
    const most = layers[r].reduce((deep, layer) => Math.max(deep, Math.abs(layer)), 0);
    const step = Math.min(apart, (rowHeight / 2 - 5) / Math.max(1, most));
    return own.map((point, i) => ({ ...point, label: labels[r], y: (layers[r][i] * step) / (rowHeight / 2) }));
  });
  const coloured = points.some((point) => point.shade !== undefined);
  return {
    caption: coloured && shade ? `Colour: ${shade}, blue for the least and red for the greatest.` : undefined,
    height: 96 + rowHeight * labels.length,
    marginLeft,
    x: { label: x, grid: true, nice: true },
    y: { domain: [-1, 1], axis: null },
    fy: { domain: labels, label: null, padding: 0 },
    color: ramp,
    marks: [
      Plot.ruleX([0], { stroke: '#999' }),
      Plot.axisFy({
        anchor: 'left',
        frameAnchor: 'left',
        textAnchor: 'end',
        dx: -8,
        label: null,
        tickFormat: (label: string) => short(label),
      }),
      Plot.dot(points, { x: 'x', y: 'y', fy: 'label', fill: coloured ? 'shade' : '#1e88e5', r: 2 }),
      Plot.dot(stars, { x: 'x', y: 'y', fy: 'label', symbol: 'star', r: 5, fill: 'gold', stroke: 'black' }),
    ],
  };
}

/** Where each point of a row stands among those that would cover it: 0 on the line, 1 above, −1 below, 2 above that. */
function layersOf(points: readonly { readonly x: number }[], bin: number): number[] {
  const counts = new Map<number, number>();
  return points.map(({ x }) => {
    const place = Math.round(x / bin);
    const before = counts.get(place) ?? 0;
    counts.set(place, before + 1);
    return before % 2 === 1 ? (before + 1) / 2 : -before / 2;
  });
}

/** At most `mostPoints` of the points, evenly from the sorted ones, the ends among them. */
function evenly<Point extends { readonly x: number }>(points: readonly Point[]): readonly Point[] {
  if (points.length <= mostPoints) return points;
  const sorted = points.toSorted((a, b) => a.x - b.x);
  return Array.from({ length: mostPoints }, (_, i) => sorted[Math.round((i * (points.length - 1)) / (mostPoints - 1))]);
}

function waterfall({ x, from, steps, to }: Of<'waterfall'>): Plot.PlotOptions {
  let at = from.value;
  const bars = steps.map(({ label, change }, i) => {
    const begin = at;
    at += change;
    return {
      row: `${i + 1}. ${label}`,
      begin,
      end: at,
      change,
      text: `${change >= 0 ? '+' : '−'}${three(Math.abs(change))}`,
    };
  });
  const first = `${from.label} = ${three(from.value)}`;
  const last = `${to.label} = ${three(to.value)}`;
  const domain = [first, ...bars.map(({ row }) => row), last];
  return {
    height: 86 + 26 * domain.length,
    marginLeft: marginFor(domain),
    marginRight: marginFor(bars.map(({ text }) => text)),
    x: { label: x, grid: true, nice: true },
    y: { domain, label: null, tickFormat: (label: string) => short(label) },
    marks: [
      Plot.barX(bars, {
        y: 'row',
        x1: 'begin',
        x2: 'end',
        fill: ({ change }) => (change >= 0 ? '#ff0d57' : '#1e88e5'),
        rx: 2,
      }),
      Plot.tickX(
        [
          { row: first, at: from.value },
          { row: last, at: to.value },
        ],
        { x: 'at', y: 'row', strokeWidth: 3 },
      ),
      Plot.text(bars, {
        y: 'row',
        x: ({ begin, end }) => Math.max(begin, end),
        text: 'text',
        textAnchor: 'start',
        dx: 4,
      }),
    ],
  };
}

function halo({ radius, rings }: Of<'halo'>): Plot.PlotOptions & { caption: string } {
  const inside = rings.some(({ points }) => points.some(({ radius: r }) => r < 0));
  // Less than 0 would come out on the other side.
  const curve = (label: string, points: readonly { angle: number; radius: number }[]) =>
    [...points, ...points.slice(0, 1)].map(({ angle, radius: r }) => ({
      label,
      x: Math.max(0, r) * Math.cos(angle),
      y: Math.max(0, r) * Math.sin(angle),
    }));
  const found = rings.flatMap(({ label, points }) => curve(label, points));
  const expected = rings.flatMap(({ label, expected: r }) =>
    Array.from({ length: 97 }, (_, i) => ({
      label,
      x: r * Math.cos((i * Math.PI) / 48),
      y: r * Math.sin((i * Math.PI) / 48),
    })),
  );
  const reach = [...found, ...expected].reduce((most, { x, y }) => Math.max(most, Math.abs(x), Math.abs(y)), 0) || 1;
  const most = 1.04 * reach; // room for the outermost dots
  const size = 520;
  return {
    caption: `From the centre: ${radius}${inside ? ', at least 0' : ''}. Dashed: what it would be without interaction.`,
    height: size + 84,
    marginLeft: 60,
    marginRight: width - 60 - size,
    x: { domain: [-most, most], label: null, ticks: 5 },
    y: { domain: [-most, most], label: null, ticks: 5 },
    color: { type: 'categorical', scheme: 'tableau10' },
    marks: [
      Plot.ruleX([0], { stroke: '#ddd' }),
      Plot.ruleY([0], { stroke: '#ddd' }),
      Plot.line(expected, { x: 'x', y: 'y', z: 'label', stroke: 'label', strokeDasharray: '4,4', strokeWidth: 1 }),
      Plot.line(found, { x: 'x', y: 'y', z: 'label', stroke: 'label', strokeWidth: 2 }),
      Plot.dot(found, { x: 'x', y: 'y', fill: 'label', r: 2.5 }),
      // Beside the frame, where they cover no dot: the outermost ring first.
      Plot.text(
        rings.toReversed().map(({ label }, i) => ({ label, y: most * (1 - 0.08 * i) })),
        { x: most, y: 'y', text: 'label', fill: 'label', textAnchor: 'start', dx: 12 },
      ),
    ],
  };
}

function lines({ x, y, lines: all }: Of<'lines'>): Plot.PlotOptions {
  const points = all.flatMap(({ label, points: line }) => line.map((point) => ({ ...point, label })));
  const ends = all.flatMap(({ label, points: line }) => line.slice(-1).map((point) => ({ ...point, label })));
  return {
    height: 400,
    marginLeft: 60,
    marginRight: marginFor(all.map(({ label }) => label)),
    x: { label: x },
    y: { label: y, labelAnchor: 'center', grid: true, nice: true },
    color: { type: 'categorical', scheme: 'tableau10' },
    marks: [
      Plot.line(points, { x: 'x', y: 'y', stroke: 'label', strokeWidth: 2 }),
      Plot.dot(points, { x: 'x', y: 'y', fill: 'label', r: 2.5 }),
      Plot.text(ends, { x: 'x', y: 'y', text: 'label', fill: 'label', textAnchor: 'start', dx: 6 }),
    ],
  };
}

function heat({ rows, columns, values, of }: Of<'heat'>): Plot.PlotOptions & { caption: string } {
  const cell = Math.max(8, Math.min(48, Math.floor(560 / Math.max(rows, columns))));
  return {
    caption: `Colour: ${of}, blue for the least and red for the greatest.`,
    width: Math.max(480, 80 + cell * columns),
    marginRight: Math.max(20, 420 - cell * columns),
    height: 74 + cell * rows + 20,
    marginLeft: 60,
    x: { label: null, tickSize: 0, ...places(columns) },
    y: { label: null, tickSize: 0, ...places(rows) },
    color: ramp,
    marks: [
      Plot.cell(values, {
        x: (_, i) => i % columns,
        y: (_, i) => Math.floor(i / columns),
        fill: (value) => value,
        inset: 0.5,
      }),
    ],
  };
}

/** Rows or columns by their numbers from 0, which are written where there are few. */
function places(count: number): { domain: number[]; ticks?: number[] } {
  const domain = Array.from({ length: count }, (_, i) => i);
  return count > 16 ? { domain, ticks: [] } : { domain };
}

/** A number with three digits that matter. */
function three(value: number): string {
  return String(Number(value.toPrecision(3)));
}
