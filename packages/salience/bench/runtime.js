/** @file The runtime against jax-js's own WebAssembly, PyTorch where it is, and bare ONNX Runtime. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as jax from '@jax-js/jax';
import * as ort from 'onnxruntime-node';
import { Random } from '../dist/core/random.js';
import { compile, float32, nn, numpy as np, rmsNorm, softmax, valueAndGrad } from '../dist/runtime/index.js';
import { lower } from '../dist/runtime/lowering/lower.js';
import { onnxModel } from '../dist/runtime/onnx-model.js';
import { prepareTracing, trace } from '../dist/runtime/trace.js';
import { median, seconds, times, torchPython } from './timing.js';

const threads = availableParallelism();
const random = new Random(0, 'bench/runtime');
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
const normal = (...shape) =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => 0.05 * random.normal()),
  );

/** Median seconds of a call, after some that do not count. */
async function timed(call, rounds, warm = 5) {
  for (let i = 0; i < warm; i++) await call();
  const all = [];
  for (let i = 0; i < rounds; i++) {
    const started = performance.now();
    await call();
    all.push((performance.now() - started) / 1000);
  }
  return median(all);
}

const x = normal(512, 256);
const y = normal(512, 10);
const params = { w1: normal(256, 1024), b1: normal(1024), w2: normal(1024, 10), b2: normal(10) };

function loss({ w1, b1, w2, b2 }, input, target) {
  const hidden = nn.gelu(np.matmul(input, w1).add(b1));
  const error = np.matmul(hidden, w2).add(b2).sub(target);
  return error.mul(error).mean();
}

/** The same with the reference counts that jax-js wants when it computes itself. */
function countedLoss({ w1, b1, w2, b2 }, input, target) {
  const hidden = nn.gelu(np.matmul(input, w1).add(b1));
  const error = np.matmul(hidden, w2).add(b2).sub(target);
  return error.ref.mul(error).mean();
}

/** Calls of the same function by jax-js itself, jitted, on WebAssembly. */
async function byJax(counted, args) {
  const step = jax.jit(valueAndGrad(counted));
  const held = jax.tree.map(({ shape, data }) => np.array(data, { shape: [...shape] }), args);
  return async () => {
    const [value, gradients] = step(...jax.tree.ref(held));
    await Promise.all([value.data(), ...jax.tree.leaves(gradients).map((gradient) => gradient.data())]);
  };
}

const [batch, length, width, heads, inner] = [8, 128, 256, 8, 1024];
const size = width / heads;
const blocks = Array.from({ length: 4 }, () => ({
  n1: normal(width),
  q: normal(width, width),
  k: normal(width, width),
  v: normal(width, width),
  o: normal(width, width),
  n2: normal(width),
  up: normal(width, inner),
  down: normal(inner, width),
}));
const stream = normal(batch, length, width);
const mask = float32(
  [length, length],
  Float32Array.from({ length: length ** 2 }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0)),
);
const split = (y) => y.reshape([batch, length, heads, size]).transpose([0, 2, 1, 3]);

function decoderLoss(layers, input, causal) {
  let x = input;
  for (const p of layers) {
    const h = rmsNorm(x, p.n1);
    const [q, k, v] = [p.q, p.k, p.v].map((w) => split(np.matmul(h, w)));
    const attention = softmax(
      np
        .matmul(q, k.transpose([0, 1, 3, 2]))
        .mul(size ** -0.5)
        .add(causal),
    );
    const mixed = np.matmul(attention, v).transpose([0, 2, 1, 3]).reshape([batch, length, width]);
    x = x.add(np.matmul(mixed, p.o));
    x = x.add(np.matmul(nn.gelu(np.matmul(rmsNorm(x, p.n2), p.up)), p.down));
  }
  return x.mul(x).mean();
}

