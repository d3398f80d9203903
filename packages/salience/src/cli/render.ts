/** @file Reports on a terminal: colour only where the output is one. */

import { styleText } from 'node:util';
import type { Block, Cell, Report } from '../core/report.ts';
import { chartAsBlock } from './render-chart.ts';

type Style = Parameters<typeof styleText>[0];

function styled(style: Style, text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}

/** Prints a report to standard output. */
export function print(report: Report): void {
  process.stdout.write(render(report));
}

/** A report as text that ends with a line break. */
function render({ title, blocks }: Report): string {
  return `${[styled('bold', title), ...blocks.map(renderBlock)].join('\n\n')}\n`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return block.text;
    case 'table':
      return renderTable(block.columns, block.rows);
    case 'bars':
      return renderBars(block);
    case 'passages':
      return block.passages
        .map(
          ({ text, score, source }) =>
            `${styled('cyan', score.toFixed(4))}  ${text}${source ? styled('dim', `  (${source})`) : ''}`,
        )
        .join('\n');
    case 'strip':
      return renderStrip(block);
    case 'chart':
      return renderBlock(chartAsBlock(block.title, block.chart));
  }
}

/** Counts with separators, other numbers with four digits that matter. */
function shown(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? cell.toLocaleString('en-US') : String(Number(cell.toPrecision(4)));
}

function renderTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [columns, ...rows].map((row) => row.map(shown));
  const widths = columns.map((_, c) => texts.reduce((width, row) => Math.max(width, row[c].length), 0));
  const right = columns.map(
    (_, c) => rows.length > 0 && rows.every((row) => typeof row[c] === 'number' || /^[\d.,]+%$/.test(row[c])),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, c) => (right[c] ? text.padStart(widths[c]) : text.padEnd(widths[c])))
      .join('  ')
      .trimEnd();
  const [head, ...body] = texts.map(line);
  return [styled('dim', head), ...body].join('\n');
}

function renderBars({ bars, unit }: Extract<Block, { kind: 'bars' }>): string {
  const widest = bars.reduce((width, { label }) => Math.max(width, label.length), 0);
  const greatest = bars.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  return bars
    .map(
      ({ label, value }) =>
        `${label.padEnd(widest)}  ${'█'.repeat(Math.round((40 * Math.abs(value)) / greatest))} ${shown(value)} ${unit}`,
    )
    .join('\n');
}

/** Lines of text, each with its heat in blocks beneath it. */
function renderStrip({ of, parts }: Extract<Block, { kind: 'strip' }>): string {
  const heats = ' ▁▂▃▄▅▆▇█';
  const lines: [text: string, heat: string][] = [['', '']];
  for (const { text, share } of parts) {
    const shownText = text.replace(/\s/g, (space) => (space === '\n' ? '⏎' : ' '));
    const heat = heats[share > 0 ? Math.max(1, Math.round(8 * share)) : 0];
    for (const character of shownText) {
      if (lines[lines.length - 1][0].length >= 100) lines.push(['', '']);
      const line = lines[lines.length - 1];
      line[0] += character;
      line[1] += heat;
    }
  }
  const heads = styled('dim', `Heat: ${of}; ${heats.slice(1)} from few to all`);
  return [heads, ...lines.flatMap(([text, heat]) => [text.trimEnd(), styled('yellow', heat.trimEnd())])].join('\n');
}
