/** @file Action sets: which features may change, by how much, and which must change together (arXiv:2410.22598, section 2). */

import { InputError } from '../../core/errors.ts';
import { type ActionConstraint, featuresOf, possible, printConstraint } from './constraints.ts';
import { refuseContradictions } from './contradictions.ts';
import { type ActionElement, checkElement, isDiscrete } from './element.ts';
import { partition } from './partition.ts';

export interface ActionSet {
  /** One a column. */
  readonly elements: readonly ActionElement[];
  readonly constraints: readonly ActionConstraint[];
  /** Columns in parts that no constraint ties together, even through others. */
  readonly parts: readonly ActionPart[];
  /** The part of each column, shape [columns]. */
  readonly partOf: Uint32Array;
}

export interface ActionPart {
  /** Ascending. */
  readonly features: readonly number[];
  readonly constraints: readonly ActionConstraint[];
  /** The features in an order in which each comes after the sources it is linked to. */
  readonly order: readonly number[];
  /** Whether something in it can move at all. */
  readonly movable: boolean;
}

/**
 * An action set from its elements and constraints.
 * @throws InputError for an element that is wrong in itself; for a constraint that names no feature of the set, the same feature twice,
 *   too few, or a group that is not boolean; a linkage with a source that cannot be changed, a zero scale or in a circle; and for
 *   constraints that contradict one another, saying which.
 */
export function actionSet(
  elements: readonly ActionElement[],
  constraints: readonly ActionConstraint[] = [],
): ActionSet {
  if (elements.length === 0) throw new InputError('an action set needs a feature');
  for (const element of elements) checkElement(element);
  for (const constraint of constraints) checkConstraint(constraint, elements);
  const groups = partition(elements.length, constraints.map(featuresOf));
  const partOf = new Uint32Array(elements.length);
  const parts = groups.map((features, p): ActionPart => {
    for (const j of features) partOf[j] = p;
    const own = constraints.filter((constraint) => features.includes(featuresOf(constraint)[0]));
    return {
      features,
      constraints: own,
      order: inLinkageOrder(features, own, elements),
      movable: features.some((j) => elements[j].actionable),
    };
  });
  for (const part of parts) refuseContradictions(part.constraints, elements);
  return { elements, constraints, parts, partOf };
}

function checkConstraint(constraint: ActionConstraint, elements: readonly ActionElement[]): void {
  const refuse = (what: string): never => {
    throw new InputError(`${printConstraint(constraint, elements)}: ${what}`);
  };
  const features = featuresOf(constraint);
  for (const j of features) {
    if (!elements[j]) refuse(`there is no feature ${j}; there are ${elements.length}`);
  }
  if (new Set(features).size < features.length) refuse('it names a feature twice');
  const needsBooleans = (what: string) => {
    if (features.length < 2) refuse('it ties fewer than two features');
    for (const j of features) {
      if (elements[j].kind !== 'boolean')
        refuse(`${elements[j].name} is ${elements[j].kind}; ${what} has boolean features only`);
    }
  };
  switch (constraint.type) {
    case 'oneHot':
      needsBooleans('a one-hot group');
      if (!(Number.isInteger(constraint.limit) && constraint.limit >= 1 && constraint.limit <= features.length)) {
        refuse(`limit ${constraint.limit} is not a whole number from 1 to ${features.length}`);
      }
      break;
    case 'ordinal':
    case 'thermometer':
      needsBooleans(constraint.type === 'ordinal' ? 'an ordinal group' : 'a thermometer');
      for (const j of features) {
        const { name, actionable, direction } = elements[j];
        if (constraint.type === 'thermometer' && actionable && direction * constraint.direction < 0) {
          refuse(`contradicts the direction of ${name}, which is ${direction}: neither way is left`);
        }
      }
      break;
    case 'directionalLinkage': {
      if (constraint.targets.length === 0) refuse('it has no target');
      const source = elements[constraint.source];
      if (!source.actionable) refuse(`its source ${source.name} cannot be changed; name one that is actionable`);
      for (const { feature, scale } of constraint.targets) {
        const target = elements[feature];
        if (scale === 0 || !Number.isFinite(scale))
          refuse(`scale ${scale} for ${target.name} is not a number other than 0`);
        if (isDiscrete(target) && !isDiscrete(source)) {
          refuse(`${target.name} moves on a grid and cannot follow ${source.name}, which moves on a continuum`);
        }
        if (isDiscrete(target) && !target.values && !Number.isInteger((scale * source.step) / target.step)) {
          refuse(`scale ${scale} moves ${target.name} off its grid of width ${target.step}; a multiple of it would do`);
        }
        if (constraint.keepBounds && !target.actionable) {
          refuse(`contradicts that ${target.name} cannot be changed: with keepBounds ${source.name} could never move`);
        }
      }
      break;
    }
    case 'ifThen':
      for (const { value } of [constraint.if, constraint.implies]) {
        if (!Number.isFinite(value)) refuse(`value ${value} is not finite`);
      }
      break;
    case 'mutabilitySwitch':
      if (constraint.targets.length === 0) refuse('it has no target');
      if (elements[constraint.switch].kind !== 'boolean')
        refuse(`its switch ${elements[constraint.switch].name} is not boolean`);
      if (constraint.on !== 0 && constraint.on !== 1) refuse(`on ${constraint.on} is neither 0 nor 1`);
      break;
    case 'reachability': {
      const { values, reachable } = constraint;
      if (values.length === 0) refuse('it lists no values');
      for (const vector of values) {
        if (vector.length !== features.length || !vector.every(Number.isFinite)) {
          refuse(`values [${vector.join(', ')}] are not ${features.length} finite numbers`);
        }
      }
      if (reachable) {
        if (reachable.length !== values.length || reachable.some((row) => row.length !== values.length)) {
          refuse(`its matrix is not ${values.length} × ${values.length}, one row and column for each of its values`);
        }
        reachable.forEach((row, i) => {
          if (!row[i]) refuse(`value ${i} cannot stay as it is; the diagonal of its matrix is 1`);
        });
      }
      break;
    }
    case 'linear':
      if (features.length === 0) refuse('it has no feature');
      if (constraint.weights.length !== features.length)
        refuse(`it has ${constraint.weights.length} weights for ${features.length} features`);
      for (const w of [...constraint.weights, constraint.bound]) if (!Number.isFinite(w)) refuse(`${w} is not finite`);
      if (constraint.weights.includes(0)) refuse('a weight is 0; leave the feature out');
      break;
  }
}

