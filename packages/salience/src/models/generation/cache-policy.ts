/** @file Cache policies: which entries of a key/value cache stay, decided from the attention they receive as the text goes on. */

/**
 * The cache of one layer as a policy sees it. A lane is one key/value head of one sequence (lane = sequence · heads + head). Entries of a
 * lane are numbered from 0 in the order of their positions; lanes may hold different entries.
 */
export interface CacheView {
  readonly layer: number;
  readonly lanes: number;
  readonly headSize: number;
  /** Entries each lane holds now, shape [lanes]. */
  readonly lengths: Int32Array;
  /** Entries a lane has places for: row length of the arrays below. */
  readonly capacity: number;
  /** Position of each entry in the text, shape [lanes, capacity]; −1 beyond a lane's length. */
  readonly positions: Int32Array;
  /** Keys turned by their positions, shape [lanes, capacity, headSize]. */
  readonly keys: Float32Array;
  /** Shape [lanes, capacity, headSize]. */
  readonly values: Float32Array;
  /** Tokens fed so far: the position of the next one. */
  readonly fed: number;
}

/** Attention of some consecutive queries over the entries of each lane, theirs included, averaged over the query heads of the lane. */
export interface AttentionRows {
  /** Rows of probabilities, shape [lanes, queries, entries]; 0 for entries a query does not see. */
  readonly values: Float32Array;
  readonly queries: number;
  /** Row length: entries of the fullest lane. */
  readonly entries: number;
  /** Position of the first query; query q stands at `first + q`. */
  readonly first: number;
}

/** What stays of a layer. */
export interface Retained {
  /** For each lane, entries that stay, ascending. */
  readonly entries: readonly Int32Array[];
  /** For each lane, keys in place of those of the entries that stay, [kept, headSize]: where entries were merged. */
  readonly keys?: readonly Float32Array[];
  /** For each lane, values in place of those of the entries that stay, [kept, headSize]. */
  readonly values?: readonly Float32Array[];
}

/** `prompt`: all of the prompt has just been fed; `token`: one more token has. */
export type CacheMoment = 'prompt' | 'token';

/** The policy at work on one layer, with what it remembers of its entries. */
export interface LayerPolicy {
  /** Sees the attention of a block of queries, right after their entries were appended. Only called where the policy needs attention. */
  see(rows: AttentionRows, view: CacheView): void;
  /** Says what stays, or nothing where all does. What the policy remembers of the entries must follow them. */
  retain(view: CacheView, moment: CacheMoment): Retained | undefined;
  /** Goes on with the entries that stay where something else has chosen them: for each lane which, ascending. Absent: it remembers nothing of entries. */
  follow?(kept: readonly Int32Array[]): void;
}

export interface CachePolicy {
  readonly name: string;
  /** Whether `see` must be called. */
  readonly needsAttention: boolean;
  /** The most entries a lane of this layer holds between two tokens once the prompt is over; Infinity: all. It decides the cache's bytes. */
  capacity(layer: number, layers: number): number;
  layer(
    layer: number,
    shape: { readonly layers: number; readonly lanes: number; readonly headSize: number },
  ): LayerPolicy;
}

/** Keeps every entry. */
export const fullCache: CachePolicy = {
  name: 'full',
  needsAttention: false,
  capacity: () => Infinity,
  layer: () => ({ see() {}, retain: () => undefined }),
};

/**
 * A policy with a prompt that something else has cut: right after it just these entries stay, and the policy goes on from them.
 * @param kept for each layer and lane, positions of the prompt, ascending.
 */
export function afterCutPrompt(policy: CachePolicy, kept: readonly (readonly Int32Array[])[]): CachePolicy {
  return {
    ...policy,
    layer(layer, shape) {
      const inner = policy.layer(layer, shape);
      return {
        see: (rows, view) => inner.see(rows, view),
        follow: (entries) => inner.follow?.(entries),
        retain(view, moment) {
          if (moment !== 'prompt') return inner.retain(view, moment);
          const chosen = kept[layer];
          inner.follow?.(chosen);
          const further = inner.retain(cutView(view, chosen), moment);
          return further
            ? {
                ...further,
                entries: further.entries.map((entries, lane) => entries.map((entry) => chosen[lane][entry])),
              }
            : { entries: chosen };
        },
      };
    },
  };
}

/** The cache as it is once only some entries are left. */
function cutView(view: CacheView, kept: readonly Int32Array[]): CacheView {
  const { lanes, headSize: d } = view;
  const capacity = kept.reduce((most, { length }) => Math.max(most, length), 0);
  const positions = new Int32Array(lanes * capacity).fill(-1);
  const keys = new Float32Array(lanes * capacity * d);
  const values = new Float32Array(lanes * capacity * d);
  kept.forEach((entries, lane) => {
    entries.forEach((entry, i) => {
      const from = lane * view.capacity + entry;
      const to = lane * capacity + i;
      positions[to] = view.positions[from];
      keys.set(view.keys.subarray(from * d, (from + 1) * d), to * d);
      values.set(view.values.subarray(from * d, (from + 1) * d), to * d);
    });
  });
  return { ...view, capacity, positions, keys, values, lengths: Int32Array.from(kept, ({ length }) => length) };
}
