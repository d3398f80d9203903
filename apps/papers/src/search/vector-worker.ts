/** @file The thread that multiplies queries with the vectors of all papers, so that the server can answer others meanwhile. */

import { parentPort } from 'node:worker_threads';
import { compile, float32, type JaxArray, numpy } from 'salience/runtime';
import { Candidates } from './candidates.ts';

/** Vectors of papers in memory that both threads see, shape [rows, width]. */
export interface BlockMessage {
  readonly kind: 'block';
  readonly at: number;
  readonly rows: Float32Array;
}

/** Queries to be answered. */
export interface QueriesMessage {
  readonly kind: 'queries';
  readonly width: number;
  /** Slots in use. */
  readonly slots: number;
  /** Shape [padded, width]; the queries, and zeros behind them. */
  readonly queries: Float32Array;
  /** Of each query how many are looked for, and where papers may be, 1 for each slot. */
  readonly asked: readonly { readonly most: number; readonly allowed: Uint8Array }[];
}

/** Nothing more comes. */
export interface EndMessage {
  readonly kind: 'end';
}

/** The candidates of each query, or why there are none. */
export type Found = { readonly found: readonly Int32Array[] } | { readonly error: string };

const product = compile((queries: JaxArray, rows: JaxArray) => numpy.matmul(queries, numpy.transpose(rows)), {
  threads: 1,
});
const blocks: Float32Array[] = [];

async function answer({ width, slots, queries, asked }: QueriesMessage): Promise<Int32Array[]> {
  const candidates = asked.map(({ most }) => new Candidates(most));
  let first = 0;
  // The runtime takes no memory that is shared.
  const own = new Float32Array(blocks[0]?.length ?? 0);
  for (const rows of blocks) {
    own.set(rows);
    const height = own.length / width;
    const { data } = await product(float32([queries.length / width, width], queries), float32([height, width], own));
    for (const [i, { allowed }] of asked.entries()) {
      candidates[i].take(data as Float32Array, i * height, Math.min(height, slots - first), first, allowed);
    }
    first += height;
  }
  return candidates.map((one) => one.slots());
}

parentPort?.on('message', (message: BlockMessage | QueriesMessage | EndMessage) => {
  if (message.kind === 'block') {
    blocks[message.at] = message.rows;
    return;
  }
  if (message.kind === 'end') {
    product.dispose().finally(() => parentPort?.close());
    return;
  }
  answer(message).then(
    (found) => parentPort?.postMessage({ found } satisfies Found),
    (error) => parentPort?.postMessage({ error: String(error) } satisfies Found),
  );
});