/** The features of a part with sources before their targets. @throws InputError naming the linkages that go in a circle. */
function inLinkageOrder(
  features: readonly number[],
  constraints: readonly ActionConstraint[],
  elements: readonly ActionElement[],
): readonly number[] {
  const links = constraints.filter((constraint) => constraint.type === 'directionalLinkage');
  const order: number[] = [];
  const state = new Map<number, 'open' | 'done'>();
  const visit = (j: number, path: readonly number[]): void => {
    if (state.get(j) === 'done') return;
    if (state.get(j) === 'open') {
      const circle = [...path.slice(path.indexOf(j)), j].reverse().map((k) => elements[k].name);
      throw new InputError(`directional linkages go in a circle: ${circle.join(' → ')}; one of them must go`);
    }
    state.set(j, 'open');
    for (const { source, targets } of links) {
      if (targets.some(({ feature }) => feature === j)) visit(source, [...path, j]);
    }
    state.set(j, 'done');
    order.push(j);
  };
  for (const j of features) visit(j, []);
  return order;
}

/**
 * Why a row cannot be acted from, or nothing if it can: a value that is not finite or outside its bounds, or a constraint that does not
 * hold to begin with.
 * @param x one number a column; values of parts in which nothing can move are not looked at.
 * @param missing whether a missing value (NaN) is refused, or holds its part in place.
 */
export function objection(
  { elements, parts }: ActionSet,
  x: ArrayLike<number>,
  missing: 'refuse' | 'hold' = 'refuse',
): string | undefined {
  const row = { values: Float64Array.from(x), known: new Uint8Array(x.length).fill(1), low: NONE, high: NONE };
  for (const { features, constraints, movable } of parts) {
    if (!movable || (missing === 'hold' && hasMissing(features, x))) continue;
    for (const j of features) {
      const { name, lb, ub, actionable } = elements[j];
      if (!Number.isFinite(x[j])) return `${name} is ${x[j]}; its value must be finite`;
      if (!actionable) continue;
      if (x[j] < lb || x[j] > ub) return `${name} is ${x[j]}, outside its bounds ${lb} to ${ub}`;
    }
    for (const constraint of constraints) {
      if (!possible(constraint, row, x)) return `${printConstraint(constraint, elements)} does not hold to begin with`;
    }
  }
  return undefined;
}

/** Whether a value of some columns is missing: NaN. */
export function hasMissing(columns: readonly number[], x: ArrayLike<number>): boolean {
  return columns.some((j) => Number.isNaN(x[j]));
}

const NONE = new Float64Array(0);
