/** @file Action elements: how one feature may be changed, and by how much. */

import { InputError } from '../../core/errors.ts';

/** 1: may only rise, −1: may only fall, 0: both. */
export type Direction = -1 | 0 | 1;

/** How one feature may be changed (arXiv:2410.22598, section 2). */
export interface ActionElement {
  readonly name: string;
  /** Numbers move on a continuum, integers and booleans on a grid; a category's numbers are the codes of its levels. */
  readonly kind: 'number' | 'integer' | 'boolean';
  readonly actionable: boolean;
  /** Least and greatest value it may have. */
  readonly lb: number;
  readonly ub: number;
  readonly direction: Direction;
  /** Greatest fall, 0 or less. */
  readonly stepLb: number;
  /** Greatest rise, 0 or more. */
  readonly stepUb: number;
  /** Width of the grid around the present value; 0: a continuum. */
  readonly step: number;
  /** The only values that a change may lead to, ascending, where they are listed. */
  readonly values?: readonly number[];
}

/**
 * An element with what is not given taken from `values` as the paper's code does: all 0 and 1 is a boolean, all whole numbers
 * an integer with step 1, else a number; bounds are the least and the greatest value; all may be changed, both ways.
 * @throws InputError if there is no value that is finite, for a bound that is not a number, lb above ub, stepLb above 0 or stepUb below 0.
 */
export function actionElement(
  name: string,
  values: ArrayLike<number>,
  given: { readonly [Key in keyof Omit<ActionElement, 'name'>]?: ActionElement[Key] } = {},
): ActionElement {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  let whole = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    if (!Number.isFinite(value)) throw new InputError(`feature ${name}: value ${i} is ${value}; values must be finite`);
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
    whole &&= Number.isInteger(value);
  }
  const found =
    least > greatest ? 'number' : whole && least >= 0 && greatest <= 1 ? 'boolean' : whole ? 'integer' : 'number';
  const kind = given.kind ?? found;
  const boolean = kind === 'boolean';
  return checkElement({
    name,
    kind,
    actionable: given.actionable ?? true,
    lb: given.lb ?? given.values?.[0] ?? (boolean ? 0 : least),
    ub: given.ub ?? given.values?.at(-1) ?? (boolean ? 1 : greatest),
    direction: given.direction ?? 0,
    stepLb: given.stepLb ?? Number.NEGATIVE_INFINITY,
    stepUb: given.stepUb ?? Number.POSITIVE_INFINITY,
    step: given.step ?? (kind === 'number' ? 0 : 1),
    ...(given.values && { values: given.values }),
  });
}

/** @throws InputError as `actionElement` does. */
export function checkElement(element: ActionElement): ActionElement {
  const { name, kind, lb, ub, stepLb, stepUb, step, direction, values } = element;
  const refuse = (what: string): never => {
    throw new InputError(`feature ${name}: ${what}`);
  };
  if (!Number.isFinite(lb) || !Number.isFinite(ub)) refuse(`bounds ${lb} to ${ub} are not finite; give lb and ub`);
  if (lb > ub) refuse(`lb ${lb} is above ub ${ub}`);
  if (kind === 'boolean' && (lb < 0 || ub > 1)) refuse(`bounds ${lb} to ${ub} are outside 0 to 1, and it is boolean`);
  if (!(stepLb <= 0))
    refuse(`stepLb ${stepLb} is above 0; it is the greatest fall, so 0 or less (is it stepUb that was meant?)`);
  if (!(stepUb >= 0))
    refuse(`stepUb ${stepUb} is below 0; it is the greatest rise, so 0 or more (is it stepLb that was meant?)`);
  if (!(step >= 0 && Number.isFinite(step))) refuse(`step ${step} is not a width; it is 0 or more`);
  if (kind !== 'number' && !(step >= 1 && Number.isInteger(step))) {
    refuse(`step ${step} is not a whole number of 1 or more, and it is ${kind}`);
  }
  if (direction !== 0 && direction !== 1 && direction !== -1) refuse(`direction ${direction} is none of −1, 0 and 1`);
  if (values) {
    if (values.length === 0) refuse('it has an empty list of values');
    values.forEach((value, i) => {
      if (!Number.isFinite(value)) refuse(`value ${value} of its list is not finite`);
      if (i > 0 && value <= values[i - 1]) refuse('its list of values is not ascending');
    });
  }
  return element;
}

/** Whether its changes can be counted. */
export function isDiscrete({ step, values }: ActionElement): boolean {
  return step > 0 || values !== undefined;
}

/** The least and the greatest change of a feature at value x: [0, 0] where it cannot be changed. */
export function changeBounds(element: ActionElement, x: number): readonly [low: number, high: number] {
  const { actionable, lb, ub, direction, stepLb, stepUb } = element;
  if (!actionable) return [0, 0];
  return [
    direction <= 0 ? Math.min(0, Math.max(lb - x, stepLb)) : 0,
    direction >= 0 ? Math.max(0, Math.min(ub - x, stepUb)) : 0,
  ];
}

/** How many changes of a discrete feature there are at value x, the null change among them. */
export function changeCount(element: ActionElement, x: number): number {
  const [low, high] = changeBounds(element, x);
  if (element.values) return element.values.filter((v) => v !== x && v - x >= low && v - x <= high).length + 1;
  return Math.floor(high / element.step + 1e-9) + Math.floor(-low / element.step + 1e-9) + 1;
}

/** The changes of a discrete feature at value x, ascending, the null change among them. */
export function changes(element: ActionElement, x: number): Float64Array {
  const [low, high] = changeBounds(element, x);
  const { step, values } = element;
  if (values) {
    const list = values.map((v) => v - x).filter((a) => a !== 0 && a >= low && a <= high);
    return Float64Array.from([...list, 0]).sort();
  }
  const below = Math.floor(-low / step + 1e-9);
  const above = Math.floor(high / step + 1e-9);
  return Float64Array.from({ length: below + above + 1 }, (_, i) => (i - below) * step);
}
