/** @file The gated MLP of today's decoders (arXiv:2002.05202). */

import { type JaxArray, nn } from '../runtime/index.ts';
import { linear } from './layers.ts';
import type { Tap } from './tap.ts';

interface GatedWeights {
  /** [hidden, width] */
  readonly gate: JaxArray;
  /** [hidden, width] */
  readonly up: JaxArray;
  /** [width, hidden] */
  readonly down: JaxArray;
  readonly gateBias?: JaxArray;
  readonly upBias?: JaxArray;
  readonly downBias?: JaxArray;
}

/** down(silu(gate x) · up x), x [..., width] → [..., width]. Points: `gate`, `up`, `hidden`, `output`. */
export function swiglu(x: JaxArray, w: GatedWeights, tap: Tap): JaxArray {
  const gate = tap('gate', linear(x, w.gate, w.gateBias));
  const up = tap('up', linear(x, w.up, w.upBias));
  const hidden = tap('hidden', nn.silu(gate).mul(up));
  return tap('output', linear(hidden, w.down, w.downBias));
}
