/**
 * @file Trains the two decoders shipped in examples/recall and examples/recall-moe from nothing but a seed:
 * `node packages/salience/examples/train-recall.js dense|moe <out folder> [seed]`.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random, Run } from 'salience/core';
import { decoder, recallLanguage, writeConfig, writePretrained } from 'salience/models';
import { adamw, chain, clipByGlobalNorm, cosine, crossEntropy, linearWarmup, train } from 'salience/nn';
import { float32, int32, numpy as np, softmax } from 'salience/runtime';
import { writeBeside } from 'salience/subjects';

const [kind, out, seed = '0'] = process.argv.slice(2);
if (!['dense', 'moe'].includes(kind) || !out) throw new Error('usage: train-recall.js dense|moe <out folder> [seed]');
const layers = 4;
const sparse = kind === 'moe';
const config = {
  family: sparse ? 'mixtral' : 'llama',
  vocabulary: recallLanguage.vocabulary.length,
  width: 128,
  layers,
  heads: 4,
  keyValueHeads: 2,
  headSize: 32,
  hidden: sparse ? 128 : 512,
  positions: 1024,
  normEpsilon: 1e-5,
  rotary: { base: 1e6 },
  tied: true,
  queryKeyValueBias: false,
  outputBias: false,
  mlpBias: false,
  queryKeyNorm: false,
  windows: Array(layers).fill(undefined),
  sparse: Array(layers).fill(sparse),
  ...(sparse && { experts: { count: 8, perToken: 2, hidden: 128, normalised: true, naming: 'mixtral' } }),
  beginToken: recallLanguage.beginToken,
  endTokens: [],
};

// Short documents with many questions first, then longer ones.
const stages = [
  { until: 350, length: 128, batch: 48, facts: 6, questions: 6 },
  { until: 600, length: 512, batch: 12, facts: 20, questions: 16 },
  { until: 750, length: 1024, batch: 6, facts: 32, questions: 24 },
];
const steps = stages.at(-1).until;

/** Next-token loss; with experts also a loss that spreads the tokens over them (arXiv:2101.03961, eq. 4). */
function loss(parameters, { tokens, weights }) {
  const routers = [];
  const tap = (point, value) => {
    if (point.endsWith('router.scores') || point.endsWith('router.gates')) routers.push(value);
    return value;
  };
  const logits = decoder(parameters, config, tokens.slice([], [0, -1]), { tap });
  const nll = crossEntropy(logits, tokens.slice([], [1]), { weights });
  let balance = np.array(0);
  for (let r = 0; r < routers.length; r += 2) {
    const chances = softmax(routers[r]).mean([0, 1]);
    const shares = np
      .greater(routers[r + 1], 0)
      .astype(np.float32)
      .mean([0, 1]);
    balance = balance.add(chances.mul(shares).sum().mul(config.experts.count));
  }
  return [nll.add(balance.mul(0.01)), { metrics: { nll } }];
}

/** Share of questions answered exactly, on documents that training never saw. */
async function retrieval(weights, options, documents) {
  const random = new Random(Number(seed), `examination/${options.length}`);
  const answered = await recallLanguage.retrieval({ config, weights }, random, options, documents);
  return answered.filter(({ right }) => right).length / answered.length;
}

const run = new Run({ seed: Number(seed), onLog: (text) => console.log(text) });
const started = performance.now();
const { parameters } = await train({
  name: kind,
  parameters: recallLanguage.initialRecallWeights(config, run.random('weights')),
  loss,
  optimiser: chain(clipByGlobalNorm(1), adamw({ beta2: 0.95, decay: 0.1, decays: (name) => !name.includes('norm') })),
  schedule: linearWarmup(3e-3, 30, cosine({ rate: 3e-3, steps: steps - 30, end: 1e-4 })),
  steps,
  batches: (step) => {
    const { length, batch, facts, questions } = stages.find(({ until }) => step < until);
    const random = run.random(`batch/${step}`);
    const made = recallLanguage.batch(random, { length, batch, facts, questions, answerWeight: 4 });
    return { tokens: int32([batch, length + 1], made.tokens), weights: float32([batch, length], made.weights) };
  },
  evaluate: {
    every: 50,
    measure: async (weights) => ({
      at128: await retrieval(weights, { length: 128, facts: 6, questions: 6 }, 16),
      at512: await retrieval(weights, { length: 512, facts: 12, questions: 8 }, 16),
      at1024: await retrieval(weights, { length: 1024, facts: 16, questions: 8 }, 8),
    }),
  },
  run,
});
console.log(`trained in ${((performance.now() - started) / 60000).toFixed(1)} minutes`);
await writeBeside(out, { force: true }, async (folder) => {
  await writePretrained(
    folder,
    { config: writeConfig(config), weights: parameters, dtype: 'BF16', tokenizer: recallLanguage.tokenizerJson() },
    run,
  );
  // A text to calibrate and to measure on, from documents of the language that training never saw.
  const random = run.random('texts');
  const texts = (count) =>
    Array.from(
      { length: count },
      () => recallLanguage.document(random, { length: 512, facts: 12, questions: 8 }).text,
    ).join('\n');
  writeFileSync(join(folder, 'calibration.txt'), `${texts(16)}\n`);
  // A text that ends where a fact from its beginning is asked for.
  const { text, questions } = recallLanguage.document(random, { length: 512, facts: 12, questions: 8 });
  const { key } = questions.at(-1);
  const asked = text.lastIndexOf(`ask : ${key}`) + `ask : ${key}`.length;
  writeFileSync(join(folder, 'prompt.txt'), `${text.slice(0, asked)}\n`);
});
