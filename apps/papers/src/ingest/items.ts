/** @file Items: what the readers of files and feeds give, one by one: a record, or what is wrong at a line. */

import type { PaperInput } from '../papers/facts.ts';

export type Item =
  | { readonly line: number; readonly input: PaperInput }
  | { readonly line: number; readonly problem: string };

/** Longest record, in characters, that a file may hold. */
export const longestRecord = 1_000_000;

/** A file that cannot be read at all; the message says why and what would be right. */
export class UnreadableFile extends Error {}

/**
 * The lines of a stream of UTF-8, numbered from 1, without their ends (LF, CRLF) and without a byte order mark.
 * @throws UnreadableFile at a line over `longest` characters, or where the bytes are no UTF-8.
 */
export async function* linesOf(
  stream: AsyncIterable<Uint8Array>,
  longest = longestRecord,
): AsyncGenerator<{ line: number; text: string }> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let rest = '';
  const decode = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new UnreadableFile(`line ${line} or after: these bytes are not UTF-8`);
    }
  };
  for await (const chunk of stream) {
    const parts = (rest + decode(chunk)).split('\n');
    rest = parts.pop()!;
    for (const part of parts) {
      yield { line, text: part.replace(/\r$/, '') };
      line++;
    }
    if (rest.length > longest)
      throw new UnreadableFile(`line ${line} is over ${longest.toLocaleString('en')} characters`);
  }
  rest += decode();
  if (rest !== '') yield { line, text: rest.replace(/\r$/, '') };
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** 1 to 12 for "Oct", "October", "10"; undefined for what is no month. */
export function monthOf(text: string): number | undefined {
  const bare = text.trim().toLowerCase();
  if (/^\d{1,2}$/.test(bare)) return Number(bare) >= 1 && Number(bare) <= 12 ? Number(bare) : undefined;
  const place = monthNames.indexOf(bare.slice(0, 3));
  return place < 0 ? undefined : place + 1;
}

/** "2024-02-29" from its numbers, whether or not the calendar has it. */
export function writtenDay(year: number, month: number, day: number): string {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** A name with the first name first: "Erkan, Günes" → "Günes Erkan", "King, Jr., Martin" → "Martin King Jr.". */
export function firstNameFirst(name: string): string {
  const parts = name.split(',').map((part) => part.trim());
  if (parts.length === 1) return parts[0];
  const [last, ...others] = parts;
  const first = others.pop();
  return [first, last, ...others].filter(Boolean).join(' ');
}
