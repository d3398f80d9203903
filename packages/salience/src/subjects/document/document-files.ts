/** @file Documents and files: the bundled sample, and what was kept written down. */

import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Run } from '../../core/run.ts';
import { writeBeside } from '../writing.ts';
import type { Collection } from './collection.ts';
import { loadCollection } from './load.ts';

export { loadCollection };

/** A kept unit: its index among all, its text and score, and for a sentence its document. */
export interface KeptUnit {
  readonly index: number;
  readonly text: string;
  readonly score: number;
  readonly document?: string;
}

/** The bundled article. */
export async function sampleCollection(run: Run): Promise<Collection> {
  const path = fileURLToPath(new URL('../../../examples/lighthouses.txt', import.meta.url));
  const { sentences, documents, ...rest } = await loadCollection([path], {}, run);
  return { ...rest, sentences, documents: [{ ...documents[0], name: 'lighthouses.txt' }] };
}

/** Writes what was kept, in the form that the path's ending asks for: JSON, JSON Lines or plain text. */
export async function writeUnits(
  path: string,
  force: boolean,
  unit: string,
  units: readonly KeptUnit[],
  run: Run,
): Promise<void> {
  const extension = extname(path).toLowerCase();
  const print = extension === '.json' ? array : ['.jsonl', '.ndjson'].includes(extension) ? lines : plain;
  await writeBeside(path, { force }, async (temporary) => {
    run.check();
    await writeFile(temporary, inBlocks(print(units, unit)), { signal: run.signal });
  });
}

function* plain(units: readonly KeptUnit[]): Generator<string> {
  for (const [i, { text, document }] of units.entries()) {
    yield i > 0 && document !== units[i - 1].document ? `\n${text}\n` : `${text}\n`;
  }
}

function json({ index, text, score, document }: KeptUnit, unit: string): string {
  return JSON.stringify(unit === 'term' ? { term: text, score, index } : { text, score, document, index });
}

function* lines(units: readonly KeptUnit[], unit: string): Generator<string> {
  for (const each of units) yield `${json(each, unit)}\n`;
}

function* array(units: readonly KeptUnit[], unit: string): Generator<string> {
  yield '[';
  for (const [i, each] of units.entries()) yield `${i > 0 ? ',' : ''}\n  ${json(each, unit)}`;
  yield '\n]\n';
}

/** Joins strings to such as are worth a write of their own. */
function* inBlocks(strings: Iterable<string>): Generator<string> {
  let block = '';
  for (const string of strings) {
    block += string;
    if (block.length > 65_536) {
      yield block;
      block = '';
    }
  }
  yield block;
}
