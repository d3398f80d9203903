/** @file Constraints as linear rows: each as a list of alternatives, one of which must hold. */

import { type ActionConstraint, type Condition, equal } from './constraints.ts';

/** Σ weight · value over columns against a bound. */
export interface ValueRow {
  readonly terms: readonly (readonly [feature: number, weight: number])[];
  readonly sense: '<=' | '=' | '>=';
  readonly bound: number;
}

/**
 * The sets of rows of which one must hold for a constraint to hold; one empty set where nothing is asked of the open features.
 * Groups of booleans are never open.
 * @param open the features whose values are still to be found; the others have theirs in `values`.
 */
export function alternatives(
  constraint: ActionConstraint,
  open: ReadonlySet<number>,
  values: ArrayLike<number>,
  from?: ArrayLike<number>,
): readonly (readonly ValueRow[])[] {
  const row = ({ feature, is, value }: Condition): ValueRow => ({ terms: [[feature, 1]], sense: is, bound: value });
  switch (constraint.type) {
    case 'linear': {
      const { features, weights, sense, bound } = constraint;
      return [[{ terms: features.map((j, i) => [j, weights[i]] as const), sense, bound }]];
    }
    case 'ifThen':
      return [...negations(constraint.if).map((condition) => [row(condition)]), [row(constraint.implies)]];
    case 'mutabilitySwitch': {
      if (!from || values[constraint.switch] !== constraint.on) return [[]];
      const held = constraint.targets.filter((j) => open.has(j));
      return [held.map((j): ValueRow => ({ terms: [[j, 1]], sense: '=', bound: from[j] }))];
    }
    case 'reachability': {
      const { features, values: vectors, reachable } = constraint;
      const start = from && reachable ? vectors.findIndex((v) => features.every((j, i) => equal(from[j], v[i]))) : -1;
      return vectors
        .filter((_, k) => start < 0 || Boolean(reachable![start][k]))
        .map((v) => features.map((j, i): ValueRow => ({ terms: [[j, 1]], sense: '=', bound: v[i] })));
    }
    default:
      return [[]];
  }
}

/** The conditions of which one holds where a condition fails. */
function negations({ feature, is, value }: Condition): Condition[] {
  const apart = 1e-6 * Math.max(1, Math.abs(value));
  const below: Condition = { feature, is: '<=', value: value - apart };
  const above: Condition = { feature, is: '>=', value: value + apart };
  return is === '=' ? [below, above] : is === '>=' ? [below] : [above];
}
