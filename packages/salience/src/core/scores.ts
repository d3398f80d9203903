/**
 * @file Scores: one finite number a unit, higher matters more; in memory, in chunks for what is larger than memory, or part by
 * part where what is kept of one part changes the scores of the next.
 */

import { InputError } from './errors.ts';
import type { Block } from './report.ts';
import type { Task } from './task.ts';

/** Which group (layer, document, class) each unit is in. */
export interface Groups {
  readonly names: readonly string[];
  /** Index into `names` for each unit, shape [n]. */
  readonly of: Uint32Array;
}

/** What a unit costs when it is kept. */
export interface Costs {
  /** What is counted, e.g. "word". */
  readonly unit: string;
  /** Shape [n], finite and not negative. */
  readonly values: ArrayLike<number>;
}

/** Scores that fit in memory. A method whose paper ranks the other way negates at its own edge. */
export interface Scores {
  /** What is scored, in the singular: "sentence", "weight". */
  readonly unit: string;
  /** Shape [n]. */
  readonly values: Float32Array;
  readonly groups?: Groups;
  /** A text for each unit, shape [n]. */
  readonly labels?: readonly string[];
  readonly costs?: Costs;
  /** How alike two units are, 0 to 1; needed by budgets that name a `redundancy`. */
  readonly similarity?: (i: number, j: number) => number;
  /** What else the method found out, shown under the scores: tables, charts, remarks. */
  readonly findings?: readonly Block[];
}

/** A run of consecutive units of one group; `source` is what the scoring task needs to find them, as plain data. */
export interface ScoreChunk {
  readonly group: number;
  /** Index of the first unit within its group. */
  readonly start: number;
  readonly length: number;
  readonly source?: unknown;
}

/**
 * Scores larger than memory: chunks in unit order (group by group, each group's chunks by `start`), and a task that gives
 * the scores of one chunk, shape [chunk.length]. The task may be asked for the same chunk several times and must answer alike;
 * an answer may be overwritten by the next one of its thread. A chunk that fits a processor's cache is best.
 */
export interface ScoreStream {
  readonly unit: string;
  readonly groups: readonly { readonly name: string; readonly size: number }[];
  readonly chunks: readonly ScoreChunk[];
  readonly score: Task<ScoreChunk, Float32Array>;
}

/** Chunks in the batches that one thread works on at a time: consecutive, of one group, at most 16. */
export function batchesOf<Chunk extends ScoreChunk>(chunks: readonly Chunk[]): Chunk[][] {
  const batches: Chunk[][] = [];
  for (const chunk of chunks) {
    const last = batches.at(-1);
    if (last && last.length < 16 && last[0].group === chunk.group) last.push(chunk);
    else batches.push([chunk]);
  }
  return batches;
}

/**
 * Applies a budget to a matrix of scores, row after row: 1 where kept. `matrix` sets one threshold over all its rows, `row`
 * (the default) one in each.
 * @throws InputError for a score that is not finite; BudgetError if N:M does not divide the columns.
 */
export interface ChooseInRows {
  (values: Float32Array, shape: readonly [rows: number, columns: number], scope?: 'row' | 'matrix'): Uint8Array;
  /** M of a budget of N:M: each M consecutive columns are chosen from on their own. Absent for a share. */
  readonly every?: number;
}

/** One matrix of a sequence, done. */
export interface SequencePart {
  readonly name: string;
  readonly shape: readonly [rows: number, columns: number];
  /** The scores that were chosen from, row after row. */
  readonly scores: Float32Array;
  /** 1 where kept, row after row. */
  readonly kept: Uint8Array;
  /** The new values, row after row, where what is kept is changed too. */
  readonly values?: Float32Array;
}

/** Scores that come part by part, because what is kept of one part changes the scores of the next. */
export interface ScoreSequence {
  readonly unit: string;
  /** The matrices, in the order they come. */
  readonly groups: readonly { readonly name: string; readonly size: number }[];
  /**
   * Scores from the beginning, each matrix of `groups` in turn: the method hands `choose` the scores it has, goes on with what
   * is kept, and yields each matrix when it is done.
   */
  walk(choose: ChooseInRows): AsyncGenerator<SequencePart>;
  /** What the scores depend on besides the budget, so that a walk that was cut off goes on only as itself. */
  readonly about?: string;
  /** Units kept of each of the first groups, where an earlier walk that was cut off has settled them: the walk begins after them. */
  readonly settled?: readonly number[];
}

/** Scores of any form. */
export type AnyScores = Scores | ScoreStream | ScoreSequence;

/** Tells scores in chunks from the other forms. */
export function isStream(scores: AnyScores): scores is ScoreStream {
  return 'chunks' in scores;
}

/** Tells scores that come part by part from the other forms. */
export function isSequence(scores: AnyScores): scores is ScoreSequence {
  return 'walk' in scores;
}

/** Throws an InputError unless the scores are as the contract says: one finite number a unit, labels and groups of that length. */
export function checkScores(scores: Scores): void {
  const n = scores.values.length;
  if (n === 0) throw new InputError(`there is no ${scores.unit} to score`);
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(scores.values[i])) {
      throw new InputError(`the score of ${scores.unit} ${i} is ${scores.values[i]}; scores must be finite`);
    }
  }
  if (scores.labels && scores.labels.length !== n) {
    throw new InputError(`there are ${scores.labels.length} labels for ${n} scores`);
  }
  if (scores.groups && scores.groups.of.length !== n) {
    throw new InputError(`there are ${scores.groups.of.length} group numbers for ${n} scores`);
  }
  if (scores.costs && scores.costs.values.length !== n) {
    throw new InputError(`there are ${scores.costs.values.length} costs for ${n} scores`);
  }
}
