/** @file RIS: records of tagged lines, from "TY  - JOUR" to "ER  -". */

import { isDay, type PaperInput } from '../papers/facts.ts';
import { readArxivId } from '../papers/identity.ts';
import { firstNameFirst, type Item, linesOf, longestRecord, monthOf, writtenDay } from './items.ts';

const tagged = /^([A-Z][A-Z0-9]) {1,2}-(?: (.*))?$/;

function paperOf(fields: ReadonlyMap<string, readonly string[]>): PaperInput | { problem: string } {
  const all = (...tags: string[]) => tags.flatMap((tag) => fields.get(tag) ?? []).filter((value) => value !== '');
  const [title] = all('TI', 'T1', 'CT', 'BT');
  if (!title) return { problem: 'the title (TI) is missing' };
  const authors = all('AU', 'A1').map(firstNameFirst);
  if (authors.length === 0) return { problem: 'the authors (AU) are missing' };
  const dates = all('DA', 'Y1', 'PY').map((value) => value.split(/[/-]/));
  const [year, month, day] = dates.find(([of]) => /^\d{4}$/.test(of)) ?? [];
  if (!year) return { problem: 'the year (PY) is missing' };
  const posted = writtenDay(Number(year), (month && monthOf(month)) || 1, Number(day) || 1);
  if (!isDay(posted)) return { problem: `the calendar has no ${posted}` };
  const links = all('UR', 'L1', 'L2', 'LK').filter((link) => /^https?:\/\//.test(link) && URL.canParse(link));
  const arxiv = [...links, ...all('M1', 'AN', 'ID')].find((text) => readArxivId(text));
  const [doi] = all('DO');
  return {
    title,
    abstract: all('AB', 'N2')[0] ?? '',
    authors,
    posted,
    yearInferred: !(month && day),
    ...(arxiv && { arxiv }),
    ...(doi && { doi }),
    links,
  };
}

/** Reads a stream of RIS, record by record; a line without a tag goes on with the one before. */
export async function* readRis(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Item> {
  let record: { line: number; length: number; fields: Map<string, string[]> } | undefined;
  let last: string[] | undefined;
  for await (const { line, text } of linesOf(stream)) {
    const [, tag, value = ''] = tagged.exec(line === 1 ? text.replace(/^\ufeff/, '') : text) ?? [];
    if (tag === 'TY') {
      if (record) yield { line: record.line, problem: `the record has no end; "ER  -" is missing before line ${line}` };
      record = { line, length: 0, fields: new Map() };
      last = undefined;
    } else if (tag === 'ER') {
      if (record) {
        const made = paperOf(record.fields);
        yield 'problem' in made ? { line: record.line, problem: made.problem } : { line: record.line, input: made };
      } else yield { line, problem: '"ER  -" ends a record that "TY  -" did not begin' };
      record = undefined;
    } else if (record) {
      record.length += text.length;
      if (record.length > longestRecord) {
        yield { line: record.line, problem: `the record is over ${longestRecord.toLocaleString('en')} characters` };
        record = undefined;
      } else if (tag) {
        last = record.fields.get(tag) ?? [];
        record.fields.set(tag, last);
        last.push(value.trim());
      } else if (text.trim() !== '' && last) last[last.length - 1] += ` ${text.trim()}`;
    } else if (text.trim() !== '') {
      yield { line, problem: `"${text.trim().slice(0, 40)}" stands outside of a record; one begins with "TY  - JOUR"` };
    }
  }
  if (record) yield { line: record.line, problem: 'the record has no end; "ER  -" is missing' };
}
