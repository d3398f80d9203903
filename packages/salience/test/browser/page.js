/** @file What the browser test runs both in Node.js and in a page: the built library's core, numerics and runtime. */

import { select } from '../../dist/core/index.js';
import { csrGraph, pageRank } from '../../dist/numerics/index.js';
import { compile, float32, nn, numpy as np, valueAndGrad } from '../../dist/runtime/index.js';

/** The two best of three scores. */
export function keptOfThree() {
  return [...select({ unit: 'sentence', values: Float32Array.of(0.1, 0.9, 0.5) }, 2).kept];
}

/** PageRank of a star: node 0 has an edge with each of the others. */
export function ranksOfStar() {
  return [...pageRank(csrGraph(4, { from: [0, 0, 0], to: [1, 2, 3] })).scores];
}

const [batch, width, hidden, classes] = [8, 6, 16, 3];

/** −log of the probability of the true class, mean over the batch. */
function loss({ w1, b1, w2, b2 }, x, y) {
  const logits = np.dot(nn.gelu(np.dot(x, w1).add(b1)), w2).add(b2);
  return np.sum(nn.logSoftmax(logits).mul(y)).mul(-1 / batch);
}

function wave(shape, frequency) {
  const n = shape.reduce((product, length) => product * length, 1);
  return float32(
    shape,
    Float32Array.from({ length: n }, (_, i) => Math.sin(frequency * (i + 1))),
  );
}

/** One step of gradient descent of a small MLP: loss before and after, and the gradients of the first. */
export async function gradientStep(options) {
  const step = compile(valueAndGrad(loss), options);
  const x = wave([batch, width], 1.7);
  const y = float32(
    [batch, classes],
    Array.from({ length: batch * classes }, (_, i) => Number(i % classes === Math.floor(i / classes) % classes)),
  );
  const parameters = {
    w1: wave([width, hidden], 2.3),
    b1: wave([hidden], 0.9),
    w2: wave([hidden, classes], 3.1),
    b2: wave([classes], 0.4),
  };
  const [before, gradient] = await step(parameters, x, y);
  const descended = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => [
      name,
      float32(
        shape,
        data.map((value, i) => value - 0.1 * gradient[name].data[i]),
      ),
    ]),
  );
  const [after] = await step(descended, x, y);
  await step.dispose();
  return {
    losses: [before.data[0], after.data[0]],
    gradient: Object.values(gradient).flatMap(({ data }) => [...data]),
  };
}
