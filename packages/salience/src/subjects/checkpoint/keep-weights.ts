/** @file Writing a checkpoint of the same layout in which the weights that are not kept are zero; all else is copied. */

import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cut, countTies, TieLedger } from '../../core/cut.ts';
import type { Run } from '../../core/run.ts';
import type { ScoreChunk, ScoreStream } from '../../core/scores.ts';
import type { StreamSelection } from '../../core/select-stream.ts';
import { resolveTask, type Task } from '../../core/task.ts';
import type { Checkpoint, WeightFile } from '../../models/checkpoint/checkpoint-files.ts';
import { bytesOf } from '../../models/checkpoint/dtype.ts';
import { readFully, readTensorChunk } from '../../models/checkpoint/tensor-chunk.ts';
import type { WeightChunk } from './weight-scores.ts';

/** A piece of the output: bytes to copy, or weights to keep by their scores. */
type Piece =
  | {
      readonly kind: 'copy';
      readonly from: string;
      readonly to: string;
      readonly offset: number;
      readonly bytes: number;
    }
  | {
      readonly kind: 'keep';
      readonly chunk: WeightChunk;
      readonly to: string;
      readonly cut: Cut;
      /** Place among the chunks, and the first chunk that shares this one's ties. */
      readonly index: number;
      readonly first: number;
      readonly ledger: ArrayBufferLike;
      readonly score: { readonly module?: string; readonly name?: string };
    };

const copyLength = 2 ** 23;

/**
 * Writes the checkpoint to `out` (a folder or a file, as the checkpoint is), and returns how many weights of each group were kept.
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
    for (const name of checkpoint.companions) await copyFile(join(checkpoint.path, name), join(out, name));
  }
  const outOf = new Map(checkpoint.files.map(({ name, path }) => [path, checkpoint.folder ? join(out, name) : out]));
  for (const { path, size } of checkpoint.files) {
    const file = openSync(outOf.get(path)!, 'wx');
    ftruncateSync(file, size);
    closeSync(file);
  }
  const pieces = [...keptPieces(scores, selection, outOf), ...copiedPieces(checkpoint.files, scores, outOf)];
  const writing: Task<Piece, number> = {
    call: (piece) => (piece.kind === 'copy' ? copyPiece(piece) : keepPiece(piece, scores.score.call)),
    module: scores.score.module && import.meta.url,
    name: writePiece.name,
  };
  const kept = scores.groups.map(() => 0);
  let at = 0;
  for await (const count of run.map(writing, pieces, 'writing', pieces.length)) {
    const piece = pieces[at++];
    if (piece.kind === 'keep') kept[piece.chunk.group] += count;
  }
  return kept;
}

function* keptPieces(
  scores: ScoreStream,
  { scope, cuts }: StreamSelection,
  outOf: Map<string, string>,
): Generator<Piece> {
  const chunks = scores.chunks as readonly WeightChunk[];
  const ledger = new TieLedger(chunks.length).buffer;
  const { module, name } = scores.score;
  let first = 0;
  for (const [index, chunk] of chunks.entries()) {
    if (scope === 'group' && chunk.group !== chunks[first].group) first = index;
    const cut = cuts[scope === 'group' ? chunk.group : 0];
    yield {
      kind: 'keep',
      chunk,
      to: outOf.get(chunk.source.path)!,
      cut,
      index,
      first,
      ledger,
      score: { module, name },
    };
  }
}

/** The bytes of each file that no scored weight covers. */
function* copiedPieces(
  files: readonly WeightFile[],
  scores: ScoreStream,
  outOf: Map<string, string>,
): Generator<Piece> {
  const chunks = scores.chunks as readonly WeightChunk[];
  for (const { path, size } of files) {
    const covered = chunks
      .filter(({ source }) => source.path === path)
      .map(({ source, length }) => ({ begin: source.offset, end: source.offset + length * bytesOf[source.dtype] }))
      .sort((a, b) => a.begin - b.begin);
    let at = 0;
    for (const { begin, end } of [...covered, { begin: size, end: size }]) {
      for (; at < begin; at = Math.min(begin, at + copyLength)) {
        yield { kind: 'copy', from: path, to: outOf.get(path)!, offset: at, bytes: Math.min(copyLength, begin - at) };
      }
      at = end;
    }
  }
}

/** One piece on another thread: the number of weights kept, 0 for a copy. @worker */
export async function writePiece(piece: Piece): Promise<number> {
  if (piece.kind === 'copy') return copyPiece(piece);
  return keepPiece(piece, await resolveTask(piece.score));
}

function copyPiece({ from, to, offset, bytes }: Extract<Piece, { kind: 'copy' }>): number {
  const buffer = new Uint8Array(bytes);
  readFully(from, buffer, offset);
  writeFully(to, buffer, offset);
  return 0;
}

async function keepPiece(
  { chunk, to, cut, index, first, ledger }: Extract<Piece, { kind: 'keep' }>,
  score: (chunk: ScoreChunk) => Float32Array | Promise<Float32Array>,
): Promise<number> {
  const { source, length } = chunk;
  const loaded = readTensorChunk(source, length);
  const values = await score({ ...chunk, source: { ...source, loaded } } as WeightChunk);
  let tie = cut.ties === Infinity ? 0 : new TieLedger(ledger).enter(index, first, countTies(values, cut));
  const { threshold, ties } = cut;
  // A zero is all bits zero in every format.
  const { buffer, byteOffset } = loaded.bytes;
  const words =
    source.dtype === 'F32' ? new Uint32Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
  let kept = 0;
  for (let i = 0; i < length; i++) {
    const value = values[i];
    if (value > threshold || (value === threshold && tie++ < ties)) kept++;
    else words[i] = 0;
  }
  writeFully(to, loaded.bytes, source.offset);
  return kept;
}

function writeFully(path: string, bytes: Uint8Array, offset: number): void {
  const file = openSync(path, 'r+');
  try {
    let at = 0;
    while (at < bytes.length) at += writeSync(file, bytes, at, bytes.length - at, offset + at);
  } finally {
    closeSync(file);
  }
}
