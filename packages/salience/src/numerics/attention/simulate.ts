/**
 * @file Cache eviction for one layer, exactly and simply: every entry stays in memory, a mask says which are alive, and each row of
 * attention is a softmax over those. Slow; the measure for real caches.
 */

import { InputError } from '../../core/errors.ts';
import type { LaneEntries, LaneRows } from './attention-rows.ts';

/** Queries, keys and values of one layer, turned by their positions where the model does so. */
export interface AttentionInputs {
  /** Shape [heads, length, headSize]. */
  readonly queries: Float32Array;
  /** Shape [keyValueHeads, length, headSize]. */
  readonly keys: Float32Array;
  /** Shape [keyValueHeads, length, headSize]. */
  readonly values: Float32Array;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
}

/** The cache as a policy is shown it. */
interface SimulatedCache extends LaneEntries {
  readonly layer: number;
  readonly headSize: number;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly fed: number;
}

/** A policy at work on one layer. */
export interface SimulatedPolicy {
  see(rows: LaneRows, cache: SimulatedCache): void;
  retain(
    cache: SimulatedCache,
    moment: 'prompt' | 'token',
  ):
    | {
        readonly entries: readonly Int32Array[];
        readonly keys?: readonly Float32Array[];
        readonly values?: readonly Float32Array[];
      }
    | undefined;
}

export interface Simulation {
  /** What each head gives out, shape [heads, length, headSize]. */
  readonly outputs: Float32Array;
  /** Attention of each lane, averaged over its query heads, shape [keyValueHeads, length, length]. */
  readonly attention: Float32Array;
  /** 1 where the query of a lane (first) attended to a position (last), shape [keyValueHeads, length, length]. */
  readonly attended: Uint8Array;
  /** Positions alive at the end, ascending, for each lane. */
  readonly alive: readonly Int32Array[];
}

/**
 * Runs one layer over a text with a policy.
 * @param prompt tokens at the start that are read densely before the policy is first asked what stays; default 0: asked after every token.
 * @throws InputError for query heads that do not divide among the key/value heads, or arrays of other lengths than they say.
 */
export function simulate(inputs: AttentionInputs, policy: SimulatedPolicy, { prompt = 0 } = {}): Simulation {
  const { queries, heads, keyValueHeads: lanes, headSize } = inputs;
  const length = queries.length / (heads * headSize);
  if (heads % lanes !== 0) throw new InputError(`${heads} query heads do not divide among ${lanes} key/value heads`);
  const expected = lanes * length * headSize;
  if (inputs.keys.length !== expected || inputs.values.length !== expected || !Number.isInteger(length))
    throw new InputError(
      `${lanes} key/value heads of ${headSize} over ${length} tokens need ${expected} keys and values; there are ${inputs.keys.length} and ${inputs.values.length}`,
    );
  if (prompt > length) throw new InputError(`a prompt of ${prompt} tokens is longer than the text of ${length}`);
  const keys = inputs.keys.slice();
  const values = inputs.values.slice();
  const alive = new Uint8Array(lanes * length);
  const outputs = new Float32Array(heads * length * headSize);
  const attention = new Float32Array(lanes * length * length);
  const attended = new Uint8Array(lanes * length * length);
  const perLane = heads / lanes;

  const attend = (head: number, t: number) => {
    const lane = Math.floor(head / perLane);
    const q = queries.subarray((head * length + t) * headSize, (head * length + t + 1) * headSize);
    const rowAt = (lane * length + t) * length;
    const scores = new Float64Array(t + 1).fill(-Infinity);
    for (let j = 0; j <= t; j++) {
      if (alive[lane * length + j] === 0) continue;
      attended[rowAt + j] = 1;
      let dot = 0;
      for (let c = 0; c < headSize; c++) dot += q[c] * keys[(lane * length + j) * headSize + c];
      scores[j] = dot / Math.sqrt(headSize);
    }
    const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const weights = scores.map((s) => Math.exp(s - most));
    const total = weights.reduce((a, b) => a + b, 0);
    const output = new Float64Array(headSize);
    for (let j = 0; j <= t; j++) {
      const p = weights[j] / total;
      attention[rowAt + j] += p / perLane;
      if (p > 0) for (let c = 0; c < headSize; c++) output[c] += p * values[(lane * length + j) * headSize + c];
    }
    outputs.set(output, (head * length + t) * headSize);
  };

  const aliveIn = (lane: number, fed: number) => {
    const positions: number[] = [];
    for (let j = 0; j < fed; j++) if (alive[lane * length + j] === 1) positions.push(j);
    return Int32Array.from(positions);
  };

  /** The cache after `fed` tokens with only what is alive in it. */
  const cacheAfter = (fed: number): SimulatedCache => {
    const of = Array.from({ length: lanes }, (_, lane) => aliveIn(lane, fed));
    const capacity = Math.max(...of.map((positions) => positions.length));
    const cache = {
      layer: 0,
      lanes,
      headSize,
      fed,
      capacity,
      lengths: Int32Array.from(of, (positions) => positions.length),
      positions: new Int32Array(lanes * capacity).fill(-1),
      keys: new Float32Array(lanes * capacity * headSize),
      values: new Float32Array(lanes * capacity * headSize),
    };
    of.forEach((positions, lane) => {
      cache.positions.set(positions, lane * capacity);
      positions.forEach((j, entry) => {
        const from = (lane * length + j) * headSize;
        cache.keys.set(keys.subarray(from, from + headSize), (lane * capacity + entry) * headSize);
        cache.values.set(values.subarray(from, from + headSize), (lane * capacity + entry) * headSize);
      });
    });
    return cache;
  };

  const feed = (first: number, count: number, moment: 'prompt' | 'token') => {
    for (let t = first; t < first + count; t++) {
      for (let lane = 0; lane < lanes; lane++) alive[lane * length + t] = 1;
      for (let head = 0; head < heads; head++) attend(head, t);
    }
    const cache = cacheAfter(first + count);
    const rows = new Float32Array(lanes * count * cache.capacity);
    for (let lane = 0; lane < lanes; lane++) {
      for (let q = 0; q < count; q++) {
        for (let entry = 0; entry < cache.lengths[lane]; entry++) {
          const j = cache.positions[lane * cache.capacity + entry];
          rows[(lane * count + q) * cache.capacity + entry] = attention[(lane * length + first + q) * length + j];
        }
      }
    }
    policy.see({ values: rows, queries: count, entries: cache.capacity, first }, cache);
    const retained = policy.retain(cache, moment);
    retained?.entries.forEach((entries, lane) => {
      const at = (entry: number) => lane * length + cache.positions[lane * cache.capacity + entry];
      for (let entry = 0; entry < cache.lengths[lane]; entry++) alive[at(entry)] = 0;
      entries.forEach((entry, k) => {
        alive[at(entry)] = 1;
        const place = at(entry) * headSize;
        if (retained.keys) keys.set(retained.keys[lane].subarray(k * headSize, (k + 1) * headSize), place);
        if (retained.values) values.set(retained.values[lane].subarray(k * headSize, (k + 1) * headSize), place);
      });
    });
  };

  if (prompt > 0) feed(0, prompt, 'prompt');
  for (let t = prompt; t < length; t++) feed(t, 1, 'token');
  return { outputs, attention, attended, alive: Array.from({ length: lanes }, (_, lane) => aliveIn(lane, length)) };
}
