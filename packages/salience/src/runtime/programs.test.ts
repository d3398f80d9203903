/** @file Whole programs: values and gradients against jax-js's own evaluation, finite differences, and PyTorch where it is. */

import { spawnSync } from 'node:child_process';
import * as jax from '@jax-js/jax';
import { beforeAll, describe, expect, it } from 'vitest';
import { eagerly, expectSame, leavesOf, prepareEager } from '../../test/eager.ts';
import { Random } from '../core/random.ts';
import { compile } from './compile.ts';
import { float32, int32, sizeOf, type Tensor } from './tensor.ts';

const { numpy: np, lax, nn } = jax;
type Array_ = jax.Array;
type Model = (parameters: Array_[], ...inputs: Array_[]) => Array_;

const random = new Random(5, 'programs');

/** Normal numbers of deviation 1/√(all but the last length). */
function normal(...shape: number[]): Tensor {
  const deviation = 1 / Math.sqrt(sizeOf(shape.slice(0, -1)));
  return float32(
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.normal() * deviation),
  );
}

function below(n: number, ...shape: number[]): Tensor {
  return int32(
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.integer(n)),
  );
}

const mlp: Model = ([w, b, v, c], x) => {
  const hidden = nn.gelu(np.matmul(x, w).add(b));
  return np.tanh(np.matmul(hidden, v).add(c));
};

const convolutional: Model = ([first, second, w], image) => {
  const layer = (x: Array_, kernel: Array_) => {
    const y = nn.relu(lax.convGeneralDilated(x, kernel, [1, 1], 'SAME'));
    return lax.reduceWindow(y, (window) => window.max(), [2, 2], [2, 2]);
  };
  const features = layer(layer(image, first), second);
  return nn.logSoftmax(np.matmul(features.reshape([features.shape[0], -1]), w));
};

const normalized = (x: Array_, gain: Array_) => {
  const meanSquare = x.mul(x).mean(-1, { keepdims: true });
  return x.mul(np.reciprocal(np.sqrt(meanSquare.add(1e-5)))).mul(gain);
};

const rmsNorm: Model = ([gain], x) => normalized(x, gain);

const heads = 2;
const attention: Model = ([wq, wk, wv, wo, gain], x) => {
  const [batch, length, width] = x.shape;
  const y = normalized(x, gain);
  const split = (w: Array_) =>
    np
      .matmul(y, w)
      .reshape([batch, length, heads, width / heads])
      .transpose([0, 2, 1, 3]);
  const [q, k, v] = [split(wq), split(wk), split(wv)];
  const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(Math.sqrt(heads / width));
  const seen = np.arange(length).reshape([length, 1]).greaterEqual(np.arange(length));
  const weights = nn.softmax(np.where(seen, scores, -1e9), -1);
  const mixed = np.matmul(weights, v).transpose([0, 2, 1, 3]).reshape([batch, length, width]);
  return x.add(np.matmul(mixed, wo));
};

const embedding: Model = ([table, w], tokens) => np.matmul(np.take(table, tokens, 0).mean(1), w);

const recurrent: Model = ([wx, wh, b], xs) => {
  let h = np.zeros([xs.shape[1], wh.shape[0]]);
  for (let t = 0; t < 16; t++) h = np.tanh(np.matmul(xs.slice(t), wx).add(np.matmul(h, wh)).add(b));
  return h;
};

const programs: Readonly<Record<string, readonly [Model, Tensor[], ...Tensor[]]>> = {
  'a multilayer perceptron': [mlp, [normal(8, 16), normal(16), normal(16, 4), normal(4)], normal(5, 8)],
  'a convolutional net with max pooling': [
    convolutional,
    [normal(4, 3, 3, 3), normal(6, 4, 3, 3), normal(24, 5)],
    normal(2, 3, 8, 8),
  ],
  'an attention block': [
    attention,
    [normal(8, 8), normal(8, 8), normal(8, 8), normal(8, 8), normal(8)],
    normal(2, 6, 8),
  ],
  'root-mean-square normalization': [rmsNorm, [normal(7)], normal(3, 4, 7)],
  'an embedding': [embedding, [normal(10, 6), normal(6, 3)], below(10, 4, 5)],
  'a recurrent cell of 16 steps': [recurrent, [normal(3, 5), normal(5, 5), normal(5)], normal(16, 2, 3)],
};

