/** @file The key/value cache: for each layer and lane, entries with their original positions, in as few bytes as the policy allows. */

import { SalienceError } from '../../core/errors.ts';
import type { AttentionRows, CacheMoment, CacheView, LayerPolicy, Retained } from './cache-policy.ts';

/** New keys and values of one block of tokens, and their attention where the policy needs it. */
export interface NewEntries {
  /** Shape [lanes, tokens, headSize]. */
  readonly keys: Float32Array;
  /** Shape [lanes, tokens, headSize]. */
  readonly values: Float32Array;
  /** How many tokens the block has; those from `count` on are padding. */
  readonly tokens: number;
  readonly count: number;
  /** Shape [lanes, tokens, places + tokens], the places of the cache first. */
  readonly attention?: Float32Array;
}

/** The entries of one layer. */
export class LayerCache {
  readonly layer: number;
  readonly lanes: number;
  readonly headSize: number;
  capacity: number;
  positions: Int32Array;
  keys: Float32Array;
  values: Float32Array;
  lengths: Int32Array;
  fed = 0;
  readonly #policy: LayerPolicy;
  readonly #needsAttention: boolean;

  constructor(
    shape: { layer: number; lanes: number; headSize: number; capacity: number },
    policy: LayerPolicy,
    needsAttention: boolean,
  ) {
    this.layer = shape.layer;
    this.lanes = shape.lanes;
    this.headSize = shape.headSize;
    this.capacity = shape.capacity;
    this.lengths = new Int32Array(shape.lanes);
    this.positions = new Int32Array(shape.lanes * shape.capacity).fill(-1);
    this.keys = new Float32Array(shape.lanes * shape.capacity * shape.headSize);
    this.values = new Float32Array(this.keys.length);
    this.#policy = policy;
    this.#needsAttention = needsAttention;
  }

  /** Bytes of keys and values it has places for. */
  get bytes(): number {
    return this.keys.byteLength + this.values.byteLength;
  }

  /** Entries of the fullest lane. */
  get longest(): number {
    return this.lengths.reduce((most, n) => Math.max(most, n), 0);
  }

  /**
   * Adds a block of tokens, shows the policy its attention, and leaves what the policy keeps at each of `moments`. Afterwards there are
   * `places` a lane, or as many as are needed; with `spare`, so many more than the fullest lane needs.
   */
  append(
    block: NewEntries,
    moments: readonly CacheMoment[],
    room: { readonly places: number } | { readonly spare: number },
  ): void {
    const before = this.lengths.slice();
    const { count } = block;
    const needed = this.longest + count;
    // For the policy's look there is a place for every entry; what it keeps is then put where it belongs.
    const next = needed <= this.capacity ? this.#snapshot() : this.#arrays(needed);
    this.#add(next, block, before);
    this.fed += count;
    if (this.#needsAttention) {
      if (!block.attention) throw new SalienceError(`the policy of layer ${this.layer} needs attention and got none`);
      this.#policy.see(this.#rows(block, before), this.#view(next));
    }
    for (const moment of moments) {
      const retained = this.#policy.retain(this.#view(next), moment);
      if (retained) keepOnly(next, retained, this.lanes, this.headSize);
    }
    this.lengths = next.lengths;
    this.#take(next, 'places' in room ? Math.max(room.places, this.longest) : this.longest + room.spare);
  }

