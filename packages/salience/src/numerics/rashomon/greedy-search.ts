/** @file The greedy search for masks on the boundary of a Rashomon set, one feature at a time (arXiv:2305.10181). */

export interface MaskSearch {
  /** First step; default 0.1. */
  readonly step?: number;
  /** Factor of the step after a failure; default 0.1. */
  readonly shrink?: number;
  /** Step sizes that are tried; default 4, so that masks lie on a grid that ends at 1e-4. */
  readonly tries?: number;
  /** Evaluations for one boundary at the most; default 400. */
  readonly most?: number;
}

export interface FoundMasks {
  /** The last factor inside each boundary b_k = (k / parts) · ε, k = 0..parts, shape [parts + 1]. */
  readonly factors: readonly number[];
  /** Whether the loss never moved for more than 100 steps: the model does not use the feature on this way. */
  readonly unmoved: boolean;
}

/**
 * How far one feature can be scaled in one direction while the loss stays less than b_k above the reference: from the last accepted
 * factor, steps of 0.1 while they stay inside, then of 0.01, 0.001 and 0.0001. It finds the first crossing, not the farthest point.
 * @param excess loss at a factor minus the reference loss.
 * @param epsilon ε, 0 or more; @param parts how many parts it is cut into, 10 in the paper's code.
 * @param direction +1 or −1.
 */
export async function searchFactors(
  excess: (factor: number) => Promise<number>,
  epsilon: number,
  parts: number,
  direction: 1 | -1,
  { step: first = 0.1, shrink = 0.1, tries = 4, most = 400 }: MaskSearch = {},
): Promise<FoundMasks> {
  const factors: number[] = [];
  let factor = 1;
  let unmoved = false;
  for (let k = 0; k <= parts; k++) {
    const boundary = (k / parts) * epsilon;
    let step = first;
    let failures = 0;
    let still = 0;
    let last = Number.NaN;
    for (let evaluations = 0; failures < tries && evaluations < most && !unmoved; evaluations++) {
      const proposed = factor + direction * step;
      const above = await excess(proposed);
      if (above < boundary) {
        still = above === last ? still + 1 : 0;
        last = above;
        factor = proposed;
        unmoved = still > 100;
      } else {
        step *= shrink;
        failures++;
      }
    }
    factors.push(unmoved ? 1 : factor);
  }
  return { factors: unmoved ? factors.map(() => 1) : factors, unmoved };
}
