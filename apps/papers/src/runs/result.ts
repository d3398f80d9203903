/** @file What a run gives back: its report with the scores and what else was found, small enough for a row and a page. */

import type { Block, Report } from 'salience/core';

export interface RunResult extends Report {
  /** Remarks made on the way. */
  readonly remarks: readonly string[];
}

/** Scores as they are in memory, shape [n]. */
export interface ScoredUnits {
  readonly unit: string;
  readonly values: ArrayLike<number>;
  readonly labels?: readonly string[];
  readonly groups?: { readonly names: readonly string[]; readonly of: ArrayLike<number> };
  readonly findings?: readonly Block[];
}

/** Rows of a table, passages, parts of a strip, characters of a text, and bytes of the whole, at the most. */
const most = { rows: 500, passages: 500, parts: 8000, characters: 4000, bytes: 2_000_000, remarks: 20 };

/** Units of a ranking. */
const ranked = 50;

/** All sentences in reading order, each shaded by its score between the least and the greatest. */
export function shadedSentences(sentences: readonly { readonly text: string }[], values: ArrayLike<number>): Block[] {
  if (sentences.length === 0 || sentences.length > most.parts / 2 || sentences.length !== values.length) return [];
  const all = Array.from(values);
  const least = all.reduce((low, value) => Math.min(low, value), Infinity);
  const greatest = all.reduce((high, value) => Math.max(high, value), -Infinity);
  const span = greatest - least || 1;
  return [
    {
      kind: 'strip',
      of: 'the score of each sentence, between the least and the greatest',
      parts: sentences.map(({ text }, i) => ({ text: `${text} `, share: (all[i] - least) / span })),
    },
  ];
}

/** Units from the highest score down, as a table. */
export function ranking({ unit, values, labels, groups }: ScoredUnits, among?: ArrayLike<number>): Block {
  const indices = among ? Array.from(among) : Array.from(values, (_, i) => i);
  indices.sort((i, j) => values[j] - values[i] || i - j);
  const several = groups && groups.names.length > 1 ? groups : undefined;
  return {
    kind: 'table',
    columns: ['score', unit, ...(several ? ['in'] : [])],
    rows: indices
      .slice(0, ranked)
      .map((i) => [values[i], labels?.[i] ?? `${unit} ${i}`, ...(several ? [several.names[several.of[i]]] : [])]),
  };
}

/**
 * A result that a row of any database and a page can hold: long tables and texts cut, with a line that says so; numbers that are not
 * finite as words; characters that are no text left out.
 * @param rename gives each text as it may be shown, e.g. without the server's paths.
 */
export function tidy(
  { title, blocks, remarks }: RunResult,
  rename: (text: string) => string = (text) => text,
): RunResult {
  const text = (raw: string) => wellFormed(rename(raw)).slice(0, most.characters);
  const tidied = blocks.flatMap((block) => tidyBlock(block, text));
  const result = { title: text(title), blocks: tidied, remarks: remarks.slice(0, most.remarks).map(text) };
  if (JSON.stringify(result).length <= most.bytes) return result;
  const withoutCharts = tidied.filter(({ kind }) => kind !== 'chart' && kind !== 'strip');
  const said: Block = { kind: 'text', text: 'The charts are too large for this page; the command line draws them.' };
  const smaller = { ...result, blocks: [...withoutCharts, said] };
  return JSON.stringify(smaller).length <= most.bytes ? smaller : { ...result, blocks: [said] };
}

const finite = (value: number) => (Number.isFinite(value) ? value : 0);

/** A line for what was cut, where something was. */
function cut(what: string, all: readonly unknown[], shown: number): Block[] {
  const more = (all.length - shown).toLocaleString('en-US');
  return all.length > shown ? [{ kind: 'text', text: `… and ${more} more ${what}.` }] : [];
}

function tidyBlock(block: Block, text: (raw: string) => string): Block[] {
  switch (block.kind) {
    case 'text':
      return /^written to /i.test(block.text) ? [] : [{ ...block, text: text(block.text) }];
    case 'table':
      return [
        {
          kind: 'table',
          columns: block.columns.map(text),
          rows: block.rows
            .slice(0, most.rows)
            .map((row) =>
              row.map((cell) => (typeof cell === 'string' ? text(cell) : Number.isFinite(cell) ? cell : String(cell))),
            ),
        },
        ...cut('rows', block.rows, most.rows),
      ];
    case 'passages':
      return [
        {
          kind: 'passages',
          passages: block.passages.slice(0, most.passages).map(({ text: passage, score, source }) => ({
            text: text(passage),
            score: finite(score),
            ...(source !== undefined && { source: text(source) }),
          })),
        },
        ...cut('passages', block.passages, most.passages),
      ];
    case 'strip':
      return [
        {
          kind: 'strip',
          of: text(block.of),
          parts: block.parts
            .slice(0, most.parts)
            .map((part) => ({ text: text(part.text), share: Math.max(0, Math.min(1, finite(part.share))) })),
        },
        ...cut('parts', block.parts, most.parts),
      ];
    case 'bars':
      return [
        {
          kind: 'bars',
          unit: text(block.unit),
          bars: block.bars
            .slice(0, most.rows)
            .map(({ label, value }) => ({ label: text(label), value: finite(value) })),
        },
        ...cut('bars', block.bars, most.rows),
      ];
    case 'chart':
      return [{ ...block, title: text(block.title), chart: mapTexts(block.chart, text) }];
  }
}

/** Without NUL, which PostgreSQL does not hold, and halves of surrogate pairs. */
function wellFormed(text: string): string {
  return text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\u{fffd}');
}

/** A value with each text in it replaced. */
function mapTexts<Value>(value: Value, text: (raw: string) => string): Value {
  if (typeof value === 'string') return text(value) as Value;
  if (typeof value === 'number') return (Number.isFinite(value) ? value : 0) as Value;
  if (Array.isArray(value)) return value.map((part) => mapTexts(part, text)) as Value;
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mapTexts(part, text)])) as Value;
  }
  return value;
}
