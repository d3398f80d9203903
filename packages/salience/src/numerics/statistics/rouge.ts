/** @file ROUGE-1: how many words of reference summaries a summary recalls. */

import { InputError, ParameterError } from '../../core/errors.ts';

/**
 * ROUGE-1 recall of a summary against several references, all as lists of words: Σ_references Σ_words min(count in summary,
 * count in reference) over the number of reference words; 0 to 1. Only the first `words` words of the summary count, for
 * recall without a limit rewards length alone.
 * @throws InputError if the references have no word; ParameterError if `words` is below 0.
 * Source: Lin, "ROUGE: a package for automatic evaluation of summaries", 2004.
 */
export function rouge1Recall<Word>(
  summary: readonly Word[],
  references: readonly (readonly Word[])[],
  { words }: { words: number },
): number {
  if (!(words >= 0)) throw new ParameterError(`words = ${words} is below 0`);
  const inSummary = countsOf(summary.slice(0, words));
  let recalled = 0;
  let total = 0;
  for (const reference of references) {
    total += reference.length;
    for (const [word, count] of countsOf(reference)) recalled += Math.min(count, inSummary.get(word) ?? 0);
  }
  if (total === 0) throw new InputError('the references have no word to recall');
  return recalled / total;
}

function countsOf<Word>(words: readonly Word[]): Map<Word, number> {
  const counts = new Map<Word, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
