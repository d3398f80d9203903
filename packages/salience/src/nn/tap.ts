/**
 * @file Taps: how a network is looked into. A forward pass hands every value that has a name to a tap and goes on with what the tap
 * returns. Recording, reducing, masking, scaling, replacing and probing are all taps, so a network has one kind of hook.
 */

import type { JaxArray } from '../runtime/index.ts';

/** Called with the name of a point, such as `layers.3.attention.weights`, and its value; the pass goes on with what it returns. */
export type Tap = (point: string, value: JaxArray) => JaxArray;

/** Looks at nothing and changes nothing. */
export const noTap: Tap = (_, value) => value;

/** A tap that hands on under a longer name: `within(tap, 'layers.3.')` of a layer calls `tap` with `layers.3.attention.weights`. */
export function within(tap: Tap, prefix: string): Tap {
  return (point, value) => tap(prefix + point, value);
}
