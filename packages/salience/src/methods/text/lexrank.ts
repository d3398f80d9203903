/**
 * @file LexRank (Erkan & Radev 2004, arXiv:1109.2128): a sentence matters if it is similar to many sentences that matter.
 *
 * Sentences are tf·idf vectors; their similarity is the idf-modified cosine
 *   c(x, y) = Σ_w tf_{w,x} tf_{w,y} idf_w² / (√Σ_w (tf_{w,x} idf_w)² · √Σ_w (tf_{w,y} idf_w)²),   c(x, x) = 1.
 */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Run } from '../../core/run.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { type Graph, isConnected } from '../../numerics/graph/graph.ts';
import { type PageRank, pageRankSteps } from '../../numerics/graph/page-rank.ts';
import { cosineGraph, thresholdGraph, thresholdGraphSteps } from '../../numerics/graph/similarity-graph.ts';
import type { Collection } from '../../subjects/document/collection.ts';
import { document } from '../../subjects/document/document.ts';
import {
  collectionVectors,
  type SentenceVectors,
  sentenceScores,
  vectorParams,
} from '../../subjects/document/sentence-vectors.ts';
import { wordsOf } from '../../subjects/document/words.ts';

/**
 * The graph of the sentences: edges where c > t, unweighted, self-loops kept (degree centrality and LexRank with threshold);
 * without t all edges, weighted by c (continuous LexRank).
 * @throws ParameterError if t is outside [0, 1).
 */
export function sentenceGraph({ tfIdf }: SentenceVectors, t?: number): Graph {
  return t === undefined ? cosineGraph(tfIdf) : thresholdGraph(tfIdf, t);
}

/** Degree centrality: how many sentences each is joined to, itself included; shape [n]. */
export function degreeCentrality({ outWeight }: Graph): Float64Array {
  return outWeight.slice();
}

export interface LexRankOptions {
  /** d, the probability of a jump to a sentence at random; 0.15 by default. */
  teleport?: number;
  /** Where jumps land, shape [n]; uniform by default, the relevance to a query in biased LexRank. */
  bias?: ArrayLike<number>;
  tolerance?: number;
  maxIterations?: number;
}

/**
 * LexRank, the stationary distribution of
 *   p(u) = d · b(u) + (1 − d) Σ_{v adjacent to u} c(u, v) / (Σ_z c(z, v)) · p(v),   b(u) = 1 / n unless biased,
 * with c 0 or 1 in a graph with threshold; `matrixGraph` makes a graph of similarities of any origin.
 * @returns scores of shape [n] and sum 1.
 * @throws ParameterError if an option is out of range, or d = 0 on a graph in several parts, where p is not unique.
 */
export function lexRank(graph: Graph, options: LexRankOptions = {}): PageRank {
  return finish(lexRankSteps(graph, options));
}

/** `lexRank` with a pause after each step of the power method. */
function lexRankSteps(graph: Graph, { teleport: d = 0.15, bias, ...stop }: LexRankOptions): Steps<PageRank> {
  if (!(d >= 0 && d <= 1)) throw new ParameterError(`teleport = ${d} is outside 0 to 1`);
  if (d === 0 && !isConnected(graph)) {
    throw new ParameterError('teleport = 0 needs a connected graph, and this one falls into parts; 0.15 is usual');
  }
  return pageRankSteps(graph, { follow: 1 - d, teleport: bias, ...stop });
}

/**
 * Relevance of each sentence to a query (Otterbacher, Erkan & Radev 2005), shape [n]:
 *   rel(s | q) = Σ_{w in q} log(tf_{w,s} + 1) · log(tf_{w,q} + 1) · idf_w.
 */
export function relevance({ tfIdf, counts, vocabulary, idf }: SentenceVectors, query: readonly string[]): Float64Array {
  const weight = vocabulary.map((word, w) => Math.log(query.filter((asked) => asked === word).length + 1) * idf[w]);
  return Float64Array.from({ length: tfIdf.rows }, (_, s) => {
    let sum = 0;
    for (let e = tfIdf.offsets[s]; e < tfIdf.offsets[s + 1]; e++) {
      sum += Math.log(counts[e] + 1) * weight[tfIdf.indices[e]];
    }
    return sum;
  });
}

/** Cross-sentence subsumption of MEAD: 2 · words in both / (words of i + words of j), repeats counted; 0 to 1. */
export function subsumption({ tfIdf: { offsets, indices }, counts }: SentenceVectors, i: number, j: number): number {
  let shared = 0;
  let all = 0;
  let q = offsets[j];
  for (let p = offsets[i]; p < offsets[i + 1]; p++) {
    all += counts[p];
    for (; q < offsets[j + 1] && indices[q] <= indices[p]; q++) {
      all += counts[q];
      if (indices[q] === indices[p]) shared += Math.min(counts[p], counts[q]);
    }
  }
  for (; q < offsets[j + 1]; q++) all += counts[q];
  return all === 0 ? Number(i === j) : (2 * shared) / all;
}

