/** @file What goes to the process of a run, and what comes back from it. */

import type { RunResult } from './result.ts';

export interface Progress {
  readonly what: string;
  readonly done: number;
  readonly total?: number;
}

export interface WorkOrder {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly budget: string;
  readonly seed: number;
  /** Path of the file within the run's folder and the name its owner gave it; absent for the sample. */
  readonly file?: { readonly path: string; readonly name: string };
  /** The only folder that the process may write to. */
  readonly folder: string;
  /** Bytes of memory that the process may have, all kinds together. */
  readonly memory: number;
  /** Bytes of the files that may lie in the folder, the given one among them. */
  readonly disk: number;
}

export type WorkerMessage =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'done'; readonly result: RunResult }
  /** `expected`: the input or a parameter is to blame, and the message says how. */
  | { readonly type: 'failed'; readonly message: string; readonly expected: boolean };
