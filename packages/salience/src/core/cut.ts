/** @file Cut: what separates the kept from the rest in scores too many for a list of indices. */

/** Keep what lies above the threshold, and of the units equal to it the first `ties` in unit order (Infinity: all of them). */
export interface Cut {
  readonly threshold: number;
  readonly ties: number;
}
