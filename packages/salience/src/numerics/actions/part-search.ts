/** @file Search over the actions of one part: depth first over its features, with each constraint checked as early as it can fail. */

import { ParameterError } from '../../core/errors.ts';
import type { ActionPart, ActionSet } from './action-set.ts';
import { alternatives, type ValueRow } from './alternatives.ts';
import { atMost, equal, featuresOf, possible } from './constraints.ts';
import { changeBounds, changeCount, changes, isDiscrete } from './element.ts';
import { leastMove } from './linear-program.ts';

/** A feature with more changes than this is found by a linear program where only the cheapest completion is asked for. */
const mostChanges = 64;

/** Points that a part can be moved to, its present one among them. */
export interface PartPoints {
  readonly count: number;
  /** New values of the part's features in their order, row-major, shape [count · features]. */
  readonly values: Float64Array;
  /** The sizes of the actions that lead there, in the order of the part's features, shape [count · features]. */
  readonly sizes: Float64Array;
}

/** Whether all changes of a part can be counted at x. */
export function isCountable({ elements }: ActionSet, part: ActionPart): boolean {
  return part.features.every((j) => !elements[j].actionable || isDiscrete(elements[j]));
}

/**
 * All points that a part can be moved to from x under its bounds and constraints.
 * @returns nothing if more than `cap` partial actions had to be looked at, or a feature moves on a continuum.
 */
export function enumeratePart(
  set: ActionSet,
  part: ActionPart,
  x: ArrayLike<number>,
  cap = 200_000,
): PartPoints | undefined {
  if (!isCountable(set, part)) return undefined;
  const { features } = part;
  const values: number[] = [];
  const sizes: number[] = [];
  const whole = search(set, part, x, {
    cap,
    defer: () => false,
    leaf(point, actions) {
      for (const j of features) {
        values.push(point[j]);
        sizes.push(Math.abs(actions[j]));
      }
    },
  });
  if (!whole) return undefined;
  return { count: values.length / features.length, values: Float64Array.from(values), sizes: Float64Array.from(sizes) };
}

/**
 * The cheapest point of a part whose feature j changes by `change` in all: that with no other action if there is one, else that with the
 * least total size of actions, ties to the action on the lower feature. Shape [features]; nothing where there is none.
 * @throws ParameterError if more than `cap` partial actions had to be looked at.
 */
export function completion(
  set: ActionSet,
  part: ActionPart,
  x: ArrayLike<number>,
  j: number,
  change: number,
  cap = 200_000,
): Float64Array | undefined {
  const { features } = part;
  if (features.length === 1 && part.constraints.length === 0) return Float64Array.of(x[j] + change);
  let best: { values: Float64Array; sizes: Float64Array; cost: number } | undefined;
  const cheapest = () => best;
  const offer = (point: Float64Array, actions: Float64Array) => {
    const sizes = Float64Array.from(features, (k) => Math.abs(actions[k]));
    const cost = sizes.reduce((sum, size) => sum + size, 0);
    if (best && !(cost < best.cost - 1e-9) && !(equal(cost, best.cost) && isBefore(sizes, best.sizes))) return;
    best = { values: Float64Array.from(features, (k) => point[k]), sizes, cost };
  };
  search(set, part, x, { cap, target: { feature: j, change }, alone: true, defer: () => false, leaf: offer });
  if (cheapest()) return cheapest()!.values;
  const sources = new Set(part.constraints.flatMap((c) => (c.type === 'directionalLinkage' ? [c.source] : [])));
  const { elements } = set;
  const whole = search(set, part, x, {
    cap,
    target: { feature: j, change },
    defer: (k) =>
      elements[k].actionable &&
      (!isDiscrete(elements[k]) ||
        (!elements[k].values && !sources.has(k) && changeCount(elements[k], x[k]) > mostChanges)),
    bound: () => cheapest()?.cost ?? Number.POSITIVE_INFINITY,
    leaf: offer,
  });
  if (!whole) {
    const names = features.map((k) => elements[k].name).join(', ');
    throw new ParameterError(
      `completing a change of ${elements[j].name} takes more than ${cap} steps over ${names}; tie fewer features or narrow their bounds`,
    );
  }
  return cheapest()?.values;
}

