import * as jax from '@jax-js/jax';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  compile,
  float32,
  grad,
  layerNorm,
  nn,
  numpy as np,
  rmsNorm,
  softmax,
  type Tensor,
  valueAndGrad,
} from '../index.ts';
import { prepareTracing, trace } from '../trace.ts';
import { lower } from './lower.ts';

type A = jax.Array;

const wave = (n: number, phase = 0) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(1.7 * i + phase) + 0.3 * Math.cos(i * i));
const weigh = (y: A) => y.mul(np.array(wave(y.size, 3), { shape: y.shape })).sum();

/** The operators of a traced function. */
function operators(fn: (...args: never[]) => unknown, tensors: readonly Tensor[]): string[] {
  const [, structure] = jax.tree.flatten(tensors.map(() => 0) as never);
  const { graph, outputs } = lower(trace(fn, structure as jax.tree.JsTreeDef, tensors).program.simplify());
  return graph.nodes(outputs).map(({ op }) => op);
}

interface Case {
  name: string;
  named: (...args: A[]) => A;
  plain: (...args: A[]) => A;
  tensors: Tensor[];
  operator: string;
  gone: string;
}

const x = float32([3, 5], wave(15));
const cases: Case[] = [
  {
    name: 'tanh',
    named: np.tanh,
    plain: (v) =>
      np
        .exp(v.ref)
        .sub(np.exp(v.ref.neg()))
        .div(np.exp(v.ref).add(np.exp(v.neg()))),
    tensors: [x],
    operator: 'Tanh',
    gone: 'Exp',
  },
  {
    name: 'silu',
    named: nn.silu,
    plain: (v) => v.ref.div(np.exp(v.neg()).add(1)),
    tensors: [x],
    operator: 'Sigmoid',
    gone: 'Exp',
  },
  {
    name: 'gelu',
    named: (v) => nn.gelu(v),
    plain: (v) =>
      v.ref.mul(0.5).mul(np.tanh(v.ref.add(v.ref.mul(v.ref).mul(v).mul(0.044715)).mul(Math.sqrt(2 / Math.PI))).add(1)),
    tensors: [x],
    operator: 'Gelu',
    gone: 'Exp',
  },
  { name: 'softmax', named: softmax, plain: (v) => nn.softmax(v), tensors: [x], operator: 'Softmax', gone: 'Exp' },
  {
    name: 'rmsNorm',
    named: (v, w) => rmsNorm(v, w),
    plain: (v, w) => v.ref.mul(np.reciprocal(np.sqrt(v.ref.mul(v).mean(-1, { keepdims: true }).add(1e-5)))).mul(w),
    tensors: [x, float32([5], wave(5, 1))],
    operator: 'SimplifiedLayerNormalization',
    gone: 'Sqrt',
  },
  {
    name: 'layerNorm',
    named: (v, w, b) => layerNorm(v, w, b),
    plain: (v, w, b) => {
      const centred = v.ref.sub(v.mean(-1, { keepdims: true }));
      const variance = centred.ref.mul(centred.ref).mean(-1, { keepdims: true });
      return centred
        .mul(np.reciprocal(np.sqrt(variance.add(1e-5))))
        .mul(w)
        .add(b);
    },
    tensors: [x, float32([5], wave(5, 1)), float32([5], wave(5, 2))],
    operator: 'LayerNormalization',
    gone: 'Sqrt',
  },
];

beforeAll(prepareTracing);

describe.each(cases)('$name', ({ named, plain, tensors, operator, gone }) => {
  const argnums = tensors.map((_, i) => i);
  const differentiated = (fn: (...args: A[]) => A) => valueAndGrad((...args: A[]) => weigh(fn(...args)), { argnums });

  it('is one operator going forward', () => {
    const ops = operators(named as never, tensors);
    expect(ops).toContain(operator);
    expect(ops).not.toContain(gone);
  });

  it('goes back in closed form: nothing of its own intermediate steps is left', () => {
    expect(operators(differentiated(named) as never, tensors)).not.toContain(gone);
  });

  it('has the value and the gradients of the function written out', async () => {
    const [value, gradients] = (await compile(differentiated(named) as never)(...(tensors as never[]))) as unknown as [
      Tensor,
      Tensor[],
    ];
    const eager = tensors.map(({ shape, data }) => np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] }));
    const [expected, slopes] = differentiated(plain)(...eager) as unknown as [A, A[]];
    expect(value.data[0]).toBeCloseTo(((await expected.data()) as Float32Array)[0], 4);
    for (const [i, slope] of slopes.entries()) {
      const right = await slope.data();
      for (let e = 0; e < right.length; e++) expect(gradients[i].data[e]).toBeCloseTo(right[e], 4);
    }
  });
});

describe('named sub-programs', () => {
  it('are told apart where two of one kind share an intermediate value', async () => {
    const twice = (v: A) => weigh(softmax(softmax(v).mul(3)));
    const plainly = (v: A) => weigh(nn.softmax(nn.softmax(v).mul(3)));
    const [slope] = [await compile(grad(twice))(x as never)] as unknown as Tensor[];
    const right = await (grad(plainly)(np.array(x.data as Float32Array<ArrayBuffer>, { shape: [3, 5] })) as A).data();
    for (let e = 0; e < right.length; e++) expect(slope.data[e]).toBeCloseTo(right[e], 5);
    expect(operators(grad(twice) as never, [x])).not.toContain('Exp');
  });

  it('of another body are written out: the exact form of GELU has no tanh', async () => {
    const exact = (v: A) => nn.gelu(v, { approximate: false });
    expect(operators(exact as never, [x])).toContain('Erf');
    const { data } = (await compile(exact as never)(float32([1], [1]) as never)) as unknown as Tensor;
    expect(data[0]).toBeCloseTo(0.8413447, 5);
  });
});
