/** @file Writing a checkpoint of the same layout in which the weights that are not kept are zero; all else is copied. */

import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../../core/run.ts';
import type { ScoreChunk, ScoreStream } from '../../core/scores.ts';
import type { StreamSelection } from '../../core/select-stream.ts';
import { resolveTask, type Task } from '../../core/task.ts';
import type { Checkpoint, WeightFile } from '../../models/checkpoint/checkpoint-files.ts';
import { bytesOf } from '../../models/checkpoint/dtype.ts';
import { readFully, readTensorChunk } from '../../models/checkpoint/tensor-chunk.ts';
import type { WeightChunk } from './weight-scores.ts';

/** A run of bytes of the output: copied, or weights kept by their scores. */
type Piece = CopiedPiece | KeptPiece;

interface CopiedPiece {
  readonly kind: 'copy';
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

interface KeptPiece {
  readonly kind: 'keep';
  readonly chunk: WeightChunk;
  /** Weights whose score is above this stay, and the first `ties` of those equal to it. */
  readonly threshold: number;
  readonly ties: number;
  readonly score: { readonly module?: string; readonly name?: string };
}

interface Made {
  readonly bytes: Uint8Array;
  /** Weights kept; 0 for a copy. */
  readonly kept: number;
}

const copyLength = 2 ** 20;

/**
 * Writes the checkpoint to `out` (a folder or a file, as the checkpoint is), and returns how many weights of each group were
 * kept. Pieces are made on the run's threads; each file is written from first to last, several files at a time: threads that
 * write to one file would wait for each other.
 */
export async function writeKept(
  checkpoint: Checkpoint,
  scores: ScoreStream,
  selection: StreamSelection,
  out: string,
  run: Run,
): Promise<number[]> {
  if (checkpoint.folder) {
    await mkdir(out);
    // Written anew rather than copied, so that a read-only original does not make a read-only output.
    for (const name of checkpoint.companions)
      await writeFile(join(out, name), await readFile(join(checkpoint.path, name)));
  }
  const making: Task<Piece, Made> = {
    call: (piece) => make(piece, scores.score.call),
    module: scores.score.module && import.meta.url,
    name: makePiece.name,
  };
  const kept = scores.groups.map(() => 0);
  const keptOf = keptPieces(scores, selection);
  const files = checkpoint.files.map((file) => ({ file, pieces: piecesOf(file, keptOf.get(file.path) ?? []) }));
  const total = files.reduce((sum, { pieces }) => sum + pieces.length, 0);
  let done = 0;
  let failure: unknown;
  const writeNext = async (): Promise<void> => {
    for (let next = files.shift(); next; next = files.shift()) {
      const { file, pieces } = next;
      const to = await open(checkpoint.folder ? join(out, file.name) : out, 'wx');
      try {
        let at = 0;
        for await (const { bytes, kept: count } of run.map(making, pieces)) {
          if (failure !== undefined) return;
          await to.writeFile(bytes);
          const piece = pieces[at++];
          if (piece.kind === 'keep') kept[piece.chunk.group] += count;
          run.progress('writing', ++done, total);
        }
        await to.sync();
      } finally {
        await to.close();
      }
    }
  };
  const writer = () =>
    writeNext().catch((error) => {
      failure ??= error; // what follows in the other writers is its consequence
      files.length = 0;
    });
  // Pieces made in place share one memory, so there is one writer then.
  const writers = scores.score.module ? Math.min(run.threads, files.length) : 1;
  await Promise.all(Array.from({ length: writers }, writer));
  if (failure !== undefined) throw failure;
  return kept;
}

/** The pieces to keep of each file, in the order of their bytes. */
function keptPieces(scores: ScoreStream, { scope, cuts, tiesInChunk }: StreamSelection): Map<string, KeptPiece[]> {
  const { module, name } = scores.score;
  const pieces = new Map<string, KeptPiece[]>();
  for (const [c, chunk] of (scores.chunks as readonly WeightChunk[]).entries()) {
    const { threshold } = cuts[scope === 'group' ? chunk.group : 0];
    const { path } = chunk.source;
    if (!pieces.has(path)) pieces.set(path, []);
    const ties = tiesInChunk?.[c] ?? Infinity;
    pieces.get(path)!.push({ kind: 'keep', chunk, threshold, ties, score: { module, name } });
  }
  return pieces;
}

/** All bytes of a file, first to last: copies where no scored weight lies. */
function piecesOf({ path, size }: WeightFile, kept: readonly KeptPiece[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const copyTo = (end: number) => {
    for (; at < end; at = Math.min(end, at + copyLength)) {
      pieces.push({ kind: 'copy', path, offset: at, bytes: Math.min(copyLength, end - at) });
    }
  };
  for (const piece of kept) {
    const { source, length } = piece.chunk;
    copyTo(source.offset);
    pieces.push(piece);
    at += length * bytesOf[source.dtype];
  }
  copyTo(size);
  return pieces;
}

/**
 * One piece on another thread.
 * @worker
 */
export async function makePiece(piece: Piece): Promise<Made> {
  return make(piece, piece.kind === 'keep' ? await resolveTask(piece.score) : undefined);
}

async function make(piece: Piece, score?: (chunk: ScoreChunk) => Float32Array | Promise<Float32Array>): Promise<Made> {
  if (piece.kind === 'copy') {
    const bytes = new Uint8Array(piece.bytes);
    readFully(piece.path, bytes, piece.offset);
    return { bytes, kept: 0 };
  }
  const { chunk, threshold, ties } = piece;
  const { source, length } = chunk;
  const bytes = new Uint8Array(length * bytesOf[source.dtype]);
  const loaded = readTensorChunk(source, length, bytes);
  const values = await score!({ ...chunk, source: { ...source, loaded } } as WeightChunk);
  // A zero is all bits zero in every format.
  const words = source.dtype === 'F32' ? new Int32Array(bytes.buffer) : new Int16Array(bytes.buffer);
  return { bytes, kept: zeroBelow(words, values, threshold, ties) };
}

let tieAt = new Uint32Array(0);

/** Zeroes the words whose value is below the threshold, and of those equal to it all but the first `ties`. */
function zeroBelow(words: Int32Array | Int16Array, values: Float32Array, threshold: number, ties: number): number {
  if (tieAt.length < values.length) tieAt = new Uint32Array(values.length);
  let kept = 0;
  let equal = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    // Without a branch: half the weights fall on either side, which no processor can foresee.
    const keep = Number(value >= threshold) | 0;
    words[i] &= -keep;
    kept += keep;
    if (value === threshold) tieAt[equal++] = i;
  }
  for (let t = ties; t < equal; t++) {
    words[tieAt[t]] = 0;
    kept--;
  }
  return kept;
}
