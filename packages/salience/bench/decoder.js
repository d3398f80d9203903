/** @file A decoder of bard's shape (2.75 M parameters) against PyTorch: reading 8 texts of 256 tokens, and a whole training step. */

import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Random } from '../dist/core/random.js';
import { decoder } from '../dist/models/decoder/decoder.js';
import { nextToken } from '../dist/models/decoder/inspect.js';
import { readConfig } from '../dist/models/decoder/read-config.js';
import { initialWeights } from '../dist/models/decoder/weights.js';
import { adamw } from '../dist/nn/optimisers/adam.js';
import { trainingStep } from '../dist/nn/training/training-step.js';
import { compile, float32, int32 } from '../dist/runtime/index.js';
import { median, seconds, times, torchPython } from './timing.js';

/** All cores as a user would have them, and one, which is where PyTorch's threads do not wait for each other. */
const threadCounts = [...new Set([availableParallelism(), 1])];
const rounds = 5;
const script = fileURLToPath(new URL('./decoder_torch.py', import.meta.url));

const config = readConfig(
  {
    model_type: 'llama',
    vocab_size: 1024,
    hidden_size: 192,
    intermediate_size: 512,
    num_hidden_layers: 6,
    num_attention_heads: 6,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-5,
  },
  'the bench',
);

/** Median seconds of some calls, after three that do not count. */
async function timed(call, calls) {
  for (let i = 0; i < 3; i++) await call();
  const all = [];
  for (let i = 0; i < calls; i++) {
    const started = performance.now();
    await call();
    all.push((performance.now() - started) / 1000);
  }
  return median(all);
}

async function onThreads(threads, python) {
  const random = new Random(0, 'bench/decoder');
  const tokens = int32(
    [8, 256],
    Int32Array.from({ length: 8 * 256 }, () => random.integer(config.vocabulary)),
  );
  const optimiser = adamw();
  let weights = initialWeights(config, random);
  let state = optimiser.init(weights);
  const forward = compile((parameters, ids) => decoder(parameters, config, ids), { threads });
  const loss = (parameters, ids) => nextToken(decoder(parameters, config, ids), ids, {});
  const step = compile(trainingStep({ loss, optimiser }, false), { threads });
  const inputs = { rate: float32([], [1e-4]), step: float32([], [0]) };
  const cases = [
    { name: 'forward', of: 'forward, 8 × 256 tokens', calls: 6, call: () => forward(weights, tokens) },
    {
      name: 'step',
      of: 'training step (forward, backward, AdamW), 8 × 256 tokens',
      calls: 4,
      call: async () => {
        const parts = { trained: weights, watched: {}, fixed: {}, state, batch: tokens, extras: {}, inputs };
        const made = await step(parts);
        weights = made.trained;
        state = made.state;
      },
    },
  ];
  let version = '';
  const rows = [];
  for (const { name, of, calls, call } of cases) {
    const taken = { ours: [], torch: [] };
    for (let round = 0; round < rounds; round++) {
      taken.ours.push(await timed(call, calls));
      if (!python) continue;
      const printed = execFileSync(python, [script, name, String(calls), String(threads)], { encoding: 'utf8' });
      const [time, torch] = printed.trim().split(' ');
      taken.torch.push(Number(time));
      version = torch;
    }
    const ours = median(taken.ours);
    const peer = python ? median(taken.torch) : undefined;
    rows.push({
      case: `${of}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      ours: seconds(ours),
      peer: peer === undefined ? '' : seconds(peer),
      ratio: peer === undefined ? '' : times(ours / peer),
      target: 'at most 1.3×',
      met: peer === undefined ? null : ours / peer <= 1.3,
    });
  }
  await Promise.all([forward.dispose(), step.dispose()]);
  return { rows, version };
}

export async function bench() {
  const python = torchPython();
  const made = [];
  for (const threads of threadCounts) made.push(await onThreads(threads, python));
  const [{ version }] = made;
  const rows = made.flatMap((one) => one.rows);
  return {
    title: 'Decoder',
    notes: [
      'A Llama decoder of 6 layers, width 192, 6 query and 2 key heads, hidden width 512, 1,024 tokens; float32, the same operations on both sides.',
      python
        ? `PyTorch ${version}, as many threads on both sides; on several its own wait for each other, so one thread is the fairer row.`
        : 'No PyTorch here to compare with.',
    ],
    rows,
  };
}
