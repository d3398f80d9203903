/** @file Rules of sums, products and windows: results and gradients of the compiled function against jax-js's own evaluation. */

import * as jax from '@jax-js/jax';
import { beforeAll, describe, it } from 'vitest';
import { all, type Case, type Draw, expectAgreement, numbers, type Row } from '../../../test/agreement.ts';
import { prepareEager } from '../../../test/eager.ts';
import type { ElementType } from '../tensor.ts';

const { numpy: np, lax } = jax;
type Array_ = jax.Array;

function reduction(op: 'sum' | 'prod' | 'min' | 'max', types: readonly ElementType[]) {
  return (draw: Draw): Case => {
    const shape = draw.shape();
    const axis = draw.some(shape.length);
    // Of nothing there is no least; and jax-js makes the product of no whole numbers 0.
    const empty = axis.some((a) => shape[a] === 0) && op !== 'sum';
    const lengths = empty ? shape.map((length) => Math.max(1, length)) : shape;
    const type = draw.one(types);
    const far = type !== 'float32' && op !== 'prod' && draw.chance(3);
    const keepdims = draw.chance(4);
    return {
      operands: [
        draw.operand(lengths, type, far ? (type === 'uint32' ? [0, 2 ** 32] : [-(2 ** 31), 2 ** 31]) : [-2, 3]),
      ],
      fn: (x) => x[op](axis, { keepdims }),
    };
  };
}

/** A product and sum over letters, any of which may be in one operand, in both, in the result, or in neither. */
function einsum(draw: Draw): Case {
  const lengths: Record<string, number> = {};
  for (const letter of 'abcdef') lengths[letter] = draw.one([1, 2, 3, 4, 2, 3, draw.chance(4) ? 0 : 2]);
  const pick = () =>
    draw
      .order(6)
      .map((i) => 'abcdef'[i])
      .slice(0, draw.integer(1, 4));
  const [x, y] = [pick(), pick()];
  const kept = [...new Set([...x, ...y])].filter(() => draw.chance(2));
  const out = draw.order(kept.length).map((i) => kept[i]);
  const type = draw.one(['float32', 'float32', 'int32', 'uint32'] as const);
  const operand = (letters: readonly string[]) =>
    draw.operand(
      letters.map((letter) => lengths[letter]),
      type,
      type === 'float32' ? [-1, 1] : [-5, 5],
    );
  const places = (letters: readonly string[]) => letters.map((letter) => 'abcdef'.indexOf(letter));
  return {
    valueOnly: Object.values(lengths).includes(0),
    operands: [operand(x), operand(y)],
    fn: (a, b) => np.einsum(a, places(x), b, places(y), places(out)),
  };
}

function convolution(draw: Draw): Case {
  const spatial = draw.integer(0, 3);
  const groups = draw.one([1, 1, 2]);
  const per = (choices: readonly number[]) => Array.from({ length: spatial }, () => draw.one(choices));
  const [strides, rhsDilation, lhsDilation, kernel] = [
    per([1, 1, 2, 3]),
    per([1, 1, 2]),
    per([1, 1, 2]),
    per([1, 2, 3]),
  ];
  const padding = kernel.map((k, i): [number, number] => {
    const most = (k - 1) * rhsDilation[i];
    return [draw.integer(0, most), draw.integer(0, most)];
  });
  const size = kernel.map((k, i) => (k - 1) * rhsDilation[i] + draw.integer(1, 4));
  const [channels, out] = [draw.integer(1, 3), draw.integer(1, 3)];
  const mapped = spatial < 3 && draw.chance(3);
  const lead = mapped ? [draw.integer(1, 3)] : [];
  const both = draw.chance(2);
  const x = draw.operand([...lead, draw.integer(1, 2), channels * groups, ...size], 'float32', [-1, 1]);
  const w = draw.operand([...(both ? lead : []), out * groups, channels, ...kernel], 'float32', [-1, 1]);
  const conv = (a: Array_, b: Array_) =>
    lax.convGeneralDilated(a, b, strides, padding, { lhsDilation, rhsDilation, featureGroupCount: groups });
  return {
    operands: [x, w],
    fn: mapped ? (a, b) => jax.vmap(conv, [0, both ? 0 : null] as never)(a, b) as Array_ : conv,
  };
}

function pooling(reduce: (windows: Array_) => Array_) {
  return (draw: Draw): Case => {
    const spatial = draw.integer(1, 2);
    const window = Array.from({ length: spatial }, () => draw.integer(1, 3));
    const strides = window.map(() => draw.integer(1, 3));
    const x = draw.operand([...draw.shape(0, 2), ...window.map((k) => k + draw.integer(0, 4))]);
    return { operands: [x], fn: (a) => lax.reduceWindow(a, reduce, window, strides) };
  };
}

const rows: readonly Row[] = [
  ['reduce', 'sum', reduction('sum', numbers)],
  ['reduce', 'product', reduction('prod', numbers)],
  ['reduce', 'minimum', reduction('min', all)],
  ['reduce', 'maximum', reduction('max', all)],
  ['dot', 'einsum of two operands', einsum],
  [
    'dot',
    'matmul',
    (draw) => {
      const [n, k, m] = [draw.integer(0, 4), draw.integer(1, 4), draw.integer(1, 4)];
      const lead = draw.shape(0, 3);
      const [x, y] = [
        draw.operand([...draw.broadcastable(lead), n, k]),
        draw.operand([...draw.broadcastable(lead), k, m]),
      ];
      return { operands: [x, y], fn: np.matmul };
    },
  ],
  ['conv', 'convolution', convolution],
  ['pool', 'windows', pooling((windows) => windows)],
  ['pool', 'largest of a window', pooling((windows) => windows.max())],
  [
    'pool_transpose',
    'the gradient of sums over windows',
    (draw) => {
      const { operands, fn } = pooling((windows) => windows.sum())(draw);
      return { operands, fn: (x) => jax.grad((a: Array_) => np.sin(fn(a) as Array_).sum())(x) };
    },
  ],
];

describe('compiled functions agree with jax-js', () => {
  beforeAll(prepareEager);

  it.each(rows)('%s: %s', (primitive, _, cases) => expectAgreement(primitive, cases));
});
