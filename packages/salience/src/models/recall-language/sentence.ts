/** @file The grammar of the recall language's filler: a sentence is a subject, a verb that agrees with it, and what may follow. */

import type { Random } from '../../core/random.ts';
import { type Domain, keys, prepositions, values } from './lexicon.ts';

/** Shares of choices in the grammar. */
const share = { plural: 0.45, adjective: 0.35, place: 0.3, joined: 0.12, object: 0.55, adverb: 0.4, valued: 0.15 };

/** Chances of the first, second and third favourite; the rest falls on any. */
const favourites = [0.5, 0.2, 0.1];

/** An index below n: one of three favourites of `of`, or any. Who likes what is the same in every document. */
function favourite(random: Random, of: number, n: number): number {
  let u = random.uniform();
  for (let rank = 0; rank < favourites.length; rank++) {
    u -= favourites[rank];
    if (u < 0) return (of * 3 + rank * rank + rank) % n;
  }
  return random.integer(n);
}

/** An index below n with chances that fall as 1 / (index + 2). */
function zipf(random: Random, n: number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += 1 / (i + 2);
  let u = random.uniform() * total;
  for (let i = 0; i < n; i++) {
    u -= 1 / (i + 2);
    if (u < 0) return i;
  }
  return n - 1;
}

interface Phrase {
  readonly words: string[];
  readonly noun: number;
  readonly plural: boolean;
}

/** An article, perhaps an adjective, and a noun. */
function nounPhrase(random: Random, domain: Domain): Phrase {
  const noun = zipf(random, domain.nouns.length);
  const plural = random.uniform() < share.plural;
  const words = [plural || random.uniform() < 0.7 ? 'the' : 'every'];
  if (random.uniform() < share.adjective) {
    words.push(
      random.uniform() < share.valued
        ? random.choice(values)
        : domain.adjectives[favourite(random, noun, domain.adjectives.length)],
    );
  }
  words.push(plural ? domain.pluralNouns[noun] : domain.nouns[noun]);
  return { words, noun, plural };
}

function place(random: Random, domain: Domain, noun: number): string[] {
  const at = favourite(random, noun, domain.places.length);
  return [prepositions[favourite(random, at, prepositions.length)], 'the', domain.places[at]];
}

/**
 * One sentence of a domain, 4 words or more, full stop included. A place may stand between subject and verb; two subjects
 * joined by `and` take the plural.
 * @param mention chance that a sentence with an object has a key for it; nothing is said of the key.
 */
export function sentence(random: Random, domain: Domain, mention: number): string[] {
  const subject = nounPhrase(random, domain);
  const words = subject.words;
  let { plural } = subject;
  if (random.uniform() < share.joined) {
    words.push('and', ...nounPhrase(random, domain).words);
    plural = true;
  } else if (random.uniform() < share.place) {
    words.push(...place(random, domain, subject.noun));
  }
  const verb = favourite(random, subject.noun, domain.verbs.length);
  words.push((plural ? domain.pluralVerbs : domain.verbs)[verb]);
  if (random.uniform() < share.object) {
    if (random.uniform() < mention) words.push('the', random.choice(keys));
    else words.push(...nounPhrase(random, domain).words);
  }
  if (random.uniform() < share.adverb) words.push(domain.adverbs[favourite(random, verb, domain.adverbs.length)]);
  words.push('.');
  return words;
}