/** The position feature of MEAD: 1 for the first sentence of a document, falling evenly to 1 / its length for the last; shape [n]. */
export function positionFeature({ documents, sentences }: Collection): Float64Array {
  return Float64Array.from(sentences, ({ document, position }) => {
    const length = documents[document].sentences.length;
    return (length - position) / length;
  });
}

/** Comparisons that take minutes; more of them are refused rather than begun. */
const mostComparisons = 2e11;

/** @throws InputError if the sentences share words in too many pairs to be compared in minutes. */
function refuseHopeless({ tfIdf: { indices, columns, rows } }: SentenceVectors): void {
  const holding = new Uint32Array(columns);
  for (const word of indices) holding[word]++;
  const comparisons = holding.reduce((sum, n) => sum + (n * n) / 2, 0);
  if (comparisons > mostComparisons) {
    throw new InputError(
      `${rows.toLocaleString('en-US')} sentences share words in ${comparisons.toExponential(1)} pairs, which would take hours to compare; ` +
        'give fewer sentences, or use --variant continuous, whose cost grows with the words alone',
    );
  }
}

export const lexrank = method({
  id: 'lexrank',
  name: 'LexRank',
  source: 'arXiv:1109.2128',
  summary: 'Scores a sentence by its centrality in the graph of sentence similarities.',
  unit: 'sentence',
  subject: document,
  formula: 'p(u) = d/n + (1 − d) Σ_{v: c(u,v) > t} p(v) / deg(v), scaled to a maximum of 1; c = idf-modified cosine',
  cost: 'O(Σ_w n_w²) for the graph, n_w sentences with word w; O(edges) a step',
  params: z.object({
    variant: z
      .enum(['threshold', 'continuous', 'degree'])
      .default('threshold')
      .describe('LexRank over pairs above the threshold, over all pairs weighted, or the degree alone'),
    threshold: z.number().min(0).lt(1).default(0.1).describe('t: the cosine above which two sentences are joined'),
    teleport: z.number().min(0).max(1).default(0.15).describe('d: the probability of a jump to any sentence'),
    tolerance: z.number().positive().default(1e-10).describe('stop once a step moves the scores by less, in L1'),
    maxIterations: z.int().positive().default(1000).describe('stop after this many steps in any case'),
    ...vectorParams,
    query: z.string().optional().describe('biased LexRank: jumps land on sentences that are relevant to this text'),
    position: z.number().min(0).default(0).describe('weight of the place in the document, first sentences first'),
    minWords: z.int().min(0).default(0).describe('sentences with fewer words score 0'),
    similarity: z
      .enum(['cosine', 'subsumption'])
      .default('cosine')
      .describe('what a redundancy in the budget measures: idf-modified cosine or the share of common words'),
  }),
  async score(collection, params, run) {
    const { variant, threshold, query, position, minWords, similarity } = params;
    if (variant === 'degree' && query !== undefined) {
      throw new ParameterError('a query biases where jumps land, and the degree variant has no jumps');
    }
    const sentences = collectionVectors(collection, params, run);
    if (variant !== 'continuous') refuseHopeless(sentences);
    const graph =
      variant === 'continuous'
        ? sentenceGraph(sentences)
        : await run.drive('joining sentences', thresholdGraphSteps(sentences.tfIdf, threshold));
    const asked = query === undefined ? undefined : relevance(sentences, wordsOf(query, collection.language));
    const p = variant === 'degree' ? degreeCentrality(graph) : logged(graph, asked, params, run);
    const most = p.reduce((a, b) => Math.max(a, b), 0);
    const place = positionFeature(collection);
    const values = Float32Array.from(p, (score, s) =>
      sentences.lengths[s] < minWords ? 0 : score / most + position * place[s],
    );
    const scores = sentenceScores(collection, sentences, values);
    return similarity === 'cosine' ? scores : { ...scores, similarity: (i, j) => subsumption(sentences, i, j) };
  },
});

/** LexRank's scores; the log tells of a query without effect and of steps that were too few. */
function logged(graph: Graph, asked: Float64Array | undefined, options: LexRankOptions, run: Run): Float64Array {
  const bias = asked?.some((relevance) => relevance > 0) ? asked : undefined;
  if (asked && !bias) run.log('no sentence shares a telling word with the query; jumps land anywhere');
  const { teleport, tolerance, maxIterations } = options;
  const { scores, iterations, residual, converged } = lexRank(graph, { teleport, bias, tolerance, maxIterations });
  if (!converged) run.log(`not converged: step ${iterations} still moved the scores by ${residual.toExponential(1)}`);
  return scores;
}
