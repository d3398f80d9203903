/** @file BibTeX: entries with nested braces, quoted and joined values, @string, LaTeX accents. */

import { isDay, type PaperInput } from '../papers/facts.ts';
import { readArxivId } from '../papers/identity.ts';
import { firstNameFirst, type Item, linesOf, longestRecord, monthOf, writtenDay } from './items.ts';
import { fromLatex } from './latex.ts';

const entryStart = /^\s*@\s*[a-z]+\s*[{(]/i;
/** What begins an entry so plainly that the one before it must have been left open. */
const surelyEntry = /^@[a-z]+\s*\{\s*[^\s,{}"]+\s*,/i;

/** Change of the depth of braces in a line. */
function depthIn(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '{') depth++;
    else if (text[i] === '}') depth--;
  }
  return depth;
}

/** The end of a group that begins with a brace at `from`: the place after its closing brace. */
function groupEnd(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i + 1;
  }
  return text.length;
}

/** The fields of an entry's body, names in lower case. */
function fieldsOf(body: string, strings: ReadonlyMap<string, string>): Map<string, string> | { problem: string } {
  const fields = new Map<string, string>();
  let at = 0;
  const skip = (what: RegExp) => {
    what.lastIndex = at;
    at += what.exec(body)?.[0].length ?? 0;
  };
  for (;;) {
    skip(/[\s,]*/y);
    if (at >= body.length) return fields;
    const name = /[^\s=,{}"#]+/y;
    name.lastIndex = at;
    const [field] = name.exec(body) ?? [''];
    at += field.length;
    const named = at - field.length;
    skip(/\s*/y);
    if (field === '' || body[at] !== '=')
      return { problem: `"=" is missing after "${body.slice(named, at + 20).trim()}"` };
    at++;
    let value = '';
    for (;;) {
      skip(/\s*/y);
      if (body[at] === '{') {
        const end = groupEnd(body, at);
        value += body.slice(at + 1, end - 1);
        at = end;
      } else if (body[at] === '"') {
        let end = at + 1;
        for (let depth = 0; end < body.length && !(depth === 0 && body[end] === '"'); end++) {
          if (body[end] === '\\') end++;
          else if (body[end] === '{') depth++;
          else if (body[end] === '}') depth--;
        }
        if (end >= body.length) return { problem: `the quotes of "${field}" are not closed` };
        value += body.slice(at + 1, end);
        at = end + 1;
      } else {
        const word = /[^\s,#{}"]+/y;
        word.lastIndex = at;
        const [bare] = word.exec(body) ?? [''];
        if (bare === '') return { problem: `"${field}" has no value` };
        value += /^\d+$/.test(bare) ? bare : (strings.get(bare.toLowerCase()) ?? bare);
        at += bare.length;
      }
      skip(/\s*/y);
      if (body[at] !== '#') break;
      at++;
    }
    if (!fields.has(field.toLowerCase())) fields.set(field.toLowerCase(), value);
  }
}

/** The names of a list of authors, and whether "others" end it. */
function namesOf(list: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let start = 0;
  const flat = list.replace(/\s+/g, ' ');
  for (let i = 0; i < flat.length; i++) {
    if (flat[i] === '\\') i++;
    else if (flat[i] === '{') depth++;
    else if (flat[i] === '}') depth--;
    else if (depth === 0 && flat.startsWith(' and ', i)) {
      names.push(flat.slice(start, i));
      start = i + 5;
      i += 3;
    }
  }
  names.push(flat.slice(start));
  return names
    .map((name) => (/^\{.*\}$/.test(name.trim()) ? fromLatex(name) : firstNameFirst(fromLatex(name))))
    .filter((name) => name !== '' && name !== 'others');
}

function paperOf(fields: ReadonlyMap<string, string>): PaperInput | { problem: string } {
  const text = (name: string) => fromLatex(fields.get(name) ?? '');
  const raw = (name: string) =>
    (fields.get(name) ?? '')
      .replace(/[{}]/g, '')
      .replace(/\\([_&%#])/g, '$1')
      .trim();
  const title = text('title');
  if (title === '') return { problem: 'the title is missing' };
  const authors = namesOf(fields.get('author') ?? fields.get('editor') ?? '');
  if (authors.length === 0) return { problem: 'the author is missing' };
  const [year, month, date] = (
    /^\d{4}/.test(raw('date')) ? raw('date') : `${raw('year')}-${raw('month')}-${raw('day')}`
  ).split('-');
  if (!/^\d{4}$/.test(year)) return { problem: year ? `"${year}" is not a year such as 2024` : 'the year is missing' };
  const posted = writtenDay(Number(year), (month && monthOf(month)) || 1, Number(date) || 1);
  if (!isDay(posted)) return { problem: `the calendar has no ${posted}` };
  const eprint = /^(?:arxiv)?$/i.test(raw('archiveprefix') || raw('eprinttype')) ? raw('eprint') : '';
  const inJournal = /arXiv:\s*(\S+)/i.exec(raw('journal') || raw('volume') || raw('note'))?.[1];
  const arxiv = [eprint, inJournal ?? '', raw('url')].find((candidate) => readArxivId(candidate));
  const url = raw('url');
  return {
    title,
    abstract: text('abstract'),
    authors,
    posted,
    yearInferred: !(month && date),
    ...(arxiv && { arxiv }),
    ...(raw('doi') && { doi: raw('doi') }),
    ...(/^https?:\/\//.test(url) && URL.canParse(url) && { links: [url] }),
    ...(raw('primaryclass') && { categories: [raw('primaryclass')] }),
    ...(text('note') && { note: text('note') }),
  };
}

/** Reads a stream of BibTeX, entry by entry; what stands between entries is skipped, as BibTeX does. */
export async function* readBibtex(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Item> {
  const strings = new Map<string, string>();
  let open: { line: number; text: string; depth: number } | undefined;

  const read = (line: number, text: string): Item | undefined => {
    const [head, kind] = /^\s*@\s*([a-z]+)\s*\{/i.exec(text) ?? [];
    if (head === undefined) return { line, problem: 'an entry in parentheses is not read; put it in braces' };
    const body = text.slice(head.length, text.lastIndexOf('}'));
    if (/^(?:comment|preamble)$/i.test(kind)) return undefined;
    if (/^string$/i.test(kind)) {
      const defined = fieldsOf(body, strings);
      if ('problem' in defined) return { line, problem: `@string: ${defined.problem}` };
      for (const [name, value] of defined) strings.set(name, value);
      return undefined;
    }
    const comma = body.indexOf(',');
    const key = (comma < 0 ? body : body.slice(0, comma)).trim();
    const fields = comma < 0 ? new Map<string, string>() : fieldsOf(body.slice(comma + 1), strings);
    const made = 'problem' in fields ? fields : paperOf(fields as ReadonlyMap<string, string>);
    return 'problem' in made ? { line, problem: `${key}: ${made.problem}` } : { line, input: made };
  };
  const left = (at: { line: number; text: string }): Item => ({
    line: at.line,
    problem: `the braces of "${at.text.trim().slice(0, 60).split('\n')[0]}" are not closed`,
  });

  for await (const { line, text } of linesOf(stream)) {
    if (open && (surelyEntry.test(text) || open.text.length > longestRecord)) {
      yield left(open);
      open = undefined;
    }
    if (!open) {
      if (!entryStart.test(text)) continue;
      open = { line, text: '', depth: 0 };
    }
    open.text += `${text}\n`;
    open.depth += depthIn(text);
    if (open.depth > 0) continue;
    const item = read(open.line, open.text);
    open = undefined;
    if (item) yield item;
  }
  if (open) yield left(open);
}
