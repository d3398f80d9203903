import { describe, expect, it } from 'vitest';
import { Random } from '../core/random.ts';
import type { Chart } from '../core/report.ts';
import { pngOf, svgOf } from './picture.ts';

const random = new Random(1, 'charts');
const charts: { title: string; chart: Chart }[] = [
  {
    title: 'A swarm <&> "quotes"',
    chart: {
      type: 'swarm',
      x: 'Shapley value',
      shade: 'value of the feature',
      rows: ['age', 'income', 'a feature with a long name'].map((label, i) => ({
        label,
        star: i - 1,
        points: Array.from({ length: 120 }, () => ({ x: (i + 1) * random.normal(), shade: random.uniform() })),
      })),
    },
  },
  {
    title: 'A waterfall',
    chart: {
      type: 'waterfall',
      x: 'probability',
      from: { label: 'mean', value: 0.4 },
      steps: [
        { label: 'age', change: 0.2 },
        { label: 'income', change: -0.35 },
      ],
      to: { label: 'this person', value: 0.25 },
    },
  },
  {
    title: 'A halo',
    chart: {
      type: 'halo',
      radius: 'loss above the best',
      rings: [0.5, 1].map((expected) => ({
        label: `ε ${expected}`,
        expected,
        points: Array.from({ length: 36 }, (_, i) => ({
          angle: (i * Math.PI) / 18,
          radius: expected * (1 + 0.3 * Math.sin(i / 3)),
        })),
      })),
    },
  },
  {
    title: 'Lines',
    chart: {
      type: 'lines',
      x: 'rows',
      y: 'seconds',
      lines: ['ours', 'theirs'].map((label, i) => ({ label, points: [1, 2, 3].map((x) => ({ x, y: x * (i + 1) })) })),
    },
  },
  { title: 'Heat', chart: { type: 'heat', rows: 2, columns: 3, values: [0, 1, 2, 3, 4, 5], of: 'effect' } },
];

describe('pictures of charts', () => {
  it('are one SVG with each chart’s title and labels, text escaped', async () => {
    const svg = await svgOf(charts);
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(svg).toContain('A swarm &lt;&amp;&gt; "quotes"');
    for (const text of ['a feature with a long name', '2. income', 'ε 0.5', 'theirs']) expect(svg).toContain(text);
    expect(svg).not.toContain('NaN');
  });

  it('draw one dot a point and one star a row', async () => {
    const svg = await svgOf(charts.slice(0, 1));
    expect(svg.match(/<circle/g)).toHaveLength(360);
    expect(svg.match(/gold/g)).toHaveLength(3);
  });

  it('draw at most 1,500 points a row, the extremes among them', async () => {
    const points = Array.from({ length: 4000 }, (_, x) => ({ x }));
    const svg = await svgOf([{ title: 'many', chart: { type: 'swarm', x: 'x', rows: [{ label: 'r', points }] } }]);
    expect(svg.match(/<circle/g)).toHaveLength(1500);
  });

  it('keep the points of a swarm within their row, however many there are at one place', async () => {
    const points = Array.from({ length: 300 }, () => ({ x: 1 }));
    const rows = ['a', 'b'].map((label) => ({ label, points }));
    const svg = await svgOf([{ title: 'many', chart: { type: 'swarm', x: 'x', rows } }]);
    const across = [...svg.matchAll(/cy="([-\d.]+)"/g)].map(([, y]) => Number(y));
    expect(across).toHaveLength(600);
    const [, height] = svg.match(/height="(\d+)"/)!;
    expect(Number(height)).toBeLessThan(300);
    expect(Math.max(...across) - Math.min(...across)).toBeLessThanOrEqual(72);
  });

  it('shorten long labels in the middle, and leave room for them', async () => {
    const long = 'a feature whose name is longer than any label can be, and its end';
    const svg = await svgOf([
      { title: 'long', chart: { type: 'swarm', x: 'x', rows: [{ label: long, points: [{ x: 1 }] }] } },
    ]);
    expect(svg).toContain('a feature whose name is lo…');
    expect(svg).toContain('and its end');
    expect(svg).not.toContain(long);
  });

  it('begin their titles at the left edge whatever the labels, and shorten a title that would not fit', async () => {
    const rows = [{ label: 'a feature whose name is longer than most', points: [{ x: 1 }] }];
    const title = 'The effect of a feature whose name is longer than most × another of about that length';
    const svg = await svgOf([{ title, chart: { type: 'swarm', x: 'x', rows } }]);
    const [, drawn] = svg.match(/>(The effect of [^<]*)</)!;
    expect(drawn.length).toBe(72);
    expect(drawn).toContain('…');
    // The group's shift takes back what the frame's is.
    const shifts = [...svg.slice(0, svg.indexOf(drawn)).matchAll(/translate\(([-\d.]+),/g)].slice(-2);
    expect(shifts.reduce((sum, [, x]) => sum + Number(x), 0)).toBeCloseTo(14, 6);
  });

  it('leave room for the numbers beside the bars of a waterfall', async () => {
    const chart = {
      type: 'waterfall',
      x: 'costs',
      from: { label: 'mean', value: 0 },
      steps: [{ label: 'age', change: 123_000_000 }],
      to: { label: 'this person', value: 123_000_000 },
    } as const;
    const svg = await svgOf([{ title: 'costs', chart }]);
    const before = svg.slice(0, svg.indexOf('+123000000'));
    const [, x] = /translate\(([\d.]+),[^)]*\)"[^(]*$/.exec(before)!;
    expect(Number(x)).toBeLessThan(720 - 10 * 6);
  });

  it('become PNG files', async () => {
    const png = await pngOf(await svgOf(charts));
    expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
    if (process.env.CHARTS_OUT) {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(process.env.CHARTS_OUT, png);
    }
  });

  it('refuse to be made of no chart', async () => {
    await expect(svgOf([])).rejects.toThrow(/no chart to draw/);
  });
});
