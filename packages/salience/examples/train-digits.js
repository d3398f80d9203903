/** @file Trains a classifier of handwritten digits: `node packages/salience/examples/train-digits.js`. */

import { readFileSync } from 'node:fs';
import { Random } from 'salience/core';
import { compile, float32, int32, nn, numpy as np, tree, valueAndGrad } from 'salience/runtime';

const bytes = readFileSync(new URL('./digits/digits.u8', import.meta.url));
const random = new Random(0);
const order = random.stream('split').permutation(bytes.length / 65);
const batch = (rows) => ({
  x: float32(
    [rows.length, 64],
    Array.from(rows, (r) => [...bytes.subarray(65 * r, 65 * r + 64)].map((v) => v / 16)).flat(),
  ),
  y: int32(
    [rows.length],
    Array.from(rows, (r) => bytes[65 * r + 64]),
  ),
});
const [train, test] = [order.subarray(0, 1437), batch(order.subarray(1437))];

const normal = (rows, columns) =>
  float32(
    [rows, columns],
    Array.from({ length: rows * columns }, () => random.normal() / Math.sqrt(rows)),
  );
let weights = { hidden: normal(64, 128), bias: float32([128], new Float32Array(128)), output: normal(128, 10) };

const logits = ({ hidden, bias, output }, x) => np.matmul(nn.gelu(np.matmul(x, hidden).add(bias)), output);
const loss = (w, { x, y }) =>
  nn
    .logSoftmax(logits(w, x))
    .mul(nn.oneHot(y, 10))
    .sum()
    .mul(-1 / x.shape[0]);
const step = compile((w, examples) => {
  const [value, gradients] = valueAndGrad(loss)(w, examples);
  return { value, weights: tree.map((p, g) => p.sub(g.mul(0.5)), w, gradients) };
});
const predict = compile((w, x) => np.argmax(logits(w, x), -1));

for (let epoch = 0; epoch < 40; epoch++) {
  const shuffled = random.stream(`epoch ${epoch}`).shuffle(train.slice());
  for (let at = 0; at + 64 <= shuffled.length; at += 64)
    ({ weights } = await step(weights, batch(shuffled.subarray(at, at + 64))));
}
const { data } = await predict(weights, test.x);
const right = data.filter((digit, i) => digit === test.y.data[i]).length;
console.log(
  `${((100 * right) / data.length).toFixed(1)}% of ${data.length} digits not seen in training are told right`,
);
