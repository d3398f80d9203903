/** @file How much memory a decoder will need, told before any of it is taken. */

import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../core/errors.ts';
import type { DecoderConfig } from './config.ts';
import { parameterCount, weightShapes } from './weights.ts';

/** Tokens that go through a layer at a time in a walk layer by layer. */
export const tokensAtOnce = 2048;

/** What a decoder is loaded for. */
export interface MemoryPurpose {
  /**
   * `forward` reads weights only; `gradient` also takes a gradient of all of them; `train` also steps with Adam; `layers` walks them one
   * layer at a time.
   */
  readonly purpose: 'forward' | 'gradient' | 'train' | 'layers';
  /** Texts at a time; default 1. */
  readonly batch?: number;
  /** Tokens of each; default 1. */
  readonly tokens?: number;
  /** Bytes of a key-value cache or of statistics kept beside it; default 0. */
  readonly cacheBytes?: number;
}

/**
 * An estimate of the bytes a decoder needs in float32. P parameters, B texts of T tokens:
 *
 * - weights: 4P to read with; with gradients 8P; to train 28P, for weights and Adam's two moments are there twice, before and
 *   after the step, and the gradient once.
 * - activations of a layer, in numbers: B·T · (6 width + 2 (heads + 2 keyValueHeads) headSize + 3 hidden) + 2 B · heads · T², with
 *   hidden that of the MLP, or of one expert at a time. Reading holds one layer's; gradients keep all layers', with all experts'.
 * - the head: 2 B·T · vocabulary numbers, logits and their softmax; one more for their gradient.
 *
 * - layer by layer: 5 times the largest layer's weights (as read, as changed, scores, marks, and what a file is read into), the hidden
 *   states of all texts, and one layer's activations of as many texts as go through at a time (about 2,048 tokens).
 *
 * It says what is held at the peak, to within what the runtime shares or frees early; it is no bound.
 */
export function memoryNeeded(
  config: DecoderConfig,
  { purpose, batch = 1, tokens = 1, cacheBytes = 0 }: MemoryPurpose,
): number {
  const { width, heads, keyValueHeads, headSize, hidden, layers, experts } = config;
  if (purpose === 'layers') {
    const side = Math.max(1, Math.min(batch, Math.floor(tokensAtOnce / tokens)));
    const one = memoryNeeded({ ...config, layers: 1, vocabulary: 0 }, { purpose: 'forward', batch: side, tokens });
    const largest = Math.max(...layerSizes(config));
    return one + 4 * (4 * largest + batch * tokens * width) + cacheBytes;
  }
  const forward = purpose === 'forward';
  const copies = { forward: 1, gradient: 2, train: 7 }[purpose];
  const rows = batch * tokens;
  const dense = config.sparse.includes(false) ? hidden : 0;
  const widest = experts ? Math.max(dense, experts.hidden * (forward ? 1 : experts.count)) : hidden;
  const layer =
    rows * (6 * width + 2 * (heads + 2 * keyValueHeads) * headSize + 3 * widest) + 2 * batch * heads * tokens ** 2;
  const activations = (forward ? 1 : layers) * layer + (forward ? 2 : 3) * rows * config.vocabulary;
  return 4 * (copies * parameterCount(config) + activations) + cacheBytes;
}

/**
 * Refuses what would not fit into memory, before anything is loaded.
 * @param available bytes that can be taken; default what the machine and the control group of the process leave.
 * @throws InputError with the bytes needed and those available.
 */
export function checkMemory(config: DecoderConfig, purpose: MemoryPurpose, available = availableMemory()): void {
  const needed = memoryNeeded(config, purpose);
  if (needed <= available) return;
  const { batch = 1, tokens = 1 } = purpose;
  const what = {
    forward: 'to run',
    gradient: 'to take gradients of',
    train: 'to train',
    layers: 'to walk through the layers of',
  }[purpose.purpose];
  throw new InputError(
    `${what} this ${config.family} decoder of ${parameterCount(config).toLocaleString('en-US')} parameters on ${batch} × ${tokens} tokens needs about ${gigabytes(needed)} of memory; ${gigabytes(available)} are available`,
  );
}

/** A block of a text whose attention a cache policy is shown. */
export interface AttentionReading {
  /** Texts at a time; default 1. */
  readonly batch?: number;
  /** Tokens of the block. */
  readonly tokens: number;
  /** Places of the cache, for the tokens before it. */
  readonly places: number;
}

/**
 * An estimate of the bytes that the attention of a block takes while a policy sees it: 16 layers · B · keyValueHeads · T · (places + T).
 * The rows of all layers come at once, in float32; they are in the runtime, copied out of it, closed up for the policy, and those of the
 * block before may not have been given back. Measured were 14 instead of 16.
 */
export function attentionRowsNeeded(
  { layers, keyValueHeads }: Pick<DecoderConfig, 'layers' | 'keyValueHeads'>,
  { batch = 1, tokens, places }: AttentionReading,
): number {
  return 16 * layers * batch * keyValueHeads * tokens * (places + tokens);
}

/**
 * Refuses to show a policy more attention than there is memory for.
 * @param available bytes that can be taken; default as in checkMemory.
 * @throws InputError with the bytes needed, those available, and how many tokens at a time would do.
 */
export function checkAttentionRows(
  config: Pick<DecoderConfig, 'layers' | 'keyValueHeads'>,
  reading: AttentionReading,
  available = availableMemory(),
): void {
  const needed = attentionRowsNeeded(config, reading);
  if (needed <= available) return;
  const { tokens, places } = reading;
  // T² + places T = available / (bytes of a row's entry), solved for T.
  const area = available / attentionRowsNeeded(config, { ...reading, tokens: 1, places: 0 });
  const fitting = Math.floor((2 * area) / (places + Math.sqrt(places ** 2 + 4 * area)));
  throw new InputError(
    `the attention of ${tokens} tokens over ${places + tokens} entries in ${config.layers} layers takes about ${gigabytes(needed)} of memory; ${gigabytes(available)} are available: read ${fitting >= 1 ? `at most ${fitting} tokens at a time (block = ${fitting}), or ` : ''}a shorter text`,
  );
}

/** Weights of each layer. */
function layerSizes(config: DecoderConfig): number[] {
  const sizes = new Array<number>(config.layers).fill(0);
  for (const [name, shape] of weightShapes(config)) {
    const layer = /^model\.layers\.(\d+)\./.exec(name)?.[1];
    if (layer !== undefined) sizes[Number(layer)] += shape.reduce((product, n) => product * n, 1);
  }
  return sizes;
}

function gigabytes(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Bytes a process can still take: free ones of the machine, or fewer where its control group has a limit. */
export function availableMemory(): number {
  const limit = process.constrainedMemory() ?? 0;
  if (limit <= 0 || limit >= totalmem()) return freemem();
  return Math.min(freemem(), Math.max(0, limit - groupUse()));
}

/** Bytes the control group holds, without pages of files, which the system gives up first. */
function groupUse(): number {
  const folder = '/sys/fs/cgroup';
  try {
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
    const group = join(folder, own);
    const used = Number(readFileSync(join(group, 'memory.current'), 'utf8'));
    const file = Number(/^file (\d+)$/m.exec(readFileSync(join(group, 'memory.stat'), 'utf8'))?.[1] ?? 0);
    return Number.isFinite(used) ? Math.max(0, used - file) : process.memoryUsage().rss;
  } catch {
    return process.memoryUsage().rss;
  }
}