/** A number of the outputs in which each has a part of its own. */
const lossOf =
  (model: Model) =>
  (parameters: Array_[], ...inputs: Array_[]): Array_ => {
    const y = model(parameters, ...inputs);
    const weights = Float32Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.cos(i));
    return y
      .mul(y)
      .add(y.mul(np.array(weights, { shape: [...y.shape] })))
      .sum();
  };

const stepOf =
  (model: Model) =>
  (parameters: Array_[], ...inputs: Array_[]) => [
    model(parameters, ...inputs),
    ...(jax.valueAndGrad(lossOf(model))(parameters, ...inputs) as unknown[]),
  ];

async function compareWithEager(fn: (...args: never[]) => unknown, ...args: unknown[]): Promise<void> {
  const compiled = compile(fn as never) as unknown as (...args: unknown[]) => Promise<unknown>;
  expectSame(leavesOf(await compiled(...args)), eagerly(fn, args));
}

describe('programs', () => {
  beforeAll(prepareEager);

  it.each(Object.keys(programs))('%s gives the value and the gradients that jax-js gives', async (name) => {
    const [model, parameters, ...inputs] = programs[name];
    await compareWithEager(stepOf(model) as never, parameters, ...inputs);
  });

  it.each(Object.keys(programs))('%s gives the same bits twice', async (name) => {
    const [model, parameters, ...inputs] = programs[name];
    const [first, second] = [compile(stepOf(model) as never), compile(stepOf(model) as never)] as unknown as ((
      ...args: unknown[]
    ) => Promise<unknown>)[];
    const bits = async (run: (...args: unknown[]) => Promise<unknown>) =>
      leavesOf(await run(parameters, ...inputs)).map(({ data }) => [...new Uint8Array(data.slice().buffer)]);
    const once = await bits(first);
    expect(await bits(first)).toEqual(once);
    expect(await bits(second)).toEqual(once);
  });

  it('gradients for each example by vmap of grad', async () => {
    const [model, parameters, x] = programs['a multilayer perceptron'];
    const one = (p: Array_[], row: Array_) => lossOf(model)(p, row.reshape([1, -1]));
    const each = jax.vmap(jax.grad(one) as never, [null, 0] as never);
    await compareWithEager(each as never, parameters, x);
  });

  it('jvp: the derivative along a direction', async () => {
    const along = (x: Array_, dx: Array_) => jax.jvp((a: Array_) => np.tanh(np.sin(a).mul(a)), [x], [dx]);
    await compareWithEager(along as never, normal(3, 4), normal(3, 4));
  });

  it('vjp: the gradient from a given one', async () => {
    const back = (x: Array_, w: Array_, dy: Array_) => {
      const [y, pull] = jax.vjp((a: Array_, b: Array_) => nn.softmax(np.matmul(a, b)), [x, w]);
      return [y, pull(dy)];
    };
    await compareWithEager(back as never, normal(3, 4), normal(4, 5), normal(3, 5));
  });

  it('jacobian: all derivatives of all results', async () => {
    const all = jax.jacobian((x: Array_) => np.sin(x).mul(np.cumsum(x)));
    await compareWithEager(all as never, normal(6));
    await compareWithEager(jax.hessian((x: Array_) => np.exp(np.sin(x).sum())) as never, normal(4));
  });

  it('the gradient of a composed function is its slope by finite differences', async () => {
    const loss = (x: Array_) => np.log(np.exp(np.sin(x).mul(x)).sum().add(lax.erf(x).sum()));
    const at = normal(4, 3);
    const slopes = (await compile(jax.grad(loss))(at)) as Tensor;
    const value = compile(loss);
    const step = 1e-2;
    for (let i = 0; i < at.data.length; i++) {
      const moved = async (by: number) => {
        const data = Float32Array.from(at.data);
        data[i] += by;
        return ((await value(float32(at.shape, data))) as Tensor).data[0];
      };
      const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
      expect(Math.abs(slope - slopes.data[i])).toBeLessThan(2e-3);
    }
  });

  it('an array made in the function, or closed over, may be used any number of times without keeping count', async () => {
    const offset = np.array([1, 2, 4]);
    const model = (x: Array_) => {
      const places = np.arange(x.shape[0]);
      return x.mul(places).add(places).add(offset).mul(offset);
    };
    const compiled = compile(model);
    expect([...((await compiled(float32([3], [1, 1, 1]))) as Tensor).data]).toEqual([1, 8, 32]);
    expect([...((await compiled(float32([1], [1]))) as Tensor).data]).toEqual([1, 4, 16]);
  });

  it('a value may be used any number of times without keeping count', async () => {
    const thrice = (x: Array_) => {
      const y = np.sin(x);
      return y.mul(y).add(y).add(x);
    };
    const x = float32([3], [0, 0.5, 1]);
    const y = (await compile(thrice)(x)) as Tensor;
    [...x.data].forEach((a, i) => {
      expect(y.data[i]).toBeCloseTo(Math.sin(a) ** 2 + Math.sin(a) + a, 6);
    });
  });
});

