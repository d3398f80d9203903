/** @file Rules that move, read and write elements: results and gradients of the compiled function against jax-js's own evaluation. */

import * as jax from '@jax-js/jax';
import { beforeAll, describe, it } from 'vitest';
import { all, type Case, type Draw, expectAgreement, ints, numbers, type Row } from '../../../test/agreement.ts';
import { prepareEager } from '../../../test/eager.ts';

const { numpy: np } = jax;
type Array_ = jax.Array;

/** Reads by arrays of indices along some axes, the others whole, sliced or picked. */
function indexed(draw: Draw): Case {
  const shape = draw.shape(1, 4).map((length) => Math.max(1, length));
  const at = draw.some(shape.length);
  if (at.length === 0) at.push(draw.integer(0, shape.length - 1));
  const common = draw.shape(0, 2);
  const x = draw.operand(shape, draw.one(all));
  const indices = at.map((a, k) =>
    draw.operand(k === 0 ? common : draw.broadcastable(common, true), draw.one(ints), [0, shape[a]]),
  );
  const others = shape.map((length) =>
    draw.chance(4) ? draw.integer(0, length - 1) : draw.chance(3) ? [length - 1] : [],
  );
  return {
    operands: [x, ...indices],
    fn: (a, ...places) =>
      a.slice(...(others.map((other, i) => (at.includes(i) ? places[at.indexOf(i)] : other)) as never[])),
  };
}

function take(draw: Draw): Case {
  const shape = draw.shape(1, 4).map((length, i) => (i === 0 ? Math.max(1, length) : length));
  const axis = draw.order(shape.length).find((a) => shape[a] > 0)!;
  const mapped = axis > 0 && shape[0] > 0 && draw.chance(2);
  const at = draw.operand(mapped ? [shape[0], ...draw.shape(0, 2)] : draw.shape(0, 3), draw.one(ints), [
    0,
    shape[axis],
  ]);
  const read = (a: Array_, i: Array_) => np.take(a, i, mapped ? axis - 1 : axis);
  return {
    operands: [draw.operand(shape, draw.one(all)), at],
    fn: mapped ? (a, i) => jax.vmap(read)(a, i) as Array_ : read,
  };
}

const rows: readonly Row[] = [
  [
    'concatenate',
    'along an axis',
    (draw) => {
      const shape = draw.shape(1);
      const axis = draw.integer(0, shape.length - 1);
      const type = draw.one(all);
      const piece = () =>
        draw.operand(
          shape.map((length, a) => (a === axis ? draw.integer(0, 3) : length)),
          type,
        );
      const pieces = Array.from({ length: draw.integer(2, 4) }, piece);
      return { operands: pieces, fn: (...xs) => np.concatenate(xs, axis) };
    },
  ],
  [
    'split',
    'along an axis',
    (draw) => {
      const shape = draw.shape(1);
      const axis = draw.integer(0, shape.length - 1);
      const cuts = [draw.integer(0, shape[axis]), draw.integer(0, shape[axis])].sort((a, b) => a - b);
      return { operands: [draw.operand(shape, draw.one(all))], fn: (x) => np.split(x, cuts, axis) as Array_[] };
    },
  ],
  ['gather', 'take along an axis', take],
  ['gather', 'by arrays of indices', indexed],
  [
    'scatter',
    'the gradient of a read',
    (draw) => {
      const { operands, fn } = draw.chance(2) ? take(draw) : indexed(draw);
      const [x, ...indices] = operands;
      const floats = draw.operand(x.shape);
      return {
        operands: [floats, ...indices],
        fn: (a, ...at) => jax.grad((b: Array_) => np.sin(fn(b, ...at) as Array_).sum())(a),
      };
    },
  ],
  [
    'transpose',
    'axes in another order',
    (draw) => {
      const shape = draw.shape(2);
      const perm = draw.order(shape.length);
      return { operands: [draw.operand(shape, draw.one(all))], fn: (x) => x.transpose(perm) };
    },
  ],
  [
    'broadcast',
    'to a larger shape',
    (draw) => {
      const full = draw.shape(1);
      return {
        operands: [draw.operand(draw.broadcastable(full), draw.one(all), [-2, 2], true)],
        fn: (x) => np.broadcastTo(x, full),
      };
    },
  ],
  [
    'reshape',
    'another shape',
    (draw) => {
      const shape = draw.shape();
      const [to, back] = [draw.reshaping(shape), draw.reshaping(shape)];
      return {
        operands: [draw.operand(shape, draw.one(all))],
        fn: (x) => [x.reshape(to), x.reshape(back).reshape(to)],
      };
    },
  ],
  [
    'flip',
    'axes backwards',
    (draw) => {
      const shape = draw.shape();
      const axes = draw.some(shape.length);
      return { operands: [draw.operand(shape, draw.one(all))], fn: (x) => np.flip(x, axes) };
    },
  ],
  [
    'shrink',
    'a part',
    (draw) => {
      const shape = draw.shape();
      const bounds = shape.map((length) => [draw.integer(0, length), draw.integer(0, length)].sort((a, b) => a - b));
      return { operands: [draw.operand(shape, draw.one(all))], fn: (x) => x.slice(...(bounds as [])) };
    },
  ],
  [
    'pad',
    'zeros around',
    (draw) => {
      const shape = draw.shape(1);
      const width = shape.map((): [number, number] => [draw.integer(0, 2), draw.integer(0, 2)]);
      return { operands: [draw.operand(shape, draw.one(all))], fn: (x) => np.pad(x, width) };
    },
  ],
  [
    'sort',
    'ascending',
    (draw) => {
      const shape = draw.shape(1, 4).map((length) => Math.max(1, length));
      const axis = draw.integer(0, shape.length - 1);
      return {
        operands: [draw.operand(shape, draw.one(numbers), [-9, 9])],
        fn: (x) => np.sort(x, axis),
      };
    },
  ],
  [
    'argsort',
    'places, equal ones in their order',
    (draw) => {
      const shape = draw.shape(1, 4);
      const axis = draw.integer(0, shape.length - 1);
      return {
        operands: [draw.operand(shape, draw.one(numbers), [-3, 3])],
        fn: (x) => np.argsort(np.floor(x.astype(np.float32)), axis),
      };
    },
  ],
];

describe('compiled functions agree with jax-js', () => {
  beforeAll(prepareEager);

  it.each(rows)('%s: %s', (primitive, _, cases) => expectAgreement(primitive, cases));
});
