/** @file A report as Markdown, short enough for an agent to read. */

import type { Block, Chart, Report } from 'salience';

const most = { rows: 30, passages: 40, parts: 60 };

const number = (value: number) => String(Number(value.toPrecision(4)));
const cell = (value: string | number) =>
  (typeof value === 'number' ? number(value) : value).replace(/\s+/g, ' ').replaceAll('|', '\\|');

const more = (all: number, shown: number) => (all > shown ? [`… and ${all - shown} more.`] : []);

function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  return [
    `| ${columns.map(cell).join(' | ')} |`,
    `|${' --- |'.repeat(columns.length)}`,
    ...rows.slice(0, most.rows).map((row) => `| ${row.map(cell).join(' | ')} |`),
    ...more(rows.length, most.rows),
  ];
}

function chartText(title: string, chart: Chart): string[] {
  if (chart.type !== 'lines') return [`${title} (a chart: see the page).`];
  return [
    `${title} (${chart.y} over ${chart.x}):`,
    ...chart.lines.map(
      ({ label, points }) => `- ${label}: ${points.map(({ x, y }) => `${number(x)} → ${number(y)}`).join(', ')}`,
    ),
  ];
}

function blockText(block: Block): string[] {
  switch (block.kind) {
    case 'text':
      return [block.text];
    case 'table':
      return table(block.columns, block.rows);
    case 'bars':
      return table(
        ['', block.unit],
        block.bars.map(({ label, value }) => [label, value]),
      );
    case 'passages':
      return [
        ...block.passages
          .slice(0, most.passages)
          .map(({ text, score, source }) => `- (${number(score)}) ${cell(text)}${source ? ` [${source}]` : ''}`),
        ...more(block.passages.length, most.passages),
      ];
    case 'strip': {
      // The highest shares are what a strip is looked at for.
      const best = block.parts.toSorted((a, b) => b.share - a.share).slice(0, most.parts);
      return [
        `Highest of ${block.of}: ${best.map(({ text, share }) => `${cell(text)} (${number(share)})`).join(' · ')}`,
      ];
    }
    case 'chart':
      return chartText(block.title, block.chart);
  }
}

/** A report as Markdown; long tables, passages and strips are cut, and it says so. */
export function reportMarkdown({ title, blocks }: Report): string {
  return [`# ${title}`, ...blocks.map((block) => blockText(block).join('\n'))].join('\n\n');
}
