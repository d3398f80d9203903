/** @file The least move that satisfies linear rows, by the simplex method and branch and bound of YALPS. */

import { solve } from 'yalps';

/** Σ weight · variable against a bound. */
interface LinearRow {
  /** Variable and weight. */
  readonly terms: readonly (readonly [variable: number, weight: number])[];
  readonly sense: '<=' | '=' | '>=';
  readonly bound: number;
}

/** A variable between two bounds; with a step above 0 it is a whole multiple of it. */
interface LinearVariable {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

/** The variables that satisfy all rows with the least Σ |variable|, or nothing where none do. */
export function leastMove(
  variables: readonly LinearVariable[],
  rows: readonly LinearRow[],
): { readonly values: readonly number[]; readonly cost: number } | undefined {
  const scale = variables.map(({ step }) => (step > 0 ? step : 1));
  const constraints = new Map<string, { equal?: number; min?: number; max?: number }>();
  // Each variable is a rise minus a fall, both 0 or more, so that their sum is its size.
  const rise = variables.map(() => new Map<string, number>());
  const fall = variables.map(() => new Map<string, number>());
  const weigh = (v: number, key: string, weight: number) => {
    rise[v].set(key, (rise[v].get(key) ?? 0) + weight);
    fall[v].set(key, (fall[v].get(key) ?? 0) - weight);
  };
  variables.forEach(({ low, high }, v) => {
    constraints.set(`bounds ${v}`, { min: low / scale[v], max: high / scale[v] });
    weigh(v, `bounds ${v}`, 1);
    rise[v].set('size', scale[v]);
    fall[v].set('size', scale[v]);
  });
  for (const [r, { terms, sense, bound }] of rows.entries()) {
    constraints.set(`row ${r}`, sense === '=' ? { equal: bound } : sense === '<=' ? { max: bound } : { min: bound });
    for (const [v, weight] of terms) weigh(v, `row ${r}`, weight * scale[v]);
  }
  const named = variables.flatMap((_, v): [string, Map<string, number>][] => [
    [`+${v}`, rise[v]],
    [`-${v}`, fall[v]],
  ]);
  const integers = variables.flatMap(({ step }, v) => (step > 0 ? [`+${v}`, `-${v}`] : []));
  const found = solve({ direction: 'minimize', objective: 'size', constraints, variables: named, integers });
  if (found.status !== 'optimal') return undefined;
  const values = variables.map(() => 0);
  for (const [name, value] of found.variables) values[Number(name.slice(1))] += name[0] === '+' ? value : -value;
  return {
    values: values.map((value, v) => (variables[v].step > 0 ? Math.round(value) : value) * scale[v]),
    cost: found.result,
  };
}
