/**
 * @file SemRe-Rank (Zhang, Gao & Ciravegna 2017, arXiv:1711.03373): a term scores higher if its words are related to many
 * words of the documents it is in, and to the words of known terms.
 *
 * In each document the words of its candidate terms are joined to their nearest neighbours among word vectors; personalised
 * PageRank scores the words; sums over the documents give smi(w), means over the words of a term its importance a(t), and
 *   srk(t) = (1 + a(t)) · s(t) / max s
 * revises the score s of any other method. The released code links words to letters from the second document on; this does not.
 */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Run } from '../../core/run.ts';
import { ppmiSvd } from '../../models/word-vectors/ppmi-svd.ts';
import { readWordVectors } from '../../models/word-vectors/read-word-vectors.ts';
import type { WordVectors } from '../../models/word-vectors/word-vectors.ts';
import { csrGraph } from '../../numerics/graph/csr.ts';
import type { Graph } from '../../numerics/graph/graph.ts';
import { pageRank } from '../../numerics/graph/page-rank.ts';
import { type IndexLists, indexLists, listOf } from '../../numerics/index-lists.ts';
import { cosineNeighbours } from '../../numerics/neighbours/cosine-neighbours.ts';
import type { Collection } from '../../subjects/document/collection.ts';
import { document } from '../../subjects/document/document.ts';
import {
  normalTerm,
  type TermCandidates,
  termCandidates,
  termStopWords,
} from '../../subjects/document/term-candidates.ts';
import { baseScores, bases, termParams } from '../../subjects/document/term-scores.ts';

/** The words that can be nodes of the graphs, U, and where they come from. */
export interface GraphWords {
  /** Distinct words of the candidate terms, shape [|U|]. */
  readonly names: readonly string[];
  /** The words of each term, repeats included. */
  readonly ofTerms: IndexLists;
  /** The distinct words of the terms that occur in each document. */
  readonly ofDocuments: IndexLists;
}

/**
 * The words of the candidate terms as the graphs know them: lemmas in lower case; all but letters, digits and , / - + parts
 * them; those with fewer than `minLetters` letters and stop words are dropped.
 */
export function graphWords(
  { vocabulary, words, occurrences, documents }: TermCandidates,
  language: string,
  minLetters = 3,
): GraphWords {
  const stopWords = termStopWords(language);
  const numbers = new Map<string, number>();
  const ofTerms = Array.from({ length: words.offsets.length - 1 }, (_, t) =>
    Array.from(listOf(words, t))
      .flatMap((w) => partsOf(vocabulary[w], minLetters))
      .filter((part) => !stopWords.has(part))
      .map((part) => {
        const number = numbers.get(part) ?? numbers.size;
        numbers.set(part, number);
        return number;
      }),
  );
  const ofDocuments = Array.from({ length: documents }, () => new Set<number>());
  ofTerms.forEach((list, t) => {
    for (const d of listOf(occurrences, t)) for (const word of list) ofDocuments[d].add(word);
  });
  return {
    names: [...numbers.keys()],
    ofTerms: indexLists(ofTerms),
    ofDocuments: indexLists(ofDocuments.map((set) => Uint32Array.from(set))),
  };
}

function partsOf(word: string, minLetters: number): string[] {
  const parts = word.split(/[^\p{L}\p{M}\p{N},/+-]+/u);
  return parts.filter((part) => (part.match(/\p{L}/gu)?.length ?? 0) >= minLetters);
}

/** Vectors of the words of the text, stop words included, trained on its sentences; a word without company has none. */
export async function trainVectors(
  { vocabulary, sentences }: Pick<TermCandidates, 'vocabulary' | 'sentences'>,
  { dimensions, window, minLetters }: { dimensions: number; window: number; minLetters: number },
  run: Run,
): Promise<WordVectors> {
  const numbers = new Map<string, number>();
  const partsOfWord = vocabulary.map((word) =>
    partsOf(word, minLetters).map((part) => {
      const number = numbers.get(part) ?? numbers.size;
      numbers.set(part, number);
      return number;
    }),
  );
  const parts = Array.from({ length: sentences.offsets.length - 1 }, (_, s) =>
    Array.from(listOf(sentences, s)).flatMap((word) => partsOfWord[word]),
  );
  const { dimensions: width, values } = await ppmiSvd(
    indexLists(parts),
    numbers.size,
    dimensions,
    run.random('semre-rank/vectors'),
    { window, pause: () => run.breathe() },
  );
  const words = [...numbers.keys()].map((word, i) => ({ word, vector: values.subarray(i * width, (i + 1) * width) }));
  return joined(
    words.filter(({ vector }) => vector.some((value) => value !== 0)),
    width,
  );
}

