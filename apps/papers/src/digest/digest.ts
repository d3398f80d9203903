/** @file Digests: the three sentences of an abstract that LexRank finds most central, and keyphrases by SemRe-Rank. */

import { choose } from 'salience';
import { Run, task } from 'salience/core';
import { collect, splitSentences } from 'salience/subjects';
import { lexrank, revisedTerms, semreRank } from 'salience/text';

export interface DigestSentence {
  readonly text: string;
  /** Centrality, 1 for the most central sentence of the abstract. */
  readonly score: number;
}

export interface Keyphrase {
  readonly phrase: string;
  /** Of the revised term scores of the papers it was compared with; 1 for the best of this paper. */
  readonly score: number;
}

const sentencesKept = 3;
const phrasesKept = 5;
// Half the method's own size: the words of a few hundred abstracts need no more, and it is the slowest step.
const termParams = semreRank.params.parse({ dimensions: 50, maxWords: 4 });

/** The three most central sentences of a text, in its order; all of a text that has no more. Of an empty text none. */
export async function digestOf(text: string): Promise<DigestSentence[]> {
  const sentences = splitSentences(text, 'en');
  if (sentences.length === 0) return [];
  if (sentences.length === 1) return [{ text: sentences[0], score: 1 }];
  const { scores, selection } = await choose(lexrank, collect([{ name: 'abstract', text }]), String(sentencesKept), {
    // In so few sentences most pairs pass a threshold, and all would be equal.
    params: { variant: 'continuous' },
  });
  return Array.from(selection.kept, (i) => ({ text: sentences[i], score: rounded(scores.values[i]) }));
}

/** A text that keyphrases are wanted of. */
export interface TitledText {
  readonly title: string;
  readonly abstract: string;
}

/** What a term of the title counts more, and a single word less. */
const inTitle = 1.5;
const singleWord = 0.5;

/**
 * Up to five keyphrases of each text, best first: terms that occur at least twice in all the texts together, by SemRe-Rank's
 * revised score · √(the share of the term's occurrences that are in this text) · ln(1 + texts / texts with the term), half as
 * much again in the title, half for a single word. One within another that is better is left out. The more texts of the same
 * kind, the better the terms: some hundred abstracts are enough.
 */
export async function keyphrasesOf(texts: readonly TitledText[], run = new Run()): Promise<Keyphrase[][]> {
  const documents = texts.flatMap(({ title, abstract }, place) => {
    const text = `${title.trim()}.\n\n${abstract}`;
    return splitSentences(text, 'en').length === 0 ? [] : [{ name: String(place), text }];
  });
  const phrases: Keyphrase[][] = texts.map(() => []);
  if (documents.length === 0) return phrases;
  const found = await revisedTerms(collect(documents), termParams, run).catch((error: Error) => {
    // Nothing occurs twice, as in a single short text.
    if (error.name === 'InputError') return undefined;
    throw error;
  });
  if (!found) return phrases;
  const { candidates, revised } = found;
  const { offsets, indices } = candidates.occurrences;
  const terms: { term: number; score: number }[][] = documents.map(() => []);
  const titles = documents.map(
    ({ name }) => ` ${texts[Number(name)].title.toLowerCase().replace(/[^\p{L}\p{N}-]+/gu, ' ')} `,
  );
  for (let term = 0; term < revised.length; term++) {
    const label = candidates.labels[term];
    const rarity = Math.log(1 + documents.length / (offsets[term + 1] - offsets[term]));
    const weight = revised[term] * rarity * (label.includes(' ') ? 1 : singleWord);
    for (let e = offsets[term]; e < offsets[term + 1]; e++) {
      const share = candidates.counts[e] / candidates.frequency[term];
      const titled = titles[indices[e]].includes(` ${label.toLowerCase()} `) ? inTitle : 1;
      terms[indices[e]].push({ term, score: weight * titled * Math.sqrt(share) });
    }
  }
  documents.forEach(({ name }, d) => {
    const kept: Keyphrase[] = [];
    const best = terms[d].sort((a, b) => b.score - a.score || a.term - b.term);
    for (const { term, score } of best) {
      if (kept.length === phrasesKept) break;
      const phrase = candidates.labels[term];
      const padded = ` ${phrase} `;
      if (kept.some(({ phrase: other }) => ` ${other} `.includes(padded) || padded.includes(` ${other} `))) continue;
      kept.push({ phrase, score: rounded(score / best[0].score) });
    }
    phrases[Number(name)] = kept;
  });
  return phrases;
}

const rounded = (score: number) => Number(score.toPrecision(4));

/** Texts to digest, and others that only say how terms are used. */
export interface DigestInput {
  readonly texts: readonly TitledText[];
  readonly context: readonly TitledText[];
}

export interface Digested {
  readonly digest: DigestSentence[];
  readonly keyphrases: Keyphrase[];
}

/**
 * Digest and keyphrases of each text.
 * @worker
 */
export async function digestTexts({ texts, context }: DigestInput): Promise<Digested[]> {
  const keyphrases = await keyphrasesOf([...texts, ...context]);
  const digested: Digested[] = [];
  for (const [i, { abstract }] of texts.entries()) {
    digested.push({ digest: await digestOf(abstract), keyphrases: keyphrases[i] });
  }
  return digested;
}

/** `digestTexts` as another thread finds it. */
export const digestTask = task(import.meta.url, digestTexts);
