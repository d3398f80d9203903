/** @file PageRank by the power method, with a teleport vector of the caller's choice (personalised PageRank). */

import { InputError, ParameterError } from '../../core/errors.ts';
import { finish, type Steps } from '../../core/steps.ts';
import type { Graph } from './graph.ts';

export interface PageRankOptions {
  /** Probability of following an edge rather than teleporting; 0.85 by default. */
  follow?: number;
  /** Where a teleport lands, shape [n], ≥ 0; scaled to sum 1 here. Uniform by default. */
  teleport?: ArrayLike<number>;
  /** Stop once a step moves the scores by less than this in L1; 1e-10 by default. */
  tolerance?: number;
  /** Stop after this many steps in any case; 1000 by default. */
  maxIterations?: number;
}

export interface PageRank {
  /** Shape [n], sum 1. */
  readonly scores: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
  /** How far the last step moved the scores, in L1. */
  readonly residual: number;
}

/**
 * The stationary distribution p = (1 − follow) t + follow · Bᵀp of a random surfer, B the adjacency with each row divided by
 * its sum. A dangling node sends all it has to the teleport vector t. The iteration starts at t, so a node that no walk from
 * t reaches has exactly 0.
 * @throws ParameterError if an option is out of range; InputError if the teleport vector has another length, a negative or
 *   non-finite entry, or no mass.
 * Source: Page, Brin, Motwani & Winograd 1999; Haveliwala 2002 for the personalised form.
 */
export function pageRank(graph: Graph, options: PageRankOptions = {}): PageRank {
  return finish(pageRankSteps(graph, options));
}

/** `pageRank` with a pause after each step of the power method. */
export function* pageRankSteps(
  graph: Graph,
  { follow = 0.85, teleport, tolerance = 1e-10, maxIterations = 1000 }: PageRankOptions = {},
): Steps<PageRank> {
  if (!(follow >= 0 && follow <= 1)) throw new ParameterError(`follow = ${follow} is outside 0 to 1`);
  if (!(tolerance > 0)) throw new ParameterError(`tolerance = ${tolerance} is not above 0`);
  if (!(maxIterations >= 1)) throw new ParameterError(`maxIterations = ${maxIterations} is below 1`);
  const { n, outWeight } = graph;
  const landing = distribution(teleport, n);
  const perWeight = Float64Array.from(outWeight, (weight) => (weight > 0 ? 1 / weight : 0));
  const sent = new Float64Array(n);
  const received = new Float64Array(n);
  const scores = landing.slice();

  let residual = Infinity;
  let iterations = 0;
  while (iterations < maxIterations && residual >= tolerance) {
    let dangling = 0;
    for (let u = 0; u < n; u++) {
      sent[u] = scores[u] * perWeight[u];
      if (perWeight[u] === 0) dangling += scores[u];
    }
    graph.multiply(sent, received);
    const teleporting = 1 - follow + follow * dangling;
    residual = 0;
    for (let v = 0; v < n; v++) {
      const score = follow * received[v] + teleporting * landing[v];
      residual += Math.abs(score - scores[v]);
      scores[v] = score;
    }
    yield { done: ++iterations };
  }
  const sum = scores.reduce((total, score) => total + score, 0);
  for (let v = 0; v < n; v++) scores[v] /= sum;
  return { scores, iterations, converged: residual < tolerance, residual };
}

/** The teleport vector with sum 1. */
function distribution(teleport: ArrayLike<number> | undefined, n: number): Float64Array {
  if (teleport === undefined) return new Float64Array(n).fill(1 / n);
  if (teleport.length !== n) throw new InputError(`the teleport vector has ${teleport.length} entries for ${n} nodes`);
  let sum = 0;
  for (let v = 0; v < n; v++) {
    if (!(teleport[v] >= 0 && teleport[v] < Infinity)) {
      throw new InputError(`entry ${v} of the teleport vector is ${teleport[v]}; entries must be finite and 0 or more`);
    }
    sum += teleport[v];
  }
  if (!(sum > 0)) throw new InputError('the teleport vector has no entry above 0');
  return Float64Array.from(teleport, (mass) => mass / sum);
}
