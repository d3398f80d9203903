/** @file Pictures of charts as files' contents: SVG text, and PNG bytes made of it. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { InputError } from '../core/errors.ts';
import type { Chart } from '../core/report.ts';
import { drawChart } from './draw.ts';

export interface TitledChart {
  readonly title: string;
  readonly chart: Chart;
}

/**
 * Charts, one below the other, as the text of one SVG file.
 * @throws InputError if there is no chart.
 */
export async function svgOf(charts: readonly TitledChart[]): Promise<string> {
  if (charts.length === 0) throw new InputError('there is no chart to draw');
  const { parseHTML } = await import('linkedom');
  const { document } = parseHTML('<html><body></body></html>');
  let top = 0;
  let widest = 0;
  const parts = charts.map(({ title, chart }) => {
    const svg = drawChart(title, chart, document);
    svg.setAttribute('y', String(top));
    svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    top += Number(svg.getAttribute('height'));
    widest = Math.max(widest, Number(svg.getAttribute('width')));
    return svg.outerHTML;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${widest}" height="${top}" viewBox="0 0 ${widest} ${top}"><rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`;
}

let started: Promise<unknown> | undefined;

/** An SVG picture as the bytes of a PNG file, two pixels for one. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const { initWasm, Resvg } = await import('@resvg/resvg-wasm');
  const { resolve } = createRequire(import.meta.url);
  started ??= readFile(resolve('@resvg/resvg-wasm/index_bg.wasm')).then((program) => initWasm(program));
  await started;
  const fonts = await Promise.all(
    ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => readFile(resolve(`dejavu-fonts-ttf/ttf/${file}`))),
  );
  const picture = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: 2 },
    font: { fontBuffers: fonts, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' },
  });
  return picture.render().asPng();
}