/** The same with the reference counts that jax-js wants when it computes itself. */
function countedDecoderLoss(layers, input, causal) {
  let x = input;
  for (const p of layers) {
    const h = rmsNorm(x.ref, p.n1);
    const [q, k, v] = [np.matmul(h.ref, p.q), np.matmul(h.ref, p.k), np.matmul(h, p.v)].map(split);
    const attention = softmax(
      np
        .matmul(q, k.transpose([0, 1, 3, 2]))
        .mul(size ** -0.5)
        .add(causal.ref),
    );
    const mixed = np.matmul(attention, v).transpose([0, 2, 1, 3]).reshape([batch, length, width]);
    x = x.add(np.matmul(mixed, p.o));
    x = x.ref.add(np.matmul(nn.gelu(np.matmul(rmsNorm(x, p.n2), p.up)), p.down));
  }
  causal.dispose();
  return x.ref.mul(x).mean();
}

/** Where the time of a decoder step goes, in percent by operator, the largest first. */
async function profile() {
  const args = [blocks, stream, mask];
  const [leaves, structure] = jax.tree.flatten(args);
  const { program, constants } = trace(valueAndGrad(decoderLoss), structure, leaves);
  const folder = mkdtempSync(join(tmpdir(), 'salience-profile-'));
  const session = await ort.InferenceSession.create(onnxModel(lower(program.simplify())), {
    intraOpNumThreads: threads,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
  });
  const held = constants.map((array) => new ort.Tensor('float32', array.dataSync(), array.shape));
  const inputs = [...held, ...leaves.map(({ data, shape }) => new ort.Tensor('float32', data, shape))];
  const feeds = Object.fromEntries(inputs.map((tensor, i) => [`i${i}`, tensor]));
  for (let i = 0; i < 10; i++) await session.run(feeds);
  session.endProfiling();
  const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8'));
  rmSync(folder, { recursive: true });
  const spent = new Map();
  for (const { name, dur, args: about } of events) {
    if (name.endsWith('_kernel_time')) spent.set(about.op_name, (spent.get(about.op_name) ?? 0) + dur);
  }
  const total = [...spent.values()].reduce((a, b) => a + b, 0);
  const shares = [...spent].sort((a, b) => b[1] - a[1]).slice(0, 8);
  return shares.map(([op, time]) => `${op} ${((100 * time) / total).toFixed(0)}%`).join(', ');
}

