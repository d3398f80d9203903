/** @file A report as a tree of elements, from which the server makes HTML and the browser nodes. Texts stay texts in both. */

import type { Block, Chart, Report } from 'salience/core';

export interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly children: readonly Node[];
}

export type Node = string | Element;

/** Where the picture of a block is, and its size in pixels; nothing where there is none. */
export type PictureOf = (
  block: number,
) => { readonly href: string; readonly width?: number; readonly height?: number } | undefined;

function element(tag: string, attributes: Element['attributes'], ...children: readonly Node[]): Element {
  return { tag, attributes, children };
}

/** The class that shades by a share between 0 and 1. */
function heatClass(share: number): string {
  return `heat-${Math.round(10 * Math.max(0, Math.min(1, share)))}`;
}

/** Counts with separators, other numbers with four digits that matter. */
export function shownNumber(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}

/** The tree of a report: a heading, then its blocks, then its remarks in small. */
export function reportTree(
  { title, blocks, remarks = [] }: Report & { readonly remarks?: readonly string[] },
  pictureOf: PictureOf,
): Element {
  return element(
    'section',
    { class: 'report' },
    element('h2', {}, title),
    ...blocks.flatMap((block, n) => blockTree(block, pictureOf(n))),
    ...(remarks.length > 0
      ? [element('ul', { class: 'meta' }, ...remarks.map((remark) => element('li', {}, remark)))]
      : []),
  );
}

function blockTree(block: Block, picture: ReturnType<PictureOf>): Element[] {
  switch (block.kind) {
    case 'text':
      return block.text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => element('p', {}, line));
    case 'table':
      return [tableTree(block)];
    case 'passages':
      return [passagesTree(block)];
    case 'strip':
      return [stripTree(block)];
    case 'bars':
      return [barsTree(block)];
    case 'chart':
      return picture ? [pictureTree(picture, chartInWords(block.title, block.chart), block.title)] : [];
  }
}

type Of<Kind extends Block['kind']> = Extract<Block, { kind: Kind }>;

/** "12.5%" as 0.125; nothing for what is no share of a whole. */
function shareOf(cell: string | number): number | undefined {
  const [, percent] = (typeof cell === 'string' && /^(\d+(?:\.\d+)?)%$/.exec(cell)) || [];
  return percent !== undefined && Number(percent) <= 100 ? Number(percent) / 100 : undefined;
}

function tableTree({ columns, rows }: Of<'table'>): Element {
  const right = columns.map(
    (_, c) => rows.length > 0 && rows.every((row) => typeof row[c] === 'number' || /^[\d.,]+%$/.test(row[c])),
  );
  // Shares of layers and the like are bars too; read aloud, the number is enough.
  const shares = columns.map((_, c) => rows.length > 1 && rows.every((row) => shareOf(row[c]) !== undefined));
  const cell = (tag: string, text: string, c: number, scope?: string) => {
    const share = tag === 'td' && shares[c] ? shareOf(text) : undefined;
    const bar =
      share === undefined ? [] : [element('meter', { min: 0, max: 1, value: share, 'aria-hidden': 'true' }), ' '];
    return element(tag, { scope, class: right[c] ? 'score' : undefined }, ...bar, text);
  };
  return element(
    'section',
    { class: 'table-scroll', tabindex: 0, 'aria-label': columns.filter(Boolean).join(', ') || 'facts' },
    element(
      'table',
      { class: 'data' },
      ...(columns.some((column) => column !== '')
        ? [element('thead', {}, element('tr', {}, ...columns.map((column, c) => cell('th', column, c, 'col'))))]
        : []),
      element(
        'tbody',
        {},
        ...rows.map((row) =>
          element(
            'tr',
            {},
            ...row.map((value, c) => cell('td', typeof value === 'number' ? shownNumber(value) : value, c)),
          ),
        ),
      ),
    ),
  );
}

function passagesTree({ passages }: Of<'passages'>): Element {
  const scores = passages.map(({ score }) => score);
  // From nothing: these are the best of many, and the least of them is no faint one.
  const least = Math.min(0, ...scores);
  const span = Math.max(...scores) - least;
  return element(
    'ol',
    { class: 'passages' },
    ...passages.map(({ text, score, source }) =>
      element(
        'li',
        {},
        element('span', { class: 'score' }, score.toFixed(4)),
        ' ',
        element('span', { class: heatClass(span > 0 ? (score - least) / span : 1) }, text),
        ...(source === undefined ? [] : [' ', element('span', { class: 'muted' }, `(${source})`)]),
      ),
    ),
  );
}

function stripTree({ of, parts }: Of<'strip'>): Element {
  const spans: { heat: string; text: string }[] = [];
  for (const { text, share } of parts) {
    const heat = heatClass(share);
    const last = spans.at(-1);
    // Tokens join where their shade is the same; a sentence is a part of its own, with a space at its end.
    if (last && last.heat === heat && !last.text.endsWith('. ')) last.text += text;
    else spans.push({ heat, text });
  }
  return element(
    'figure',
    { class: 'strip' },
    element('figcaption', { class: 'meta' }, `Shade: ${of}.`),
    element('p', { class: 'strip-text' }, ...spans.map(({ heat, text }) => element('span', { class: heat }, text))),
  );
}

function barsTree({ bars, unit }: Of<'bars'>): Element {
  const greatest = bars.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  return element(
    'table',
    { class: 'data' },
    element(
      'tbody',
      {},
      ...bars.map(({ label, value }) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, label),
          element('td', {}, element('meter', { min: 0, max: greatest, value: Math.abs(value), 'aria-label': label })),
          element('td', { class: 'score' }, `${shownNumber(value)} ${unit}`),
        ),
      ),
    ),
  );
}

function pictureTree(
  { href, width, height }: NonNullable<ReturnType<PictureOf>>,
  alt: string,
  caption: string,
): Element {
  return element(
    'figure',
    { class: 'chart' },
    element('img', { src: href, alt, width, height, decoding: 'async' }),
    element('figcaption', { class: 'visually-hidden' }, caption),
  );
}

/** Names, the first few of many. */
function named(labels: readonly string[]): string {
  return labels.length <= 8 ? labels.join(', ') : `${labels.slice(0, 8).join(', ')} and ${labels.length - 8} more`;
}

/** What a chart shows, for those who do not see it. */
export function chartInWords(title: string, chart: Chart): string {
  switch (chart.type) {
    case 'swarm':
      return `${title}: a row of dots over ${chart.x} for each of ${named(chart.rows.map(({ label }) => label))}.`;
    case 'waterfall': {
      const steps = chart.steps.map(({ label, change }) => `${label} ${change >= 0 ? '+' : ''}${shownNumber(change)}`);
      return `${title}: ${chart.x} from ${shownNumber(chart.from.value)} to ${shownNumber(chart.to.value)} by ${named(steps)}.`;
    }
    case 'halo':
      return `${title}: closed curves around a centre, ${chart.radius}, for ${named(chart.rings.map(({ label }) => label))}.`;
    case 'lines': {
      const ends = chart.lines.flatMap(({ label, points }) => {
        const last = points.at(-1);
        return last ? [`${label} ends at ${shownNumber(last.y)}`] : [];
      });
      return `${title}: ${chart.y} over ${chart.x}; ${named(ends)}.`;
    }
    case 'heat':
      return `${title}: a grid of ${chart.rows} by ${chart.columns}, coloured by ${chart.of}.`;
  }
}
