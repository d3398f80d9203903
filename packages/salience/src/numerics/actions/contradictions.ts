/** @file Constraints that no values can satisfy together, and the fewest of them that already cannot. */

import { InputError } from '../../core/errors.ts';
import { alternatives, type ValueRow } from './alternatives.ts';
import { type ActionConstraint, featuresOf, possible, printConstraint } from './constraints.ts';
import { type ActionElement, isDiscrete } from './element.ts';
import { leastMove } from './linear-program.ts';

const mostVisits = 200_000;
/** A feature with more values than this is treated as a continuum here. */
const mostValues = 64;

/**
 * @throws InputError if no values within the bounds satisfy all constraints of a part; it names constraints of which none can be left
 *   out for that. A part too large to tell is let through.
 */
export function refuseContradictions(all: readonly ActionConstraint[], elements: readonly ActionElement[]): void {
  const constraints = all.filter(({ type }) => type !== 'directionalLinkage');
  if (satisfiable(constraints, elements) !== false) return;
  let core = constraints;
  for (const constraint of constraints) {
    const rest = core.filter((other) => other !== constraint);
    if (satisfiable(rest, elements) === false) core = rest;
  }
  const names = core.map((constraint) => printConstraint(constraint, elements));
  if (core.length === 1) {
    const bounds = featuresOf(core[0]).map((j) => `${elements[j].name} ${elements[j].lb} to ${elements[j].ub}`);
    throw new InputError(`${names[0]} cannot hold within the bounds of its features: ${bounds.join(', ')}`);
  }
  throw new InputError(
    `constraints contradict one another: ${names.slice(0, -1).join(', ')} and ${names.at(-1)}; no values within the bounds satisfy ${core.length === 2 ? 'both' : `all ${core.length}`}`,
  );
}

/** Whether some values within the bounds satisfy all constraints; nothing where that takes too long to tell. */
function satisfiable(
  constraints: readonly ActionConstraint[],
  elements: readonly ActionElement[],
): boolean | undefined {
  if (constraints.length === 0) return true;
  const features = [...new Set(constraints.flatMap((constraint) => [...featuresOf(constraint)]))];
  const domains = new Map<number, readonly number[]>();
  for (const j of features) {
    const { kind, lb, ub, step, values } = elements[j];
    if (values && kind === 'number') domains.set(j, values);
    else if (isDiscrete(elements[j]) && step === 1 && Number.isInteger(lb) && ub - lb < mostValues) {
      domains.set(
        j,
        Array.from({ length: Math.floor(ub) - lb + 1 }, (_, i) => lb + i),
      );
    }
  }
  const open = new Set(features.filter((j) => !domains.has(j)));
  const order = features.filter((j) => domains.has(j)).sort((a, b) => a - b);
  const n = elements.length;
  const partial = {
    values: new Float64Array(n),
    known: new Uint8Array(n),
    low: Float64Array.from(elements, ({ lb }) => lb),
    high: Float64Array.from(elements, ({ ub }) => ub),
  };
  const touching = order.map((j) => constraints.filter((constraint) => featuresOf(constraint).includes(j)));
  let visits = 0;

  const leaf = (): boolean => {
    if (open.size === 0) return true;
    const openFeatures = [...open];
    const place = new Map(openFeatures.map((j, v) => [j, v]));
    const variables = openFeatures.map((j) => ({ low: elements[j].lb, high: elements[j].ub, step: 0 }));
    const choices = constraints
      .filter((constraint) => featuresOf(constraint).some((j) => open.has(j)))
      .map((constraint) => alternatives(constraint, open, partial.values));
    const choose = (c: number, rows: readonly ValueRow[]): boolean => {
      if (c < choices.length) return choices[c].some((alternative) => choose(c + 1, [...rows, ...alternative]));
      const linear = rows.map(({ terms, sense, bound }) => ({
        terms: terms.filter(([j]) => open.has(j)).map(([j, w]) => [place.get(j)!, w] as const),
        sense,
        bound: terms.reduce((rest, [j, w]) => (open.has(j) ? rest : rest - w * partial.values[j]), bound),
      }));
      return leastMove(variables, linear) !== undefined;
    };
    return choose(0, []);
  };
  const visit = (k: number): boolean | undefined => {
    if (++visits > mostVisits) return undefined;
    if (k === order.length) return leaf();
    const j = order[k];
    for (const value of domains.get(j)!) {
      partial.values[j] = value;
      partial.known[j] = 1;
      if (touching[k].every((constraint) => possible(constraint, partial))) {
        const found = visit(k + 1);
        if (found !== false) return found;
      }
    }
    partial.known[j] = 0;
    return false;
  };
  if (!constraints.every((constraint) => possible(constraint, partial))) return false;
  return visit(0);
}
