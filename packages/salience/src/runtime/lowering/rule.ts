/** @file What a lowering rule is: one primitive of jax-js as operators of a graph. */

import type { Graph, GraphType } from '../graph.ts';
import type { View } from '../view.ts';

/** Shape and element type of a result. */
export interface Result {
  readonly type: GraphType;
  readonly shape: readonly number[];
}

/** Gives the results of a primitive, one view each, from the views of its inputs and its parameters. */
export type Rule = (
  graph: Graph,
  inputs: readonly View[],
  // biome-ignore lint/suspicious/noExplicitAny: each primitive has parameters of its own, as jax-js defines them
  params: any,
  results: readonly Result[],
) => readonly View[];
