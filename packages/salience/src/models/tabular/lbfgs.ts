/** @file L-BFGS: minimises a smooth function of many variables from its gradients. */

import type { Steps } from '../../core/steps.ts';

export interface LbfgsOptions {
  /** Ends when no entry of the gradient is larger. */
  readonly tolerance: number;
  readonly iterations: number;
}

/** Pairs of steps and gradient differences that are remembered. */
const remembered = 12;

/**
 * The place where a smooth function is least, by the two-loop recursion (Nocedal 1980) with backtracking to a sufficient
 * decrease; pairs without positive curvature are left out.
 * @param evaluate writes the gradient at x, shape of x, and returns the value.
 * @param x where to begin; it is moved to the place found.
 */
export function* lbfgs(
  evaluate: (x: Float64Array, gradient: Float64Array) => number,
  x: Float64Array,
  { tolerance, iterations }: LbfgsOptions,
): Steps<void> {
  const m = x.length;
  let gradient = new Float64Array(m);
  let next = new Float64Array(m);
  const tried = new Float64Array(m);
  const direction = new Float64Array(m);
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  const curvatures: number[] = [];
  let value = evaluate(x, gradient);
  for (let iteration = 0; iteration < iterations && largest(gradient) > tolerance; iteration++) {
    descent(gradient, steps, changes, curvatures, direction);
    let slope = dot(gradient, direction);
    if (!(slope < 0)) {
      for (let i = 0; i < m; i++) direction[i] = -gradient[i];
      slope = -dot(gradient, gradient);
    }
    let length = iteration === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let reached = Infinity;
    for (let halvings = 0; halvings < 60; halvings++, length /= 2) {
      for (let i = 0; i < m; i++) tried[i] = x[i] + length * direction[i];
      reached = evaluate(tried, next);
      // What rounding hides of a decrease shows in the gradient.
      const hidden = Math.abs(reached - value) <= 1e-14 * Math.abs(value) && largest(next) < largest(gradient);
      if (reached <= value + 1e-4 * length * slope || hidden) break;
      reached = Infinity;
    }
    if (reached === Infinity) return;
    const step = new Float64Array(m);
    const change = new Float64Array(m);
    for (let i = 0; i < m; i++) {
      step[i] = tried[i] - x[i];
      change[i] = next[i] - gradient[i];
    }
    const curvature = dot(step, change);
    if (curvature > 1e-300 && curvature > 1e-12 * dot(change, change)) {
      steps.push(step);
      changes.push(change);
      curvatures.push(curvature);
      if (steps.length > remembered) {
        steps.shift();
        changes.shift();
        curvatures.shift();
      }
    }
    x.set(tried);
    [gradient, next] = [next, gradient];
    value = reached;
    yield { done: iteration + 1 };
  }
}

/** The direction −H g of the two-loop recursion. */
function descent(
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
  curvatures: readonly number[],
  out: Float64Array,
): void {
  const factors = new Float64Array(steps.length);
  for (let i = 0; i < out.length; i++) out[i] = -gradient[i];
  for (let k = steps.length - 1; k >= 0; k--) {
    factors[k] = dot(steps[k], out) / curvatures[k];
    add(out, -factors[k], changes[k]);
  }
  if (steps.length > 0) {
    const last = steps.length - 1;
    const scale = curvatures[last] / dot(changes[last], changes[last]);
    for (let i = 0; i < out.length; i++) out[i] *= scale;
  }
  for (let k = 0; k < steps.length; k++) add(out, factors[k] - dot(changes[k], out) / curvatures[k], steps[k]);
}

function add(to: Float64Array, factor: number, other: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] += factor * other[i];
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function largest(a: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const size = Math.abs(a[i]);
    if (!(size <= most)) most = size;
  }
  return most;
}
