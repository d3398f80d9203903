/**
 * @file Documents of the recall language: facts early, filler between them and after them, questions late. Which value a key has
 * is drawn anew for each document, so that it can only be read there.
 *
 *     <s> the gulls near the pier follow every boat . note : lantern amber . … ask : lantern amber .
 */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { beginToken, domains, keys, textOf, tokenOf, values } from './lexicon.ts';
import { sentence } from './sentence.ts';

export interface DocumentOptions {
  /** Tokens, begin token included. */
  readonly length: number;
  /** Facts stated, each of another key. */
  readonly facts: number;
  /** Facts asked for, each once. */
  readonly questions: number;
  /** Index of the domain; drawn if absent. */
  readonly domain?: number;
  /** Chance that the object of a filler sentence is a key: a mention of it that says nothing. */
  readonly mention?: number;
}

export interface Question {
  /** Index of the answer's token; it is predicted from the token before it. */
  readonly position: number;
  readonly key: string;
  readonly value: string;
  /** Index of the same value in the fact. */
  readonly factPosition: number;
  /** Tokens from the fact's value to the answer. */
  readonly distance: number;
}

export interface RecallDocument {
  /** Shape [length]. */
  readonly tokens: Int32Array;
  readonly text: string;
  /** In the order of their positions. */
  readonly questions: readonly Question[];
  /** Index of the domain. */
  readonly domain: number;
}

/** Tokens of a fact, and of a question with its answer. */
const statement = 5;

/** Fewest tokens of a filler sentence. */
const shortest = 4;

/** Share of a document in which its facts stand, where they fit. */
const early = 0.4;

/** Share of a document in which its questions stand, where they fit. */
const late = 0.25;

/** Filler sentences of `total` tokens in all. */
function fillerOf(random: Random, total: number, domain: number, mention: number): string[][] {
  const sentences: string[][] = [];
  for (let left = total; left > 0; ) {
    const next = sentence(random, domains[domain], mention);
    const rest = left - next.length;
    if (rest !== 0 && rest < shortest) continue;
    sentences.push(next);
    left = rest;
  }
  return sentences;
}

/** Both lists as one, each in its own order, every interleaving equally likely. */
function interleave<T>(random: Random, a: readonly T[], b: readonly T[]): T[] {
  const fromA = [...a.map(() => true), ...b.map(() => false)];
  const next = [a[Symbol.iterator](), b[Symbol.iterator]()];
  return random.shuffle(fromA).map((first) => next[first ? 0 : 1].next().value as T);
}

/**
 * A document of exactly `length` tokens. All facts stand in its first 40% and all questions in its last 25%, to within a
 * sentence, or as near to that as they fit; the order of questions is not that of facts.
 * @throws ParameterError if there are more facts than keys or values, more questions than facts, or no room for them: filler
 *   takes no token at all or 4 or more.
 */
export function document(random: Random, options: DocumentOptions): RecallDocument {
  const { length, facts, questions, domain = random.integer(domains.length), mention = 0.25 } = options;
  if (!(facts >= 0 && facts <= Math.min(keys.length, values.length))) {
    throw new ParameterError(`a document has 0 to ${Math.min(keys.length, values.length)} facts, not ${facts}`);
  }
  if (!(questions >= 0 && questions <= facts)) {
    throw new ParameterError(`${questions} questions about ${facts} facts: each fact is asked for at most once`);
  }
  const said = 1 + statement * (facts + questions);
  if (length !== said && !(length >= said + shortest)) {
    throw new ParameterError(
      `${facts} facts and ${questions} questions need a length of ${said}, or ${said + shortest} and more, not ${length}`,
    );
  }

  const factKeys = Array.from(random.permutation(keys.length).subarray(0, facts), (k) => keys[k]);
  const factValues = factKeys.map(() => random.choice(values));
  const asked = random.permutation(facts).subarray(0, questions);
  const say = (opening: string, fact: number) => [opening, ':', factKeys[fact], factValues[fact], '.'];
  const stated = factKeys.map((_, fact) => say('note', fact));
  const answered = Array.from(asked, (fact) => say('ask', fact));

  const filler = fillerOf(random, length - said, domain, mention);
  let [start, end] = [0, filler.length];
  for (let room = early * length - statement * facts; start < end && room >= filler[start].length; start++)
    room -= filler[start].length;
  for (let room = late * length - statement * questions; end > start && room >= filler[end - 1].length; end--)
    room -= filler[end - 1].length;
  const sentences = [
    ...interleave(random, stated, filler.slice(0, start)),
    ...filler.slice(start, end),
    ...interleave(random, answered, filler.slice(end)),
  ];

  const tokens = Int32Array.from([beginToken, ...sentences.flat().map(tokenOf)]);
  const places = new Map<string, number>();
  const found: Question[] = [];
  let at = 1;
  for (const words of sentences) {
    const position = at + statement - 2;
    const [, , key, value] = words;
    if (words[0] === 'note') places.set(key, position);
    if (words[0] === 'ask') {
      const factPosition = places.get(key)!;
      found.push({ position, key, value, factPosition, distance: position - factPosition });
    }
    at += words.length;
  }
  return { tokens, text: textOf(tokens), questions: found, domain };
}

export interface BatchOptions extends DocumentOptions {
  /** Documents. */
  readonly batch: number;
  /** Weight of an answer's loss; 1 for all other tokens. */
  readonly answerWeight?: number;
}

/**
 * Documents to train on, one a row.
 * @returns `tokens` of shape [batch, length + 1], inputs being all but the last of a row and targets all but the first;
 *   `weights` of shape [batch, length], of the targets' losses; `documents`.
 * @throws ParameterError as `document` does.
 */
export function batch(random: Random, { batch: rows, answerWeight = 1, length, ...options }: BatchOptions) {
  const tokens = new Int32Array(rows * (length + 1));
  const weights = new Float32Array(rows * length).fill(1);
  const documents = Array.from({ length: rows }, () => document(random, { ...options, length: length + 1 }));
  documents.forEach((made, row) => {
    tokens.set(made.tokens, row * (length + 1));
    for (const { position } of made.questions) weights[row * length + position - 1] = answerWeight;
  });
  return { tokens, weights, documents };
}
