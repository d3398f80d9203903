// biome-ignore-all format: one step a line
/** @file Trains a classifier of handwritten digits: `node packages/salience/examples/train-digits.js`. */

import { readFileSync } from 'node:fs';
import { Random } from 'salience/core';
import { compile, float32, grad, int32, nn, numpy as np, tree } from 'salience/runtime';

const bytes = readFileSync(new URL('./digits/digits.u8', import.meta.url)); // 64 pixels, then the digit, 1,797 times
const random = new Random(0);
const order = random.permutation(1797);
const [train, test] = [order.subarray(0, 1437), order.subarray(1437)];
const pixels = (rows) => float32([rows.length, 64], Array.from(rows, (r) => [...bytes.subarray(65 * r, 65 * r + 64)]).flat());
const digits = (rows) => int32([rows.length], Array.from(rows, (r) => bytes[65 * r + 64]));
const normal = (...shape) => float32(shape, Array.from({ length: shape[0] * shape[1] }, () => random.normal() / 10));

const logits = (w, x) => np.matmul(nn.gelu(np.matmul(x.mul(1 / 16), w.hidden).add(w.bias)), w.output);
const loss = (w, x, y) => nn.logSoftmax(logits(w, x)).mul(nn.oneHot(y, 10)).sum().mul(-1 / x.shape[0]);
const step = compile((w, x, y) => tree.map((value, slope) => value.sub(slope.mul(0.5)), w, grad(loss)(w, x, y)));
const predict = compile((w, x) => np.argmax(logits(w, x), -1));

let weights = { hidden: normal(64, 128), bias: float32([128], new Float32Array(128)), output: normal(128, 10) };
for (let epoch = 0; epoch < 40; epoch++) {
  random.shuffle(train);
  for (let at = 0; at + 64 <= train.length; at += 64) {
    const rows = train.subarray(at, at + 64);
    weights = await step(weights, pixels(rows), digits(rows));
  }
}
const { data } = await predict(weights, pixels(test));
const right = data.filter((digit, i) => digit === bytes[65 * test[i] + 64]).length;
console.log(`${((100 * right) / test.length).toFixed(1)}% of ${test.length} digits not seen in training are told right`);
