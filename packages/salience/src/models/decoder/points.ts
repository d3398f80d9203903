/** @file The points at which a decoder can be observed, changed and differentiated: one table, from which the docs are written. */

import { InputError } from '../../core/errors.ts';
import type { DecoderConfig } from './config.ts';

/** An axis of a point's value. */
export type Axis =
  | 'batch'
  | 'tokens'
  | 'width'
  | 'heads'
  | 'key heads'
  | 'head size'
  | 'keys'
  | 'hidden'
  | 'experts'
  | 'expert hidden'
  | 'vocabulary';

export interface Point {
  /** In a layer, the name after `layers.N.`; E stands for the number of an expert. */
  readonly name: string;
  readonly shape: readonly Axis[];
  readonly what: string;
}

/** Points of every layer, in the order of the pass. */
export const layerPoints: readonly Point[] = [
  { name: 'input', shape: ['batch', 'tokens', 'width'], what: 'residual stream that enters the layer' },
  {
    name: 'attention.input',
    shape: ['batch', 'tokens', 'width'],
    what: 'normed; what the query, key and value projections read',
  },
  {
    name: 'attention.queriesUnrotated',
    shape: ['batch', 'heads', 'tokens', 'head size'],
    what: 'queries before rotary positions',
  },
  {
    name: 'attention.keysUnrotated',
    shape: ['batch', 'key heads', 'tokens', 'head size'],
    what: 'keys before rotary positions',
  },
  { name: 'attention.queries', shape: ['batch', 'heads', 'tokens', 'head size'], what: 'queries' },
  { name: 'attention.keys', shape: ['batch', 'key heads', 'tokens', 'head size'], what: 'keys' },
  { name: 'attention.values', shape: ['batch', 'key heads', 'tokens', 'head size'], what: 'values' },
  {
    name: 'attention.scores',
    shape: ['batch', 'heads', 'tokens', 'keys'],
    what: 'before softmax; −10³⁰ where a key is not seen',
  },
  {
    name: 'attention.weights',
    shape: ['batch', 'heads', 'tokens', 'keys'],
    what: 'after softmax; cached keys come first',
  },
  {
    name: 'attention.heads',
    shape: ['batch', 'tokens', 'heads', 'head size'],
    what: 'output of each head; what the output projection reads',
  },
  { name: 'attention.output', shape: ['batch', 'tokens', 'width'], what: 'what attention adds to the stream' },
  { name: 'middle', shape: ['batch', 'tokens', 'width'], what: 'residual stream between attention and MLP' },
  { name: 'mlp.input', shape: ['batch', 'tokens', 'width'], what: 'normed; what gate, up and router read' },
  { name: 'mlp.gate', shape: ['batch', 'tokens', 'hidden'], what: 'gate before SiLU (dense layers)' },
  { name: 'mlp.up', shape: ['batch', 'tokens', 'hidden'], what: 'up projection (dense layers)' },
  {
    name: 'mlp.hidden',
    shape: ['batch', 'tokens', 'hidden'],
    what: 'silu(gate) · up; what the down projection reads (dense layers)',
  },
  { name: 'mlp.router.scores', shape: ['batch', 'tokens', 'experts'], what: 'router logits (sparse layers)' },
  {
    name: 'mlp.router.gates',
    shape: ['batch', 'tokens', 'experts'],
    what: 'gates, 0 for experts not chosen (sparse layers)',
  },
  {
    name: 'mlp.experts.E.input',
    shape: ['batch', 'tokens', 'width'],
    what: 'tokens that are sent to expert E; the others are 0, here and up to its output',
  },
  { name: 'mlp.experts.E.gate', shape: ['batch', 'tokens', 'expert hidden'], what: 'gate of expert E before SiLU' },
  { name: 'mlp.experts.E.up', shape: ['batch', 'tokens', 'expert hidden'], what: 'up projection of expert E' },
  {
    name: 'mlp.experts.E.hidden',
    shape: ['batch', 'tokens', 'expert hidden'],
    what: 'what expert E’s down projection reads',
  },
  {
    name: 'mlp.experts.E.output',
    shape: ['batch', 'tokens', 'width'],
    what: 'output of expert E, before its gate',
  },
  {
    name: 'mlp.output',
    shape: ['batch', 'tokens', 'width'],
    what: 'what the MLP or the chosen experts add to the stream',
  },
  { name: 'output', shape: ['batch', 'tokens', 'width'], what: 'residual stream that leaves the layer' },
];

/** Points outside of the layers. */
export const modelPoints: readonly Point[] = [
  { name: 'embeddings', shape: ['batch', 'tokens', 'width'], what: 'embeddings of the tokens' },
  { name: 'final', shape: ['batch', 'tokens', 'width'], what: 'last norm; what the head reads' },
  { name: 'logits', shape: ['batch', 'tokens', 'vocabulary'], what: 'logits of the next token' },
];

/**
 * The shape of the value at a point, such as `layers.3.attention.weights`, in a pass without a cache.
 * @throws InputError for a point that a model of this config has not, with those it has.
 */
export function shapeAt(config: DecoderConfig, point: string, batch: number, tokens: number): number[] {
  const [, number, name = point] = /^layers\.(\d+)\.(.+)$/.exec(point) ?? [];
  const layer = number === undefined ? undefined : Number(number);
  const general = name.replace(/^mlp\.experts\.\d+\./, 'mlp.experts.E.');
  const found = (layer === undefined ? modelPoints : layerPoints).find((known) => known.name === general);
  const sparse = layer !== undefined && config.sparse[layer];
  // Of what names an expert: not a number, and so below no count, where it is no number.
  const expert = name.startsWith('mlp.experts.') ? Number(name.split('.')[2]) : 0;
  const present =
    found &&
    (layer === undefined || layer < config.layers) &&
    (!/^mlp\.(gate|up|hidden)$/.test(name) || !sparse) &&
    (!/^mlp\.(router|experts)\./.test(name) || (sparse && expert < config.experts!.count));
  if (!present) {
    const layers = layerPoints.map((known) => `layers.N.${known.name}`);
    throw new InputError(
      `there is no point "${point}" in this model of ${config.layers} layers; points are ${[...modelPoints.map((known) => known.name), ...layers].join(', ')}`,
    );
  }
  const sizes: Record<Axis, number> = {
    batch,
    tokens,
    width: config.width,
    heads: config.heads,
    'key heads': config.keyValueHeads,
    'head size': config.headSize,
    keys: tokens,
    hidden: config.hidden,
    experts: config.experts?.count ?? 0,
    'expert hidden': config.experts?.hidden ?? 0,
    vocabulary: config.vocabulary,
  };
  return found.shape.map((axis) => sizes[axis]);
}
