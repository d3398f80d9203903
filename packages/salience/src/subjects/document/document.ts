/** @file Documents as a subject: loaded from files, kept as their best sentences or terms. */

import { z } from 'zod';
import { printBudget } from '../../core/budget.ts';
import { InputError } from '../../core/errors.ts';
import type { Block, Report } from '../../core/report.ts';
import type { Scores } from '../../core/scores.ts';
import type { Selection } from '../../core/select.ts';
import type { Kept, SubjectKind } from '../../core/subject.ts';
import type { Collection } from './collection.ts';
import type { KeptUnit } from './document-files.ts';
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

// Files are a module of their own, loaded where there are some: documents in memory are scored and kept in browsers too.
const files = () => import('./document-files.ts');

/** One or more documents; their units are sentences or terms. */
export const document: SubjectKind<Collection, typeof options> = {
  kind: 'document',
  accepts:
    'text (.txt or any other), Markdown (.md), HTML (.html), JSON Lines with a "text" (.jsonl), a folder of these, or -',
  options,
  needsOutput: false,

  async load(paths, { language, background = '' }, run) {
    const extra = background.split(',').filter((path) => path !== '');
    return (await files()).loadCollection(paths, { language, background: extra }, run);
  },

  async sample(run) {
    return (await files()).sampleCollection(run);
  },

  async keep(collection, kept, { path, force }, run) {
    const { scores, selection } = inMemory(kept);
    const units = unitsOf(collection, scores, selection);
    if (path !== undefined) await (await files()).writeUnits(path, force, scores.unit, units, run);
    return reportOf(collection, scores, selection, units, path);
  },
};

function inMemory({ scores, selection }: Kept): { scores: Scores; selection: Selection } {
  if (!('values' in scores) || !('kept' in selection))
    throw new InputError('the scores of a document come in one piece');
  return { scores, selection };
}

/** The kept sentences in reading order, or the kept terms from the highest score down. */
function unitsOf({ sentences, documents }: Collection, scores: Scores, { kept }: Selection): KeptUnit[] {
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
  units: readonly KeptUnit[],
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
