/** @file Documents as a subject: loaded from files, kept as their best sentences or terms. */

import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { printBudget } from '../../core/budget.ts';
import { InputError } from '../../core/errors.ts';
import type { Block, Report } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import type { Selection } from '../../core/select.ts';
import type { Kept, SubjectKind } from '../../core/subject.ts';
import { writeBeside } from '../writing.ts';
import type { Collection } from './collection.ts';
import { accepted, loadCollection } from './load.ts';
import { stopWordsOf } from './stop-words.ts';

const options = z.object({
  language: z
    .string()
    .refine(isLanguage, 'is no language known here; write a BCP 47 tag such as en, de or pt-BR')
    .default('en')
    .describe('language of the texts, as a BCP 47 tag'),
  background: z
    .string()
    .optional()
    .describe('files or folders, joined by commas, of texts that word statistics come from'),
});

/** "english" is a tag by its form; only a language that something is known about is one by its sense. */
function isLanguage(tag: string): boolean {
  try {
    return Intl.Segmenter.supportedLocalesOf(tag).length > 0 || stopWordsOf(tag).size > 0;
  } catch {
    return false;
  }
}

/** One or more documents; their units are sentences or terms. */
export const document: SubjectKind<Collection, typeof options> = {
  kind: 'document',
  accepts: accepted,
  options,
  needsOutput: false,

  load(paths, { language, background = '' }, run) {
    const extra = background.split(',').filter((path) => path !== '');
    return loadCollection(paths, { language, background: extra }, run);
  },

  async sample(run) {
    const path = fileURLToPath(new URL('../../../examples/lighthouses.txt', import.meta.url));
    const { sentences, documents, ...rest } = await loadCollection([path], {}, run);
    return { ...rest, sentences, documents: [{ ...documents[0], name: 'lighthouses.txt' }] };
  },

  async keep(collection, kept, { path, force }, run) {
    const { scores, selection } = inMemory(kept);
    const units = unitsOf(collection, scores, selection);
    if (path !== undefined) await write(path, force, scores.unit, units, run);
    return reportOf(collection, scores, selection, units, path);
  },
};

/** A kept unit: its index among all, its text and score, and for a sentence its document. */
interface Unit {
  readonly index: number;
  readonly text: string;
  readonly score: number;
  readonly document?: string;
}

function inMemory({ scores, selection }: Kept): { scores: Scores; selection: Selection } {
  if (!('values' in scores) || !('kept' in selection))
    throw new InputError('the scores of a document come in one piece');
  return { scores, selection };
}

/** The kept sentences in reading order, or the kept terms from the highest score down. */
function unitsOf({ sentences, documents }: Collection, scores: Scores, { kept }: Selection): Unit[] {
  const { unit, values, labels } = scores;
  if (unit === 'sentence') {
    if (values.length !== sentences.length) {
      throw new InputError(`there are ${values.length} scores for ${sentences.length} sentences`);
    }
    return Array.from(kept, (index) => {
      const { text, document } = sentences[index];
      return { index, text, score: values[index], document: documents[document].name };
    });
  }
  if (unit !== 'term' || !labels) {
    throw new InputError(`a document keeps sentences or terms with their labels, and these scores are of a ${unit}`);
  }
  return Array.from(kept)
    .sort((i, j) => values[j] - values[i] || i - j)
    .map((index) => ({ index, text: labels[index], score: values[index] }));
}

function reportOf(
  { documents }: Collection,
  { unit }: Scores,
  { of, budget }: Selection,
  units: readonly Unit[],
  path: string | undefined,
): Report {
  const several = documents.length > 1;
  const source = several ? `${documents.length} documents` : documents[0].name;
  const block: Block =
    unit === 'sentence'
      ? {
          kind: 'passages',
          passages: units.map(({ text, score, document }) => ({ text, score, ...(several && { source: document }) })),
        }
      : {
          kind: 'table',
          columns: ['rank', 'term', 'score'],
          rows: units.map(({ text, score }, rank) => [rank + 1, text, Number(score.toPrecision(4))]),
        };
  return {
    title: `${units.length} of ${of} ${unit}${of === 1 ? '' : 's'} of ${source} kept (budget ${printBudget(budget)})`,
    blocks: [block, ...(path === undefined ? [] : [{ kind: 'text', text: `written to ${path}` } as const])],
  };
}

async function write(path: string, force: boolean, unit: string, units: readonly Unit[], run: Run): Promise<void> {
  const extension = extname(path).toLowerCase();
  const print = extension === '.json' ? array : ['.jsonl', '.ndjson'].includes(extension) ? lines : plain;
  await writeBeside(path, { force }, async (temporary) => {
    run.check();
    await writeFile(temporary, inBlocks(print(units, unit)), { signal: run.signal });
  });
}

function* plain(units: readonly Unit[]): Generator<string> {
  for (const [i, { text, document }] of units.entries()) {
    yield i > 0 && document !== units[i - 1].document ? `\n${text}\n` : `${text}\n`;
  }
}

function json({ index, text, score, document }: Unit, unit: string): string {
  return JSON.stringify(unit === 'term' ? { term: text, score, index } : { text, score, document, index });
}

function* lines(units: readonly Unit[], unit: string): Generator<string> {
  for (const each of units) yield `${json(each, unit)}\n`;
}

function* array(units: readonly Unit[], unit: string): Generator<string> {
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
