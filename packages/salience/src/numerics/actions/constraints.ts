/** @file Constraints that tie features together: what values they allow, and how one feature drags others along. */

import type { ActionElement, Direction } from './element.ts';

/** A condition on one feature's value. */
export interface Condition {
  readonly feature: number;
  readonly is: '=' | '>=' | '<=';
  readonly value: number;
}

/** A tie between features, which are numbers of columns. */
export type ActionConstraint =
  | {
      /** At most one boolean of the group is on, or exactly one. */
      readonly type: 'oneHot';
      readonly features: readonly number[];
      readonly limit: number;
      readonly sense: 'equal' | 'max';
    }
  | {
      /** A one-hot group whose features are levels in order, low to high; the level may only rise (1) or fall (−1). */
      readonly type: 'ordinal';
      readonly features: readonly number[];
      /** Whether one of them is always on. */
      readonly exhaustive: boolean;
      readonly direction: Direction;
    }
  | {
      /** Booleans that are on up to some place and off after it; they may only be switched on (1) or off (−1). */
      readonly type: 'thermometer';
      readonly features: readonly number[];
      readonly direction: Direction;
    }
  | {
      /** An action on the source moves each target by `scale` times as much, whether or not the target may be acted on. */
      readonly type: 'directionalLinkage';
      readonly source: number;
      readonly targets: readonly { readonly feature: number; readonly scale: number }[];
      /** Whether a target's whole change stays within the bounds of its own actions. */
      readonly keepBounds: boolean;
    }
  | { readonly type: 'ifThen'; readonly if: Condition; readonly implies: Condition }
  | {
      /** Where the switch has the value `on` after the action, the targets stay as they are. */
      readonly type: 'mutabilitySwitch';
      readonly switch: number;
      readonly on: number;
      readonly targets: readonly number[];
    }
  | {
      /** The features have one of these vectors of values; `reachable[i][j]` says whether i may become j. */
      readonly type: 'reachability';
      readonly features: readonly number[];
      readonly values: readonly (readonly number[])[];
      readonly reachable?: readonly (readonly (0 | 1 | boolean)[])[];
    }
  | {
      /** Σ weight · value ≤ bound, or = bound, or ≥ bound. */
      readonly type: 'linear';
      readonly features: readonly number[];
      readonly weights: readonly number[];
      readonly sense: '<=' | '=' | '>=';
      readonly bound: number;
    };

/** Differences up to this, relative to the numbers compared, are rounding. */
const tolerance = 1e-7;

