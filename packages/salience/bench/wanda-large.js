/** @file Pruning a made-up language model of 1.2 billion parameters by Wanda: memory, and going on after a kill. */

import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '../dist/core/random.js';
import { wordLevelTokenizerJson } from '../dist/models/tokenizer/tokenizer.js';
import { seconds, timeCommand } from './timing.js';

const program = fileURLToPath(new URL('./with-memory.js', import.meta.url));
const words = Array.from({ length: 1000 }, (_, i) => `w${i}`);
const texts = 16;
const length = 512;

/** The values of a run of normal numbers as BF16, cut off. */
function bfloat16(values, scale, out) {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  for (let i = 0; i < values.length; i++) {
    float[0] = scale * values[i];
    out[i] = bits[0] >>> 16;
  }
}

/** Writes the model, layer after layer, and gives its parameters; a text of 16 × 512 words is beside it. */
function makeModel(folder, layers) {
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: 128256,
    hidden_size: 2048,
    intermediate_size: 8192,
    num_hidden_layers: layers,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    max_position_embeddings: 2048,
    rope_theta: 500000,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
  };
  const { hidden_size: width, intermediate_size: inner } = config;
  const keys = width / 4;
  const tensors = [
    ['model.embed_tokens.weight', [config.vocab_size, width], 0.02],
    ...Array.from({ length: layers }, (_, l) =>
      [
        ['input_layernorm', [width], 0],
        ['self_attn.q_proj', [width, width], 0.02],
        ['self_attn.k_proj', [keys, width], 0.03],
        ['self_attn.v_proj', [keys, width], 0.01],
        ['self_attn.o_proj', [width, width], 0.01],
        ['post_attention_layernorm', [width], 0],
        ['mlp.gate_proj', [inner, width], 0.02],
        ['mlp.up_proj', [inner, width], 0.015],
        ['mlp.down_proj', [width, inner], 0.012],
      ].map(([name, ...rest]) => [`model.layers.${l}.${name}.weight`, ...rest]),
    ).flat(),
    ['model.norm.weight', [width], 0],
  ];
  const header = {};
  let end = 0;
  for (const [name, shape] of tensors) {
    const bytes = 2 * shape.reduce((a, b) => a * b);
    header[name] = { dtype: 'BF16', shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(wordLevelTokenizerJson(words, { unknown: 'w0' })));
  let json = JSON.stringify(header);
  json += ' '.repeat((8 - (json.length % 8)) % 8);
  const random = new Random(0, 'wanda-large');
  const normal = Float32Array.from({ length: 2 ** 21 }, () => random.normal());
  const out = new Uint16Array(normal.length);
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  writeSync(file, new BigUint64Array([BigInt(json.length)]));
  writeSync(file, json);
  for (const [, shape, deviation] of tensors) {
    let left = shape.reduce((a, b) => a * b);
    if (deviation === 0) {
      writeSync(file, new Uint16Array(left).fill(0x3f80)); // ones
      continue;
    }
    for (; left > 0; left -= normal.length) {
      // Each piece has a size of its own, so that no two are alike.
      bfloat16(normal, deviation * (0.5 + random.uniform()), out);
      writeSync(file, out.subarray(0, Math.min(left, out.length)));
    }
  }
  closeSync(file);
  const text = Array.from({ length: texts * length }, () => words[random.integer(words.length)]).join(' ');
  writeFileSync(`${folder}.txt`, text);
  return end / 2;
}

/** Layers that a walk in a folder has behind it. */
function layersDone(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'walk.json'), 'utf8')).next;
  } catch {
    return 0;
  }
}

/** Runs a command until so many layers are done, then kills it; the seconds it had. */
async function killedAfter(args, folder, layers) {
  const started = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (child.exitCode === null && layersDone(folder) < layers) await new Promise((next) => setTimeout(next, 20));
  if (child.exitCode !== null) throw new Error('the process ended before it could be killed');
  // Not at the seam between two layers, but within one.
  await new Promise((next) => setTimeout(next, 1000));
  child.kill('SIGKILL');
  await ended;
  return (performance.now() - started) / 1000;
}

export async function bench({ layers = 16 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'salience-bench-'));
  try {
    const model = join(folder, 'model');
    const parameters = makeModel(model, layers);
    const command = (out, resume) =>
      [
        [program, 'keep', model, '--by', 'wanda', '--budget', '50%', '--calibrate', `${model}.txt`],
        [
          '--samples',
          `${texts}`,
          '--length',
          `${length}`,
          '--out',
          join(folder, out),
          '--resume',
          join(folder, resume),
          '--quiet',
        ],
      ].flat();
    const at = Math.floor(layers / 2);
    const before = await killedAfter(command('resumed', 'state'), join(folder, 'state'), at);
    const kept = layersDone(join(folder, 'state'));
    const after = timeCommand(process.execPath, command('resumed', 'state'));
    const whole = timeCommand(process.execPath, command('whole', 'other'));
    const [one, other] = ['whole', 'resumed'].map((name) => join(folder, name, 'model.safetensors'));
    const same = existsSync(one) && timeCommand('cmp', [one, other]).stdout === '';
    const memory = 1024 * Math.max(Number(after.told), Number(whole.told));
    return {
      title: 'Pruning a language model of 1.2 billion parameters by Wanda',
      notes: [
        `${(parameters / 1e9).toFixed(2)} billion made-up BF16 parameters in the layout of a Llama of ${layers} layers, pruned to 50% a row on ${texts} × ${length} calibration tokens. Layers are read one at a time.`,
        `One process was killed (SIGKILL) after ${seconds(before)} with ${kept} of ${layers} layers done; another went on from there.`,
      ],
      rows: [
        {
          case: 'peak resident memory',
          ours: `${(memory / 1e9).toFixed(2)} GB`,
          peer: '',
          ratio: '',
          target: 'under 6 GB',
          met: memory < 6e9,
        },
        { case: 'whole process', ours: seconds(whole.seconds), peer: '', ratio: '', target: '', met: null },
        {
          case: 'the rest after the kill',
          ours: seconds(after.seconds),
          peer: `whole ${seconds(whole.seconds)}`,
          ratio: `${(after.seconds / whole.seconds).toFixed(2)}×`,
          target: 'without starting over: under 0.8×',
          met: after.seconds < 0.8 * whole.seconds,
        },
        {
          case: 'killed and resumed, and uninterrupted, agree',
          ours: same ? 'yes' : 'no',
          peer: '',
          ratio: '',
          target: 'bit-identical',
          met: same,
        },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