  #snapshot(): Arrays {
    const { capacity, positions, keys, values, lengths } = this;
    return { capacity, positions, keys, values, lengths: lengths.slice() };
  }

  /** The entries in arrays of another capacity. */
  #arrays(capacity: number, from: Arrays = this.#snapshot()): Arrays {
    const { lanes, headSize } = this;
    const to: Arrays = {
      capacity,
      positions: new Int32Array(lanes * capacity).fill(-1),
      keys: new Float32Array(lanes * capacity * headSize),
      values: new Float32Array(lanes * capacity * headSize),
      lengths: from.lengths.slice(),
    };
    for (let lane = 0; lane < lanes; lane++) {
      const n = from.lengths[lane];
      const at = lane * from.capacity;
      to.positions.set(from.positions.subarray(at, at + n), lane * capacity);
      to.keys.set(from.keys.subarray(at * headSize, (at + n) * headSize), lane * capacity * headSize);
      to.values.set(from.values.subarray(at * headSize, (at + n) * headSize), lane * capacity * headSize);
    }
    return to;
  }

  #add(to: Arrays, { keys, values, tokens, count }: NewEntries, before: Int32Array): void {
    const { lanes, headSize: d } = this;
    for (let lane = 0; lane < lanes; lane++) {
      const at = lane * to.capacity + before[lane];
      const from = lane * tokens * d;
      to.keys.set(keys.subarray(from, from + count * d), at * d);
      to.values.set(values.subarray(from, from + count * d), at * d);
      for (let t = 0; t < count; t++) to.positions[at + t] = this.fed + t;
      to.lengths[lane] += count;
    }
  }

  /** The block's attention with the columns of each lane closed up: its entries before, then its new ones. */
  #rows({ attention, tokens, count }: NewEntries, before: Int32Array): AttentionRows {
    const entries = before.reduce((most, n) => Math.max(most, n), 0) + count;
    const values = new Float32Array(this.lanes * count * entries);
    const columns = attention!.length / (this.lanes * tokens);
    const cached = columns - tokens; // 0 where the block was the first
    for (let lane = 0; lane < this.lanes; lane++) {
      const n = Math.min(before[lane], cached);
      for (let q = 0; q < count; q++) {
        const from = (lane * tokens + q) * columns;
        const to = (lane * count + q) * entries;
        values.set(attention!.subarray(from, from + n), to);
        values.set(attention!.subarray(from + cached, from + cached + count), to + n);
      }
    }
    return { values, queries: count, entries, first: this.fed - count };
  }

  #view({ capacity, positions, keys, values, lengths }: Arrays): CacheView {
    const { layer, lanes, headSize, fed } = this;
    return { layer, lanes, headSize, lengths, capacity, positions, keys, values, fed };
  }

  #take(next: Arrays, capacity: number): void {
    const fitted = next.capacity === capacity ? next : this.#arrays(capacity, next);
    this.capacity = capacity;
    this.positions = fitted.positions;
    this.keys = fitted.keys;
    this.values = fitted.values;
  }
}

interface Arrays {
  readonly capacity: number;
  readonly positions: Int32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly lengths: Int32Array;
}

/** Closes each lane up to the entries that stay, in place. */
function keepOnly(arrays: Arrays, { entries, keys, values }: Retained, lanes: number, d: number): void {
  if (entries.length !== lanes)
    throw new SalienceError(`the policy kept entries of ${entries.length} lanes of ${lanes}`);
  for (let lane = 0; lane < lanes; lane++) {
    const kept = entries[lane];
    const base = lane * arrays.capacity;
    const had = arrays.lengths[lane];
    kept.forEach((entry, i) => {
      if (entry < 0 || entry >= had || (i > 0 && entry <= kept[i - 1])) {
        throw new SalienceError(`the policy kept entry ${entry} of lane ${lane}, which has ${had}; entries ascend`);
      }
    });
    // Neighbours move together: most policies take out a few entries of many.
    for (let to = 0, end = 0; to < kept.length; to = end) {
      end = to + 1;
      while (end < kept.length && kept[end] === kept[end - 1] + 1) end++;
      if (kept[to] === to) continue;
      const [target, from, until] = [base + to, base + kept[to], base + kept[end - 1] + 1];
      arrays.positions.copyWithin(target, from, until);
      arrays.keys.copyWithin(target * d, from * d, until * d);
      arrays.values.copyWithin(target * d, from * d, until * d);
    }
    if (keys) arrays.keys.set(keys[lane], base * d);
    if (values) arrays.values.set(values[lane], base * d);
    arrays.positions.fill(-1, base + kept.length, base + had);
    arrays.lengths[lane] = kept.length;
  }
}