/** Whether a ≤ b but for rounding. */
export function atMost(a: number, b: number): boolean {
  return a <= b + tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Whether a = b but for rounding. */
export function equal(a: number, b: number): boolean {
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

/** The features a constraint ties, each once. */
export function featuresOf(constraint: ActionConstraint): readonly number[] {
  switch (constraint.type) {
    case 'directionalLinkage':
      return [constraint.source, ...constraint.targets.map(({ feature }) => feature)];
    case 'ifThen':
      return [...new Set([constraint.if.feature, constraint.implies.feature])];
    case 'mutabilitySwitch':
      return [constraint.switch, ...constraint.targets];
    default:
      return constraint.features;
  }
}

/** A constraint in words, for messages: `thermometer(savings above 100, savings above 500)`. */
export function printConstraint(constraint: ActionConstraint, elements: readonly ActionElement[]): string {
  const name = (j: number) => elements[j]?.name ?? `feature ${j}`;
  const condition = ({ feature, is, value }: Condition) => `${name(feature)} ${is} ${value}`;
  switch (constraint.type) {
    case 'directionalLinkage':
      return `directionalLinkage(${name(constraint.source)} → ${constraint.targets.map(({ feature }) => name(feature)).join(', ')})`;
    case 'ifThen':
      return `ifThen(${condition(constraint.if)} → ${condition(constraint.implies)})`;
    case 'mutabilitySwitch':
      return `mutabilitySwitch(${name(constraint.switch)} = ${constraint.on}: ${constraint.targets.map(name).join(', ')})`;
    case 'linear': {
      const terms = constraint.features.map((j, i) => {
        const w = constraint.weights[i];
        const size = Math.abs(w) === 1 ? '' : `${Math.abs(w)} · `;
        return `${w < 0 ? (i === 0 ? '−' : '− ') : i === 0 ? '' : '+ '}${size}${name(j)}`;
      });
      const sense = { '<=': '≤', '=': '=', '>=': '≥' }[constraint.sense];
      return `linear(${terms.join(' ')} ${sense} ${constraint.bound})`;
    }
    default:
      return `${constraint.type}(${constraint.features.map(name).join(', ')})`;
  }
}

/** Values of which some are known already, and the range of each that is not yet. */
interface PartialRow {
  /** Shape [columns]; meaningful where known. */
  readonly values: Float64Array;
  /** 1 where known, shape [columns]. */
  readonly known: Uint8Array;
  /** Least and greatest value of what is not known, shape [columns]. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

function holds({ is, value }: Condition, x: number): boolean {
  return is === '=' ? equal(x, value) : is === '>=' ? atMost(value, x) : atMost(x, value);
}

/** Whether a condition on a feature that is not known yet may still hold. */
function mayHold({ is, value }: Condition, low: number, high: number): boolean {
  return is === '='
    ? atMost(low, value) && atMost(value, high)
    : is === '>='
      ? atMost(value, high)
      : atMost(low, value);
}

/** Whether a condition on a feature that is not known yet may still fail. */
function mayFail({ is, value }: Condition, low: number, high: number): boolean {
  return is === '='
    ? !(equal(low, value) && equal(high, value))
    : is === '>='
      ? !atMost(value, low)
      : !atMost(high, value);
}

/**
 * Whether a constraint may still hold once what is not known gets its value; with all known, whether it holds.
 * @param from the values before the action; without them only the values after it are judged, not the way there.
 */
export function possible(
  constraint: ActionConstraint,
  { values, known, low, high }: PartialRow,
  from?: ArrayLike<number>,
): boolean {
  switch (constraint.type) {
    case 'oneHot': {
      let on = 0;
      let open = 0;
      for (const j of constraint.features) {
        if (known[j]) on += values[j];
        else open++;
      }
      return on <= constraint.limit && (constraint.sense === 'max' || on + open >= constraint.limit);
    }
    case 'ordinal': {
      const { features, exhaustive, direction } = constraint;
      let on = 0;
      let open = 0;
      let level = -1;
      for (let k = 0; k < features.length; k++) {
        const j = features[k];
        if (!known[j]) open++;
        else if (values[j] === 1) {
          on++;
          level = k;
        }
      }
      if (on > 1 || (exhaustive && on + open < 1)) return false;
      if (!from || direction === 0 || open > 0) return true;
      const before = features.findIndex((j) => from[j] === 1);
      return direction > 0 ? level >= before : level <= before;
    }
    case 'thermometer': {
      const { features, direction } = constraint;
      let offSeen = false;
      for (const j of features) {
        if (!known[j]) continue;
        if (values[j] === 1 && offSeen) return false;
        if (values[j] !== 1) offSeen = true;
        if (from && direction !== 0 && (values[j] - from[j]) * direction < 0) return false;
      }
      return true;
    }
    case 'directionalLinkage':
      return true; // the search moves the targets itself
    case 'ifThen': {
      const { if: premise, implies: conclusion } = constraint;
      const p = premise.feature;
      const c = conclusion.feature;
      const canFail = known[p] ? !holds(premise, values[p]) : mayFail(premise, low[p], high[p]);
      return canFail || (known[c] ? holds(conclusion, values[c]) : mayHold(conclusion, low[c], high[c]));
    }
    case 'mutabilitySwitch': {
      if (!from || !known[constraint.switch] || values[constraint.switch] !== constraint.on) return true;
      return constraint.targets.every((j) => !known[j] || equal(values[j], from[j]));
    }
    case 'reachability': {
      const { features, values: vectors, reachable } = constraint;
      const start = from && reachable ? vectors.findIndex((v) => features.every((j, i) => equal(from[j], v[i]))) : -1;
      return vectors.some(
        (v, k) =>
          (start < 0 || Boolean(reachable![start][k])) && features.every((j, i) => !known[j] || equal(values[j], v[i])),
      );
    }
    case 'linear': {
      const { features, weights, sense, bound } = constraint;
      let least = 0;
      let most = 0;
      for (let i = 0; i < features.length; i++) {
        const j = features[i];
        const a = weights[i] * (known[j] ? values[j] : low[j]);
        const b = weights[i] * (known[j] ? values[j] : high[j]);
        least += Math.min(a, b);
        most += Math.max(a, b);
      }
      return (sense === '>=' || atMost(least, bound)) && (sense === '<=' || atMost(bound, most));
    }
  }
}