const inPyTorch = `
import json, sys, torch
torch.set_num_threads(1)
F = torch.nn.functional

def mlp(p, x):
    w, b, v, c = p
    h = x @ w + b
    h = 0.5 * h * (1 + torch.tanh(0.7978845608028654 * (h + 0.044715 * h ** 3)))
    return torch.tanh(h @ v + c)

def attention(p, x):
    wq, wk, wv, wo, gain = p
    b, t, d = x.shape
    y = x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * gain
    q, k, v = ((y @ w).reshape(b, t, ${heads}, -1).transpose(1, 2) for w in (wq, wk, wv))
    s = q @ k.transpose(2, 3) * (${heads} / d) ** 0.5
    s = s.masked_fill(torch.ones(t, t).triu(1).bool(), -1e9)
    return x + (F.softmax(s, -1) @ v).transpose(1, 2).reshape(b, t, d) @ wo

out = []
for model, (p, x) in zip((mlp, attention), json.load(sys.stdin)):
    p = [torch.tensor(a["data"]).reshape(a["shape"]).requires_grad_() for a in p]
    y = model(p, torch.tensor(x["data"]).reshape(x["shape"]))
    loss = (y * y + y * torch.cos(torch.arange(y.numel(), dtype=torch.float64)).float().reshape(y.shape)).sum()
    loss.backward()
    out.append([a.detach().reshape(-1).tolist() for a in (y, loss, *(a.grad for a in p))])
json.dump(out, sys.stdout)
`;

const python = ['python3', '/usr/bin/python3'].find((path) => spawnSync(path, ['-c', 'import torch']).status === 0);

describe('programs in PyTorch', () => {
  it.skipIf(!python)(
    `the perceptron and the attention block give what PyTorch gives${python ? '' : ' (skipped without a python3 that has torch)'}`,
    async () => {
      const chosen = ['a multilayer perceptron', 'an attention block'].map((name) => programs[name]);
      const plain = ({ shape, data }: Tensor) => ({ shape, data: [...data] });
      const input = JSON.stringify(chosen.map(([, parameters, x]) => [parameters.map(plain), plain(x)]));
      const { stdout, stderr, status } = spawnSync(python!, ['-c', inPyTorch], { input, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      const wanted = JSON.parse(stdout) as number[][][];
      for (const [i, [model, parameters, x]] of chosen.entries()) {
        const compiled = compile(stepOf(model) as never) as unknown as (...args: unknown[]) => Promise<unknown>;
        const leaves = leavesOf(await compiled(parameters, x));
        expectSame(
          leaves,
          leaves.map(({ shape }, r) => float32(shape, wanted[i][r])),
        );
      }
    },
  );
});