function joined(words: readonly { word: string; vector: Float32Array }[], dimensions: number): WordVectors {
  const values = new Float32Array(words.length * dimensions);
  words.forEach(({ vector }, i) => {
    values.set(vector, i * dimensions);
  });
  return { words: words.map(({ word }) => word), dimensions, values };
}

/**
 * The neighbours of each word of U: of the ⌊relTop · |U|⌋ nearest among all words with a vector those in U, of two letters or
 * digits at the least, with a cosine of relMin or more. A word without a vector has no neighbours and is none.
 * @throws ParameterError if relMin or relTop is out of range; InputError if the vector of a word of U is zero or not finite.
 */
export async function wordNeighbours(
  { words, dimensions, values }: WordVectors,
  names: readonly string[],
  { relMin = 0.5, relTop = 0.15 } = {},
  run?: Run,
): Promise<IndexLists> {
  if (!(relMin >= 0 && relMin <= 1)) throw new ParameterError(`relMin = ${relMin} is outside 0 to 1`);
  if (!(relTop > 0 && relTop <= 1)) throw new ParameterError(`relTop = ${relTop} is outside 0 to 1, or 0`);
  const used = new Map(names.map((name, u) => [name, u]));
  const all = words.map((word, i) => ({ word, vector: values.subarray(i * dimensions, (i + 1) * dimensions) }));
  const inside = all.filter(({ word }) => used.has(word));
  for (const { word, vector } of inside) {
    if (!vector.every(Number.isFinite)) throw new InputError(`the vector of "${word}" is not finite`);
    if (vector.every((value) => value === 0)) throw new InputError(`the vector of "${word}" is zero`);
  }
  if (inside.length === 0) return indexLists(names.map(() => []));
  const outside = all.filter(({ word, vector }) => !used.has(word) && vector.some((value) => value !== 0));
  const near = await cosineNeighbours(joined([...inside, ...outside], dimensions).values, dimensions, {
    limit: Math.floor(relTop * names.length),
    atLeast: relMin,
    among: inside.length,
    pause: async (done) => {
      run?.progress('neighbours of words', done, inside.length);
      await run?.breathe();
    },
  });
  const place = Uint32Array.from(inside, ({ word }) => used.get(word)!);
  const lists = names.map(() => new Uint32Array(0));
  inside.forEach((_, i) => {
    const longEnough = listOf(near, i).filter((j) => (inside[j].word.match(/[\p{L}\p{N}]/gu)?.length ?? 0) > 1);
    lists[place[i]] = longEnough.map((j) => place[j]).sort();
  });
  return indexLists(lists);
}

/** The graph of one document; a word without neighbours is no node. */
export interface RelatednessGraph {
  /** The word of each node. */
  readonly nodes: Uint32Array;
  readonly graph: Graph;
}

/**
 * G_d: an undirected, unweighted edge between each word of the document's terms and each of its neighbours, which may be words
 * of terms of other documents.
 * @param nodeOf room for one number a word of U, all −1 before and after; spares allocating it for every document.
 */
export function relatednessGraph(
  words: ArrayLike<number>,
  neighbours: IndexLists,
  nodeOf = new Int32Array(neighbours.offsets.length - 1).fill(-1),
): RelatednessGraph {
  const nodes: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  const node = (word: number) => {
    if (nodeOf[word] < 0) nodeOf[word] = nodes.push(word) - 1;
    return nodeOf[word];
  };
  for (let i = 0; i < words.length; i++) {
    for (const neighbour of listOf(neighbours, words[i])) {
      from.push(node(words[i]));
      to.push(node(neighbour));
    }
  }
  for (const word of nodes) nodeOf[word] = -1;
  return { nodes: Uint32Array.from(nodes), graph: csrGraph(nodes.length, { from, to }) };
}

/**
 * The terms that seed the teleport: of the z most frequent in the corpus (the lower index first among equals) those that are
 * verified. Without a verification all z are kept.
 * @throws ParameterError if z is not a whole number of 0 or more.
 */
export function seedTerms(
  frequency: ArrayLike<number>,
  z: number,
  verified: (term: number) => boolean = () => true,
): Uint32Array {
  if (!(Number.isSafeInteger(z) && z >= 0)) throw new ParameterError(`z = ${z} is not a whole number of 0 or more`);
  const order = Uint32Array.from({ length: frequency.length }, (_, t) => t);
  return order
    .sort((a, b) => frequency[b] - frequency[a] || a - b)
    .slice(0, z)
    .filter(verified);
}