export async function bench() {
  await prepareTracing();
  const rows = [];
  const notes = [];

  const python = torchPython();
  const torch = (...args) =>
    execFileSync(python, [fileURLToPath(new URL('./runtime_torch.py', import.meta.url)), ...args.map(String)], {
      encoding: 'utf8',
    }).split(' ');
  notes.push(
    python
      ? `PyTorch ${torch('mlp', 1, threads)[1].trim()}, ${threads} threads on all sides.`
      : 'No PyTorch here to compare with.',
  );
  const step = compile(valueAndGrad(loss), { threads });
  const decoderStep = compile(valueAndGrad(decoderLoss), { threads });
  const steps = [
    {
      name: 'mlp',
      of: 'perceptron',
      call: () => step(params, x, y),
      counted: countedLoss,
      args: [params, x, y],
      rounds: 100,
    },
    {
      name: 'decoder',
      of: '4-layer decoder',
      call: () => decoderStep(blocks, stream, mask),
      counted: countedDecoderLoss,
      args: [blocks, stream, mask],
      rounds: 15,
    },
  ];
  for (const { name, of, call, counted, args, rounds } of steps) {
    const cold = performance.now();
    await call();
    const first = (performance.now() - cold) / 1000;
    const theirs = await byJax(counted, args);
    const taken = { ours: [], jax: [], torch: [] };
    for (let round = 0; round < 3; round++) {
      taken.ours.push(await timed(call, rounds));
      taken.jax.push(await timed(theirs, 3, 1));
      if (python) taken.torch.push(Number(torch(name, rounds, threads)[0]));
    }
    const [ours, jaxTime] = [median(taken.ours), median(taken.jax)];
    const faster = jaxTime / ours;
    rows.push({
      case: `training step, ${of}, against jax-js in WebAssembly`,
      ours: seconds(ours),
      peer: seconds(jaxTime),
      ratio: `${faster.toPrecision(3)}× faster`,
      target: 'at least 10×',
      met: faster >= 10,
    });
    if (python) {
      const peer = median(taken.torch);
      rows.push({
        case: `training step, ${of}, against PyTorch`,
        ours: seconds(ours),
        peer: seconds(peer),
        ratio: times(ours / peer),
        target: 'at most 1.3×',
        met: ours / peer <= 1.3,
      });
    }
    rows.push({
      case: `${of}: trace, lower, make the session, first step`,
      ours: seconds(first),
      peer: '',
      ratio: '',
      target: 'under 1.5 s',
      met: first < 1.5,
    });
  }

  // One large product, against a session that holds nothing else.
  const [a, b] = [normal(2048, 2048), normal(2048, 2048)];
  const product = compile((left, right) => np.matmul(left, right), { threads });
  await product(a, b);
  const leaf = { type: 'float32', shape: [2048, 2048] };
  const [, structure] = jax.tree.flatten([0, 0]);
  const model = onnxModel(
    lower(trace((left, right) => np.matmul(left, right), structure, [leaf, leaf]).program.simplify()),
  );
  const bare = await ort.InferenceSession.create(model, { intraOpNumThreads: threads });
  const feeds = {
    i0: new ort.Tensor('float32', a.data, [2048, 2048]),
    i1: new ort.Tensor('float32', b.data, [2048, 2048]),
  };
  const out = { o0: new ort.Tensor('float32', new Float32Array(2048 * 2048), [2048, 2048]) };
  const products = { ours: [], bare: [] };
  for (let round = 0; round < 5; round++) {
    products.ours.push(await timed(() => product(a, b), 5, 1));
    products.bare.push(await timed(() => bare.run(feeds, out), 5, 1));
  }
  const large = median(products.ours) / median(products.bare);
  rows.push({
    case: '2048³ product against bare ONNX Runtime',
    ours: seconds(median(products.ours)),
    peer: seconds(median(products.bare)),
    ratio: times(large),
    target: 'at most 1.15×',
    met: large <= 1.15,
  });

  // What a call costs when the program does next to nothing.
  const scalar = compile((value) => value.mul(2), { threads: 1 });
  const one = float32([], [1]);
  const [, single] = jax.tree.flatten([0]);
  const small = onnxModel(
    lower(trace((value) => value.mul(2), single, [{ type: 'float32', shape: [] }]).program.simplify()),
  );
  const smallBare = await ort.InferenceSession.create(small, { intraOpNumThreads: 1 });
  const smallFeeds = { i0: new ort.Tensor('float32', one.data, []) };
  const smallOut = { o0: new ort.Tensor('float32', new Float32Array(1), []) };
  const calls = { ours: [], bare: [] };
  for (let round = 0; round < 5; round++) {
    calls.ours.push(await timed(() => scalar(one), 2000, 200));
    calls.bare.push(await timed(() => smallBare.run(smallFeeds, smallOut), 2000, 200));
  }
  const micro = (s) => `${(1e6 * s).toFixed(0)} µs`;
  const overhead = median(calls.ours) / median(calls.bare);
  rows.push({
    case: 'call of a scalar function against a bare session run',
    ours: micro(median(calls.ours)),
    peer: micro(median(calls.bare)),
    ratio: times(overhead),
    target: 'at most 2×',
    met: overhead <= 2,
  });

  for (let i = 0; i < 300; i++) await step(params, x, y);
  notes.push(`Where the time of a decoder step goes: ${await profile()}.`);
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 2000; i++) await step(params, x, y);
  globalThis.gc?.();
  const growth = (process.memoryUsage().rss - before) / 2 ** 20;
  rows.push({
    case: 'growth of resident memory over 2,000 training steps',
    ours: `${growth.toFixed(0)} MiB`,
    peer: '',
    ratio: '',
    target: 'none (under 32 MiB)',
    met: growth < 32,
  });
  await Promise.all([
    step.dispose(),
    decoderStep.dispose(),
    product.dispose(),
    scalar.dispose(),
    bare.release(),
    smallBare.release(),
  ]);
  return {
    title: 'Runtime',
    notes: [
      'Training steps are value and gradients: of a perceptron (512 × 256 inputs, 1,024 hidden units, GELU in its tanh form, 10 outputs), and of 4 decoder blocks (width 256, 8 heads, inner width 1,024, batch 8, length 128).',
      ...notes,
    ],
    rows,
  };
}
