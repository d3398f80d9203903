/** @file Rules of single elements: results and gradients of the compiled function against jax-js's own evaluation. */

import * as jax from '@jax-js/jax';
import { beforeAll, describe, it } from 'vitest';
import { all, type Case, type Draw, expectAgreement, ints, numbers, type Row } from '../../../test/agreement.ts';
import { prepareEager } from '../../../test/eager.ts';
import type { ElementType } from '../tensor.ts';

const { numpy: np, lax } = jax;
type Array_ = jax.Array;

const near: [number, number] = [-2, 2];

/** All numbers of a type. */
const farthest: Readonly<Record<ElementType, [number, number]>> = {
  float32: [-2, 2],
  int32: [-(2 ** 31), 2 ** 31],
  uint32: [0, 2 ** 32],
  bool: [0, 1],
};

function binary(
  fn: (x: Array_, y: Array_) => Array_,
  types: readonly ElementType[],
  y: [number, number] = near,
  mix = true,
) {
  return (draw: Draw): Case => {
    const full = draw.shape();
    const type = draw.one(types);
    const other = mix && draw.chance(4) ? draw.one(types) : type;
    const whole = type !== 'float32' && other !== 'float32';
    const far = whole && draw.chance(3);
    const range: [number, number] = type === 'float32' ? [-2, 2] : far ? farthest[type] : [-9, 9];
    return {
      operands: [
        draw.operand(draw.broadcastable(full, whole), type, range),
        draw.operand(
          draw.broadcastable(full, whole),
          other,
          other === 'float32' ? y : far && y === near ? farthest[other] : [y[0] * 4, y[1] * 4],
        ),
      ],
      fn,
    };
  };
}

function unary(
  fn: (x: Array_) => Array_,
  range: [number, number] = [-2, 2],
  types: readonly ElementType[] = ['float32'],
) {
  return (draw: Draw): Case => ({ operands: [draw.operand(draw.shape(), draw.one(types), range)], fn });
}

const rows: readonly Row[] = [
  ['add', 'x + y', binary(np.add, numbers)],
  ['mul', 'x · y', binary(np.multiply, all)],
  ['idiv', 'the whole part of x', unary(np.trunc, [-9, 9])],
  [
    'idiv',
    'x div y of whole numbers',
    binary((x, y) => x.div(np.where(y.equal(0), 3, y).astype(y.dtype)), ints, [-2, 2], false),
  ],
  ['idiv', 'the remainder by fmod', binary((x, y) => np.fmod(x, y), ['float32'], [0.3, 2])],
  ['mod', 'x mod y', binary((x, y) => x.mod(y), ['float32'], [0.3, 2])],
  [
    'mod',
    'x mod y of whole numbers',
    binary((x, y) => x.mod(np.where(y.equal(0), 3, y).astype(y.dtype)), ints, [-2, 2], false),
  ],
  ['mod', 'the remainder with the sign of y', binary(np.remainder, ['float32'], [-2, -0.3])],
  ['min', 'min(x, y)', binary(np.minimum, all)],
  ['max', 'max(x, y)', binary(np.maximum, all)],
  ['bit_combine', 'and', binary(np.bitwiseAnd, [...ints, 'bool'])],
  ['bit_combine', 'or', binary(np.bitwiseOr, [...ints, 'bool'])],
  ['bit_combine', 'xor', binary(np.bitwiseXor, [...ints, 'bool'])],
  ['bit_shift', 'left', binary((x, y) => np.leftShift(x, y), ints, [0, 7])],
  ['bit_shift', 'right', binary((x, y) => np.rightShift(x, y), ints, [0, 1])],
  ['neg', '−x', unary(np.negative, [-9, 9], numbers)],
  ['reciprocal', '1 / x', unary(np.reciprocal, [0.5, 3])],
  ['floor', 'floor', unary(np.floor, [-9, 9])],
  ['ceil', 'ceil', unary(np.ceil, [-9, 9])],
  ['stop_gradient', 'no gradient', unary((x) => lax.stopGradient(x).mul(x))],
  [
    'cast',
    'another type',
    (draw) => {
      const [from, to] = [draw.one(all), draw.one(all)];
      return {
        operands: [draw.operand(draw.shape(), from, to === 'uint32' ? [0, 9] : [-9, 9])],
        fn: (x) => x.astype(np[to]),
      };
    },
  ],
  [
    'bitcast',
    'the bits of whole numbers',
    (draw) => {
      const to = draw.one(ints);
      return {
        operands: [draw.operand(draw.shape(), draw.one(ints), [-9, 9])],
        fn: (x) => lax.bitcastConvertType(x, np[to]),
      };
    },
  ],
  ['sin', 'sine', unary(np.sin, [-9, 9])],
  ['cos', 'cosine', unary(np.cos, [-9, 9])],
  ['asin', 'arc sine', unary(np.asin, [-0.9, 0.9])],
  ['atan', 'arc tangent', unary(np.atan, [-9, 9])],
  ['exp', 'exponential', unary(np.exp, [-5, 3])],
  ['log', 'logarithm', unary(np.log, [0.1, 5])],
  ['erf', 'error function', unary(lax.erf, [-4, 4])],
  ['erfc', 'complementary error function', unary(lax.erfc, [-4, 4])],
  ['sqrt', 'root', unary(np.sqrt, [0.1, 9])],
  ['compare', 'x < y', binary(np.less, numbers)],
  ['compare', 'x ≤ y', binary(np.lessEqual, numbers)],
  ['compare', 'x = y', binary(np.equal, all)],
  ['compare', 'x ≠ y', binary(np.notEqual, all)],
  [
    'where',
    'x where c, else y',
    (draw) => {
      const full = draw.shape();
      const type = draw.one(all);
      const shapes = [true, false, false].map((toZero) => draw.broadcastable(full, toZero));
      const operands = [
        draw.operand(shapes[0], 'bool'),
        draw.operand(shapes[1], type),
        draw.operand(shapes[2], draw.chance(4) ? draw.one(all) : type),
      ];
      return { operands, fn: (c, x, y) => np.where(c, x, y) };
    },
  ],
];

describe('compiled functions agree with jax-js', () => {
  beforeAll(prepareEager);

  it.each(rows)('%s: %s', (primitive, _, cases) => expectAgreement(primitive, cases));
});
