/** @file VoG scores of 10,000 examples from 5 checkpoints, against the same by jax-js's own WebAssembly. */

import * as jax from '@jax-js/jax';
import { Random } from '../dist/core/random.js';
import { Run } from '../dist/core/run.js';
import { classifier, initialClassifier } from '../dist/models/classifier/classifier.js';
import { ExamplePrograms } from '../dist/models/classifier/example-programs.js';
import { prepareTracing } from '../dist/runtime/trace.js';
import { inTurns, seconds } from './timing.js';

const { numpy: np, nn } = jax;
const examples = 10_000;
const checkpoints = 5;
const batch = 512;
const [words, length, width, hidden, classes] = [5000, 32, 64, 128, 3];

/** Texts of 16 to 32 words as numbers, with labels. */
function made(random) {
  const inputs = new Int32Array(examples * length);
  for (let i = 0; i < examples; i++) {
    const held = 16 + random.integer(17);
    for (let t = 0; t < held; t++) inputs[i * length + t] = 2 + random.integer(words - 2);
  }
  return { inputs, labels: Uint32Array.from({ length: examples }, () => random.integer(classes)) };
}

/**
 * The same as a program of jax-js, with the reference counts that it wants when it computes itself: gradients of the true class's logit with
 * respect to the embeddings, mean and squares carried over the checkpoints.
 */
function spreadsByJax(attention) {
  const logitOf = (x, p, mask, count, oneHot) => {
    let y = x;
    if (attention) {
      const part = (name) => np.matmul(x.ref, p[name].transpose());
      const scores = np.matmul(part('query'), part('key').transpose([0, 2, 1])).mul(width ** -0.5);
      const unseen = mask.ref.sub(1).mul(1e30).reshape([-1, 1, length]);
      const mixed = np.matmul(nn.softmax(scores.add(unseen), -1), part('value'));
      y = x.add(np.matmul(mixed, p.out.transpose()));
    }
    const pooled = y
      .mul(mask.reshape([-1, length, 1]))
      .sum(1)
      .div(count)
      .mul(3);
    const inner = nn.relu(np.matmul(pooled, p.hidden.transpose()).add(p.hiddenBias));
    const logits = np.matmul(inner, p.output.transpose()).add(p.outputBias);
    return logits.mul(oneHot).sum();
  };
  return jax.jit((all, ids, oneHot, mask) => {
    const count = np.maximum(mask.ref.sum(1, { keepdims: true }), 1);
    let mean;
    let squares;
    all.forEach(({ table, ...p }, c) => {
      const x = np.take(table, ids.ref, 0);
      const gradient = jax.grad((e) => logitOf(e, p, mask.ref, count.ref, oneHot.ref))(x);
      if (c === 0) {
        mean = gradient;
        return;
      }
      const apart = gradient.sub(mean.ref);
      const more = apart.ref.mul(apart.ref).mul(c / (c + 1));
      squares = squares ? squares.add(more) : more;
      mean = mean.add(apart.mul(1 / (c + 1)));
    });
    mean.dispose();
    ids.dispose();
    oneHot.dispose();
    return squares
      .mul(1 / all.length)
      .sum(2)
      .mul(mask)
      .sum(1)
      .div(count.reshape([-1]).mul(width));
  });
}

async function row(attention, random, run) {
  const { inputs, labels } = made(random);
  const config = { input: { kind: 'text', words, length, width, attention }, hidden, classes };
  const saved = Array.from({ length: checkpoints }, (_, c) => initialClassifier(config, random.stream(`${c}`)));
  const encoded = {
    name: 'bench',
    examples,
    width: length,
    type: 'int32',
    labels: { classes: ['0', '1', '2'], of: labels },
    chunks: [{ start: 0, length: examples }],
    inputs: async () => inputs,
  };
  const programs = new ExamplePrograms(classifier(config));
  const ours = () => programs.spreads(saved, encoded, 'var', run);

  const named = {
    table: 'embedding.weight',
    hidden: 'hidden.weight',
    hiddenBias: 'hidden.bias',
    output: 'output.weight',
    outputBias: 'output.bias',
    ...(attention && {
      query: 'attention.query.weight',
      key: 'attention.key.weight',
      value: 'attention.value.weight',
      out: 'attention.output.weight',
    }),
  };
  const array = ({ data, shape }) => np.array(data, { shape: [...shape] });
  const held = saved.map((p) => Object.fromEntries(Object.entries(named).map(([to, from]) => [to, array(p[from])])));
  const spread = spreadsByJax(attention);
  const theirs = async () => {
    const all = new Float32Array(examples);
    for (let start = 0; start < examples; start += batch) {
      const ids = new Int32Array(batch * length);
      ids.set(inputs.subarray(start * length, (start + batch) * length));
      const oneHot = new Float32Array(batch * classes);
      const end = Math.min(examples, start + batch);
      for (let i = start; i < end; i++) oneHot[(i - start) * classes + labels[i]] = 1;
      const mask = Float32Array.from(ids, (id) => Number(id > 0));
      const made = spread(
        jax.tree.ref(held),
        np.array(ids, { shape: [batch, length], dtype: np.int32 }),
        np.array(oneHot, { shape: [batch, classes] }),
        np.array(mask, { shape: [batch, length] }),
      );
      all.set((await made.data()).subarray(0, end - start), start);
    }
    return all;
  };
  // Both once before the times are taken, and as one: a bench of two different things is none.
  const [a, b] = [await ours(), await theirs()];
  const greatest = a.reduce((most, value) => Math.max(most, value), 0);
  const apart = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
  if (!(apart <= 1e-4 * greatest)) throw new Error(`the scores of the two differ by ${apart} of ${greatest}`);
  const timed = (call) => async () => {
    const started = performance.now();
    await call();
    return (performance.now() - started) / 1000;
  };
  const taken = await inTurns(3, { ours: timed(ours), theirs: timed(theirs) });
  await programs.dispose();
  const faster = taken.theirs / taken.ours;
  return {
    case: `VoG of 10,000 texts from 5 checkpoints, ${attention ? 'with' : 'without'} self-attention, against jax-js in WebAssembly`,
    ours: seconds(taken.ours),
    peer: seconds(taken.theirs),
    ratio: `${faster.toPrecision(3)}× faster`,
    target: 'at least 8×',
    met: faster >= 8,
  };
}

export async function bench() {
  await prepareTracing();
  const run = new Run();
  const rows = [];
  for (const attention of [true, false]) rows.push(await row(attention, new Random(0, 'bench/vog'), run));
  return {
    title: 'VoG',
    notes: [
      'Texts of 16 to 32 of 5,000 words; embeddings of 64, 128 hidden units, 3 classes; batches of 512 and one program for all checkpoints on both sides, all cores where the engine uses them. Without attention the gradient is the same at every word, which ours takes once. Scores agree to 1e-4 of the greatest, or the bench fails.',
    ],
    rows,
  };
}