/** 1 for each word of U that is in a seed term, else 0; shape [|U|]. */
export function seedWords(seeds: Uint32Array, { names, ofTerms }: Pick<GraphWords, 'names' | 'ofTerms'>): Uint8Array {
  const marks = new Uint8Array(names.length);
  for (const t of seeds) for (const word of listOf(ofTerms, t)) marks[word] = 1;
  return marks;
}

export interface WalkOptions {
  /** Probability of following an edge; 0.85 by default. */
  follow?: number;
  /** The walk has settled once a step moves a node's score by less than this on average; 1e-6 by default. */
  tolerance?: number;
  maxIterations?: number;
}

/**
 * r_d(w) / max r_d, r_d = follow · Pᵀ r_d + (1 − follow) · v: personalised PageRank over the nodes of a document's graph, v
 * uniform over the seed words among them, or over all nodes where there are none; shape [nodes].
 * @throws ParameterError if follow is not between 0 and 1.
 */
export function documentImportance(
  { nodes, graph }: RelatednessGraph,
  seeds: Uint8Array,
  { follow = 0.85, tolerance = 1e-6, maxIterations = 5000 }: WalkOptions = {},
): { readonly values: Float64Array; readonly converged: boolean } {
  if (!(follow > 0 && follow < 1)) throw new ParameterError(`follow = ${follow} is not between 0 and 1`);
  const teleport = nodes.map((word) => seeds[word]);
  const { scores, converged } = pageRank(graph, {
    follow,
    teleport: teleport.includes(1) ? teleport : undefined,
    tolerance: tolerance * nodes.length,
    maxIterations,
  });
  const most = scores.reduce((a, b) => Math.max(a, b), 0);
  return { values: scores.map((score) => score / most), converged };
}

/**
 * smi(w): the importance of each word summed over the documents in whose graph it is, divided by its maximum over the words;
 * shape [|U|], 0 for a word in no graph.
 */
export async function wordImportance(
  ofDocuments: IndexLists,
  neighbours: IndexLists,
  seeds: Uint8Array,
  options: WalkOptions = {},
  run?: Run,
): Promise<Float64Array> {
  const documents = ofDocuments.offsets.length - 1;
  const sums = new Float64Array(seeds.length);
  const nodeOf = new Int32Array(seeds.length).fill(-1);
  let unsettled = 0;
  for (let d = 0; d < documents; d++) {
    if (run && d % 64 === 0) {
      run.progress('word graphs', d, documents);
      await run.breathe();
    }
    const graph = relatednessGraph(listOf(ofDocuments, d), neighbours, nodeOf);
    if (graph.nodes.length === 0) continue;
    const { values, converged } = documentImportance(graph, seeds, options);
    graph.nodes.forEach((word, node) => {
      sums[word] += values[node];
    });
    if (!converged) unsettled++;
  }
  if (unsettled > 0) run?.log(`the walk had not settled after maxIterations in ${unsettled} of ${documents} documents`);
  const most = sums.reduce((a, b) => Math.max(a, b), 0);
  return most > 0 ? sums.map((sum) => sum / most) : sums;
}

/**
 * a(t): the importance of the words of each term, summed over their occurrences, over the number of words of the term as
 * written, so that words without importance dilute; shape [n].
 */
export function candidateImportance(
  ofTerms: IndexLists,
  lengths: ArrayLike<number>,
  importance: ArrayLike<number>,
): Float64Array {
  return Float64Array.from({ length: lengths.length }, (_, t) => {
    let sum = 0;
    for (const word of listOf(ofTerms, t)) sum += importance[word];
    return sum / lengths[t];
  });
}

/**
 * The revised scores, shape [n]: (1 + a) · s′ (mult) or s′ + a (add), s′ = s / max s.
 * @throws InputError if there are no base scores, one is negative or not finite, or none is above 0.
 */
export function revise(
  base: ArrayLike<number>,
  importance: ArrayLike<number>,
  combine: 'mult' | 'add' = 'mult',
): Float64Array {
  if (base.length === 0) throw new InputError('there are no candidate terms to revise');
  let most = 0;
  for (let t = 0; t < base.length; t++) {
    if (!(base[t] >= 0 && base[t] < Infinity)) {
      throw new InputError(`the base score of term ${t} is ${base[t]}; base scores must be finite and 0 or more`);
    }
    most = Math.max(most, base[t]);
  }
  if (most === 0) throw new InputError('no base score is above 0, so there is nothing to revise');
  return Float64Array.from(base, (s, t) =>
    combine === 'mult' ? (1 + importance[t]) * (s / most) : s / most + importance[t],
  );
}