/** Whether of two completions of equal cost the first acts on lower features. */
export function isBefore(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let k = 0; k < a.length; k++) if (!equal(a[k], b[k])) return a[k] > b[k];
  return false;
}

interface SearchOptions {
  readonly cap: number;
  /** A feature whose whole change is given. */
  readonly target?: { readonly feature: number; readonly change: number };
  /** Whether no other feature is acted on. */
  readonly alone?: boolean;
  /** Features left to a linear program at the end. */
  readonly defer: (feature: number) => boolean;
  /** Actions that cost more are not looked at. */
  readonly bound?: () => number;
  /** Called with values and own actions by column, both overwritten afterwards. */
  readonly leaf: (point: Float64Array, actions: Float64Array) => void;
}

/** Calls `leaf` with each feasible point of a part; false if it gave up at `cap` steps. */
function search(set: ActionSet, part: ActionPart, x: ArrayLike<number>, options: SearchOptions): boolean {
  const { elements } = set;
  const { features, constraints, order } = part;
  const { cap, target, alone = false, bound } = options;
  const n = elements.length;
  const links = constraints.filter((constraint) => constraint.type === 'directionalLinkage');

  const low = new Float64Array(n);
  const high = new Float64Array(n);
  const ownLow = new Float64Array(n);
  const ownHigh = new Float64Array(n);
  for (const j of features) {
    [ownLow[j], ownHigh[j]] = changeBounds(elements[j], x[j]);
    if (alone && j !== target?.feature) ownLow[j] = ownHigh[j] = 0;
  }
  // What the whole change of a feature may be: its own bounds, wider by what links without keepBounds can add.
  const netLow = ownLow.slice();
  const netHigh = ownHigh.slice();
  const drags = new Map<number, { to: number; scale: number }[]>();
  const kept = new Set<number>();
  for (const { source, targets, keepBounds } of links) {
    for (const { feature, scale } of targets) {
      drags.set(source, [...(drags.get(source) ?? []), { to: feature, scale }]);
      if (keepBounds) kept.add(feature);
      else {
        netLow[feature] += Math.min(scale * ownLow[source], scale * ownHigh[source]);
        netHigh[feature] += Math.max(scale * ownLow[source], scale * ownHigh[source]);
      }
    }
  }
  const linked = new Set([...drags.values()].flatMap((list) => list.map(({ to }) => to)));
  const widen = (list: readonly number[]) => {
    for (const j of list) {
      let a = ownLow[j];
      let b = ownHigh[j];
      for (const { source, targets } of links) {
        for (const { feature, scale } of targets) {
          if (feature !== j) continue;
          a += Math.min(scale * ownLow[source], scale * ownHigh[source]);
          b += Math.max(scale * ownLow[source], scale * ownHigh[source]);
        }
      }
      low[j] = x[j] + a;
      high[j] = x[j] + b;
    }
  };
  widen(features);

  const open = new Set(features.filter((j) => j !== target?.feature && ownLow[j] < ownHigh[j] && options.defer(j)));
  for (const j of order) {
    if (open.has(j)) for (const { to } of drags.get(j) ?? []) open.add(to);
  }
  const known = order.filter((j) => !open.has(j));
  const touching = known.map((j) => constraints.filter((constraint) => featuresOf(constraint).includes(j)));
  const grids = new Map(
    known
      .filter((j) => j !== target?.feature)
      .map((j) => [j, ownLow[j] < ownHigh[j] ? changes(elements[j], x[j]) : Float64Array.of(0)]),
  );
  const partial = { values: new Float64Array(n), known: new Uint8Array(n), low, high };
  const actions = new Float64Array(n);
  const dragged = new Float64Array(n);
  let visits = 0;

  /** Whether a feature may have changed so in all: on its levels and, where a link keeps bounds, within them. */
  const allowed = (j: number, net: number): boolean => {
    if (!linked.has(j)) return true;
    const { kind, lb, ub, values } = elements[j];
    const value = x[j] + net;
    if (kept.has(j) && !(atMost(netLow[j], net) && atMost(net, netHigh[j]))) return false;
    if (values) return values.some((v) => equal(v, value));
    return kind !== 'boolean' || (atMost(lb, value) && atMost(value, ub));
  };
  const isOwn = (j: number, a: number): boolean => {
    if (!atMost(ownLow[j], a) || !atMost(a, ownHigh[j])) return false;
    if (a === 0 || !isDiscrete(elements[j])) return true;
    const { values, step } = elements[j];
    return values ? values.some((v) => equal(v, x[j] + a)) : equal(a / step, Math.round(a / step));
  };

  const finishOpen = () => {
    const list = features.filter((j) => open.has(j));
    const moved = list.filter((j) => ownLow[j] < ownHigh[j]);
    const place = new Map(moved.map((j, v) => [j, v]));
    const variables = moved.map((j) => ({
      low: ownLow[j],
      high: ownHigh[j],
      step: isDiscrete(elements[j]) ? elements[j].step : 0,
    }));
    // value of an open feature = its present one + what known sources drag + its own action + what open sources drag
    const affine = (j: number) => {
      const terms = new Map<number, number>();
      if (place.has(j)) terms.set(place.get(j)!, 1);
      for (const s of moved) {
        for (const { to, scale } of drags.get(s) ?? [])
          if (to === j) terms.set(place.get(s)!, (terms.get(place.get(s)!) ?? 0) + scale);
      }
      return { base: x[j] + dragged[j], terms };
    };
    const inActions = ({ terms, sense, bound }: ValueRow) => {
      const weights = new Map<number, number>();
      let rest = bound;
      for (const [j, w] of terms) {
        if (!open.has(j)) rest -= w * partial.values[j];
        else {
          const { base, terms: own } = affine(j);
          rest -= w * base;
          for (const [v, weight] of own) weights.set(v, (weights.get(v) ?? 0) + w * weight);
        }
      }
      return { terms: [...weights], sense, bound: rest };
    };
    const within = list
      .filter((j) => kept.has(j))
      .flatMap((j): ValueRow[] => [
        { terms: [[j, 1]], sense: '<=', bound: x[j] + netHigh[j] },
        { terms: [[j, 1]], sense: '>=', bound: x[j] + netLow[j] },
      ]);
    const whole: ValueRow[] =
      target && open.has(target.feature)
        ? [{ terms: [[target.feature, 1]], sense: '=', bound: x[target.feature] + target.change }]
        : [];
    const choices = constraints
      .filter((constraint) => featuresOf(constraint).some((j) => open.has(j)))
      .map((constraint) => alternatives(constraint, open, partial.values, x));
    const choose = (c: number, rows: readonly ValueRow[]): void => {
      if (c < choices.length) {
        for (const alternative of choices[c]) choose(c + 1, [...rows, ...alternative]);
        return;
      }
      const found = leastMove(variables, rows.map(inActions));
      if (!found) return;
      for (const j of list) actions[j] = 0;
      moved.forEach((j, v) => {
        actions[j] = found.values[v];
      });
      for (const j of list) {
        const { base, terms } = affine(j);
        partial.values[j] = base;
        for (const [v, weight] of terms) partial.values[j] += weight * found.values[v];
      }
      options.leaf(partial.values, actions);
    };
    choose(0, [...within, ...whole]);
  };

  const visit = (k: number, cost: number): boolean => {
    if (++visits > cap) return false;
    if (bound && cost > bound() + 1e-9) return true;
    if (k === known.length) {
      if (open.size > 0) finishOpen();
      else options.leaf(partial.values, actions);
      return true;
    }
    const j = known[k];
    const own = j === target?.feature ? [target.change - dragged[j]] : grids.get(j)!;
    for (const a of own) {
      const net = a + dragged[j];
      if (j === target?.feature && !isOwn(j, a)) continue;
      if (!allowed(j, net)) continue;
      partial.values[j] = x[j] + net;
      partial.known[j] = 1;
      actions[j] = a;
      if (!touching[k].every((constraint) => possible(constraint, partial, x))) continue;
      const drag = drags.get(j) ?? [];
      for (const { to, scale } of drag) dragged[to] += scale * a;
      const going = visit(k + 1, cost + Math.abs(a));
      for (const { to, scale } of drag) dragged[to] -= scale * a;
      if (!going) return false;
    }
    partial.known[j] = 0;
    return true;
  };
  return visit(0, 0);
}