/** The terms of a list in which an entry "@path" stands for the lines of a file, normalised as candidates are. */
async function verifiedTerms(list: readonly string[], language: string): Promise<Set<string>> {
  const terms = new Set<string>();
  for (const entry of list) {
    let texts = [entry];
    if (entry.startsWith('@')) {
      const { readFile } = await import('node:fs/promises');
      const text = await readFile(entry.slice(1), 'utf8').catch((cause: Error) => {
        throw new InputError(`seeds: ${entry.slice(1)} cannot be read: ${cause.message}`, { cause });
      });
      texts = text.split(/\r?\n/);
    }
    for (const text of texts) terms.add(await normalTerm(text, language));
  }
  return terms;
}

const semreRankParams = z.object({
  base: z.enum(bases).default('basic').describe('the score that is revised'),
  relMin: z.number().min(0).max(1).default(0.5).describe('the lowest cosine of two words that are joined'),
  relTop: z.number().positive().max(1).default(0.15).describe('most neighbours of a word, as a share of all words'),
  follow: z.number().gt(0).lt(1).default(0.85).describe('probability of following an edge rather than a jump'),
  z: z.int().min(0).default(100).describe('how many of the most frequent terms are looked at for seeds'),
  seeds: z
    .array(z.string())
    .optional()
    .describe('terms known to be right, or @file with one a line; without them all z terms seed, unverified'),
  combine: z.enum(['mult', 'add']).default('mult').describe('(1 + a) · s′ or s′ + a'),
  dimensions: z.int().positive().default(100).describe('size of the word vectors trained on the collection'),
  window: z.int().positive().default(3).describe('words on either side that are context in training'),
  minLetters: z.int().positive().default(3).describe('words with fewer letters are in no graph'),
  vectors: z
    .string()
    .optional()
    .describe('file of word vectors to use instead: word2vec text or .bin, GloVe, fastText .vec'),
  tolerance: z.number().positive().default(1e-6).describe('the walk ends once a step moves a node by less on average'),
  maxIterations: z.int().positive().default(5000).describe('the walk ends after so many steps in any case'),
  ...termParams,
});

/** The candidate terms of a collection with the documents that hold them, their scores before and after; shape [n]. */
export interface RevisedTerms {
  readonly candidates: TermCandidates;
  readonly base: Float64Array;
  readonly revised: Float64Array;
}

/**
 * SemRe-Rank of a collection, for those who ask which term is in which document; `semreRank` gives the terms alone.
 * @throws InputError if the collection holds no candidate terms, or a file of vectors or seeds cannot be read.
 */
export async function revisedTerms(
  collection: Collection,
  params: z.output<typeof semreRankParams>,
  run: Run,
): Promise<RevisedTerms> {
  const { language } = collection;
  const candidates = await termCandidates(collection, params, run);
  const words = graphWords(candidates, language, params.minLetters);
  const vectors = params.vectors
    ? await readWordVectors(params.vectors, run, new Set([...words.names, ...candidates.vocabulary]))
    : await trainVectors(candidates, params, run);
  const neighbours = await wordNeighbours(vectors, words.names, params, run);
  const verified = params.seeds && (await verifiedTerms(params.seeds, language));
  const seeds = seedTerms(candidates.frequency, params.z, verified && ((t) => verified.has(candidates.terms[t])));
  run.log(
    `${candidates.terms.length} terms, ${words.names.length} words, ${neighbours.indices.length} neighbours, ` +
      `${seeds.length} seed terms${verified ? ' verified' : ', none of them verified'}`,
  );
  const smi = await wordImportance(words.ofDocuments, neighbours, seedWords(seeds, words), params, run);
  const lengths = candidates.terms.map((_, t) => candidates.words.offsets[t + 1] - candidates.words.offsets[t]);
  const base = await baseScores(params.base, candidates, collection);
  const revised = revise(base, candidateImportance(words.ofTerms, lengths, smi), params.combine);
  return { candidates, base, revised };
}

export const semreRank = method({
  id: 'semre-rank',
  name: 'SemRe-Rank',
  source: 'arXiv:1711.03373',
  summary:
    'Revises any term score by how central the words of the term are among the related words of its documents, seeded by frequent terms.',
  unit: 'term',
  subject: document,
  formula: '(1 + a(t)) · s(t) / max s, a(t) = Σ over the words of t of smi(w) / |t|, smi from personalised PageRank',
  cost: 'O(|U|² · dimensions + edges · steps of the walk)',
  params: semreRankParams,
  async score(collection, params, run) {
    const { candidates, base, revised } = await revisedTerms(collection, params, run);
    // Ties go to the lower index: the higher base score, then the alphabet.
    const order = Uint32Array.from(base.keys()).sort((a, b) => base[b] - base[a] || a - b);
    return {
      unit: 'term',
      values: Float32Array.from(order, (t) => revised[t]),
      labels: Array.from(order, (t) => candidates.labels[t]),
    };
  },
});
