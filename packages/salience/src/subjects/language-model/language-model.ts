/** @file The language-model subject: a decoder as published and a text it is calibrated on. Keeping writes it with weights zeroed or changed. */

import { createHash } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { printBudget } from '../../core/budget.ts';
import { InputError, OutputError, ParameterError } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import { Run } from '../../core/run.ts';
import type { SequencePart } from '../../core/scores.ts';
import type { SequenceSelection } from '../../core/select-sequence.ts';
import type { SubjectKind } from '../../core/subject.ts';
import type { Checkpoint } from '../../models/checkpoint/checkpoint-files.ts';
import { bytesOf, type FloatType, fromFloat32 } from '../../models/checkpoint/dtype.ts';
import { readRows, readTensors } from '../../models/checkpoint/read-tensors.ts';
import { readFully } from '../../models/checkpoint/tensor-chunk.ts';
import { type LayerSource, layersInMemory } from '../../models/decoder/layer-walk.ts';
import { linearMaps } from '../../models/decoder/linear-maps.ts';
import { checkMemory } from '../../models/decoder/memory.ts';
import { parameterCount, weightShapes } from '../../models/decoder/weights.ts';
import type { DecoderModel } from '../../models/generation/cached-decoder.ts';
import { loadWeights, openPretrained, type Pretrained } from '../../models/pretrained/open-pretrained.ts';
import { under } from '../../nn/parameters.ts';
import type { Tensor } from '../../runtime/index.ts';
import { writeBeside } from '../writing.ts';
import { calibrationBlocks, readTokens } from './calibration.ts';
import { refuseNotFinite } from './finite.ts';
import { ResumableWalk } from './resumable-walk.ts';

/** A decoder, layer by layer or whole, and the blocks of text it is calibrated on. */
export interface LanguageModel {
  readonly source: LayerSource;
  /**
   * Blocks of the calibration text, int32, shape [blocks, length].
   * @throws InputError if none was given.
   */
  blocks(): Tensor<'int32'>;
  /** All weights in memory, for gradients. */
  whole(): Promise<DecoderModel>;
  /** Where it lies on disk; absent for a model in memory. */
  readonly pretrained?: Pretrained;
  /** What the blocks are, in words. */
  readonly calibration: string;
  readonly walk?: ResumableWalk;
}

/** A model in memory with its calibration blocks, as a subject of methods. */
export function languageModelInMemory(model: DecoderModel, blocks: Tensor<'int32'>): LanguageModel {
  return {
    source: layersInMemory(model),
    blocks: () => blocks,
    whole: async () => model,
    calibration: `${blocks.shape[0]} blocks of ${blocks.shape[1]} tokens`,
  };
}

const options = z.object({
  calibrate: z.string().optional().describe('text file that the model reads while it is scored'),
  samples: z.number().int().min(1).default(128).describe('blocks of the calibration text'),
  length: z
    .number()
    .int()
    .min(2)
    .optional()
    .describe('tokens of a block; by default the model’s positions, 2048 at the most'),
  resume: z
    .string()
    .optional()
    .describe('with keep: folder for the state of the work: run again, a killed one goes on where it was'),
});

/** The shipped model that has learnt the recall language. */
const bundled = fileURLToPath(new URL('../../../examples/recall', import.meta.url));

export const languageModel: SubjectKind<LanguageModel, typeof options> = {
  kind: 'language-model',
  accepts: 'a folder with config.json, model.safetensors (or shards) and tokenizer.json',
  options,
  needsOutput: true,

  async load(paths, given, run) {
    if (paths.length !== 1 || paths[0] === '-')
      throw new InputError(`a language model is one folder; given were ${paths.join(', ')}`);
    return opened(paths[0], given, run);
  },

  sample: (run) => opened(bundled, { calibrate: join(bundled, 'calibration.txt'), samples: 16, length: 128 }, run),

  async keep(subject, { scores, selection }, { path, force }, run) {
    if (path === undefined) throw new OutputError('keeping weights writes a model; name where with --out');
    const { pretrained, walk } = subject;
    if (!pretrained) throw new InputError('a model in memory has no folder to be written like');
    if (!('walk' in selection) || !('walk' in scores))
      throw new InputError(`a language model keeps weights, not ${scores.unit}s`);
    const { checkpoint } = pretrained;
    let adjusted = false;
    const write = async (out: string) => {
      for await (const part of selection.walk()) {
        const hash = await writePart(checkpoint, part, out);
        walk?.wrote(hash);
        adjusted ||= part.values !== undefined;
      }
    };
    if (walk) {
      await refuseOverlap(walk.folder, path);
      const about = `${scores.about}, ${printBudget(selection.budget)}, ${subject.calibration}, ${await markOf(checkpoint)}`;
      try {
        if (!(await walk.begin(about, selection.counts))) await copyCheckpoint(checkpoint, walk.output, run);
        else {
          await checkProgress(checkpoint, selection.groups, walk, run);
          run.log(`goes on after ${walk.settled.length} matrices that are done`);
        }
        await write(walk.output);
        await writeBeside(path, { force }, (temporary) => move(checkpoint, walk.output, temporary, run));
      } catch (error) {
        await walk.release();
        throw error;
      }
      await walk.end();
    } else {
      await writeBeside(path, { force }, async (temporary) => {
        await copyCheckpoint(checkpoint, temporary, run);
        await write(temporary);
      });
    }
    return reportOf(pretrained.path, selection, path, adjusted);
  },
};

async function opened(folder: string, given: Partial<z.infer<typeof options>>, run: Run): Promise<LanguageModel> {
  const pretrained = await openPretrained(folder);
  const { config } = pretrained;
  const { calibrate, samples = 128, length = Math.min(config.positions, 2048), resume } = given;
  if (length > config.positions)
    throw new ParameterError(`blocks of ${length} tokens are longer than the model's ${config.positions} positions`);
  const blocks =
    calibrate === undefined
      ? undefined
      : calibrationBlocks(await readTokens(calibrate, await pretrained.tokenizer(), run), {
          samples,
          length,
          random: run.random('calibration'),
        });
  // Refused before the first layer is read, not in the middle.
  if (blocks) checkMemory(config, { purpose: 'layers', batch: blocks.shape[0], tokens: length });
  const walk = resume === undefined ? undefined : await ResumableWalk.open(resume);
  if (walk) {
    walk.groupsBefore = (layer) =>
      Array.from({ length: layer }, (_, n) => linearMaps(config, n).length).reduce((sum, count) => sum + count, 0);
  }
  let whole: Promise<DecoderModel> | undefined;
  return {
    source: layersOnDisk(pretrained, run),
    blocks() {
      if (blocks) return blocks;
      throw new ParameterError('this method reads a calibration text; name one with --calibrate');
    },
    whole() {
      whole ??= loadWeights(pretrained, run, {
        purpose: 'gradient',
        tokens: length,
        // What is gathered of the gradients.
        cacheBytes: 4 * parameterCount(config),
      }).then((weights) => {
        for (const [name, { data }] of Object.entries(weights)) refuseNotFinite(data, name);
        return { config, weights };
      });
      return whole;
    },
    pretrained,
    calibration: blocks
      ? `${blocks.shape[0]} blocks of ${length} tokens (sha256 ${createHash('sha256').update(blocks.data).digest('hex').slice(0, 16)})`
      : 'no calibration text',
    walk,
  };
}

/** Layers read from the files one at a time. */
function layersOnDisk({ config, checkpoint }: Pretrained, run: Run): LayerSource {
  const quiet = new Run({ signal: run.signal });
  const names = [...weightShapes(config).keys()];
  return {
    config,
    layer: async (n) => {
      const prefix = `model.layers.${n}.`;
      return under(
        await readTensors(
          checkpoint,
          names.filter((name) => name.startsWith(prefix)),
          quiet,
        ),
        prefix,
      );
    },
    embeddings: async (tokens) => {
      const table = checkpoint.tensors.find(({ name }) => name === 'model.embed_tokens.weight')!;
      return (await readRows(table, tokens, quiet)).data;
    },
  };
}

/** What tells this checkpoint from another, or from a later state of itself. */
async function markOf({ files }: Checkpoint): Promise<string> {
  const marks = await Promise.all(
    files.map(async ({ path }) => {
      const { size, mtimeMs } = await stat(path);
      return `${await realpath(path)} ${size} ${mtimeMs}`;
    }),
  );
  return marks.join('; ');
}

/** All files of a checkpoint under another folder. Companions are written anew, so that a read-only original can be replaced. */
async function copyCheckpoint(checkpoint: Checkpoint, out: string, run: Run): Promise<void> {
  await mkdir(out);
  for (const name of checkpoint.companions)
    await writeFile(join(out, name), await readFile(join(checkpoint.path, name)));
  const total = checkpoint.files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const buffer = new Uint8Array(2 ** 24);
  for (const { name, path, size } of checkpoint.files) {
    const to = await open(join(out, name), 'wx');
    try {
      for (let at = 0; at < size; at += buffer.length) {
        const bytes = buffer.subarray(0, Math.min(buffer.length, size - at));
        readFully(path, bytes, at);
        await to.writeFile(bytes);
        done += bytes.length;
        run.progress('copying', done, total);
        await run.breathe();
      }
    } finally {
      await to.close();
    }
  }
}

/** Writes a matrix into the copy: the original's bytes with zeros where nothing is kept, or new values. Returns their sha256. */
async function writePart(checkpoint: Checkpoint, { name, kept, values }: SequencePart, out: string): Promise<string> {
  const tensor = checkpoint.tensors.find((candidate) => candidate.name === name)!;
  const file = checkpoint.files.find(({ path }) => path === tensor.path)!;
  const dtype = tensor.dtype as FloatType;
  const size = bytesOf[dtype];
  const to = await open(join(out, file.name), 'r+');
  const length = 2 ** 22;
  const hash = createHash('sha256');
  try {
    for (let at = 0; at < kept.length; at += length) {
      const n = Math.min(length, kept.length - at);
      const bytes = new Uint8Array(n * size);
      if (values) {
        fromFloat32(dtype, values.subarray(at, at + n), bytes);
      } else {
        readFully(tensor.path, bytes, tensor.offset + at * size);
        // A zero is all bits zero in every format.
        const words = size === 4 ? new Int32Array(bytes.buffer) : new Int16Array(bytes.buffer);
        for (let i = 0; i < n; i++) words[i] &= -kept[at + i];
      }
      const offset = tensor.offset + at * size;
      for (let done = 0; done < bytes.length; )
        done += (await to.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
      hash.update(bytes);
    }
    return hash.digest('hex');
  } finally {
    await to.close();
  }
}

/**
 * Makes sure that an output in progress is what an earlier walk left: all files, as long as the original's, with its headers, the
 * matrices that were settled, and the original's bytes of the tensors that are not pruned. Matrices yet to come are written anew.
 * @throws InputError naming what is not whole.
 */
async function checkProgress(
  checkpoint: Checkpoint,
  groups: SequenceSelection['groups'],
  walk: ResumableWalk,
  run: Run,
): Promise<void> {
  const refuse = (what: string): never => {
    throw new InputError(
      `${walk.folder}: the output in progress is not whole (${what}); remove the folder to start over`,
    );
  };
  const { companions, files, path } = checkpoint;
  const expected = [...companions, ...files.map(({ name }) => name)];
  const there = await readdir(walk.output);
  const extra = there.find((name) => !expected.includes(name));
  if (extra !== undefined) refuse(`${extra} does not belong there`);
  for (const name of expected) if (!there.includes(name)) refuse(`${name} is missing`);
  for (const name of companions) {
    if (!(await readFile(join(walk.output, name))).equals(await readFile(join(path, name))))
      refuse(`${name} was changed`);
  }
  for (const { name, size, header, path: original } of files) {
    const copy = join(walk.output, name);
    const has = (await stat(copy)).size;
    if (has !== size) refuse(`${name} has ${has.toLocaleString('en-US')} of ${size.toLocaleString('en-US')} bytes`);
    const [a, b] = [new Uint8Array(header.bytes), new Uint8Array(header.bytes)];
    readFully(original, a, 0);
    readFully(copy, b, 0);
    if (!Buffer.from(a).equals(b)) refuse(`the header of ${name} was changed`);
  }
  const settled = new Map(walk.written.map((hash, g) => [groups[g].name, hash]));
  const pruned = new Set(groups.map(({ name }) => name));
  const tensors = checkpoint.tensors.filter(({ name }) => settled.has(name) || !pruned.has(name));
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const tensor of tensors) {
    const copy = join(walk.output, files.find((one) => one.path === tensor.path)!.name);
    const wanted = settled.get(tensor.name);
    const hash = createHash('sha256');
    for (let at = 0; at < tensor.bytes; at += 2 ** 24) {
      const bytes = new Uint8Array(Math.min(2 ** 24, tensor.bytes - at));
      readFully(copy, bytes, tensor.offset + at);
      if (wanted !== undefined) hash.update(bytes);
      else {
        const original = new Uint8Array(bytes.length);
        readFully(tensor.path, original, tensor.offset + at);
        if (!Buffer.from(original.buffer).equals(bytes)) refuse(`${tensor.name} was changed`);
      }
      done += bytes.length;
      run.progress('checking what is written', done, total);
      await run.breathe();
    }
    if (wanted !== undefined && hash.digest('hex') !== wanted) refuse(`${tensor.name} was changed`);
  }
}

/** The path with links followed as far as it exists. */
async function real(path: string): Promise<string> {
  const whole = resolve(path);
  const found = await realpath(whole).catch(() => undefined);
  if (found !== undefined || dirname(whole) === whole) return found ?? whole;
  return join(await real(dirname(whole)), basename(whole));
}

/** @throws ParameterError if the folder of the state and the output lie in each other: removing one would remove the other. */
async function refuseOverlap(state: string, out: string): Promise<void> {
  const [a, b] = [await real(state), await real(out)];
  const within = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + sep);
  if (within(a, b) || within(b, a))
    throw new ParameterError(`--resume ${state} and --out ${out} lie in each other; name two folders apart`);
}

/** Moves a finished output beside where it is to appear; across disks it is copied. */
async function move(checkpoint: Checkpoint, from: string, to: string, run: Run): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await mkdir(to);
    for (const name of [...checkpoint.companions, ...checkpoint.files.map((file) => file.name)]) {
      run.check();
      await copyFile(join(from, name), join(to, name));
    }
  }
}

function reportOf(
  path: string,
  { groups, counts, count, of, budget }: SequenceSelection,
  out: string,
  adjusted: boolean,
): Report {
  const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)}%`;
  return {
    title: `${count.toLocaleString('en-US')} of ${of.toLocaleString('en-US')} weights of ${path} kept (budget ${printBudget(budget)})`,
    blocks: [
      {
        kind: 'table',
        columns: ['matrix', 'weights', 'kept', 'share'],
        rows: groups.map(({ name, size }, g) => [name, size, counts[g], percent(counts[g], size)]),
      },
      {
        kind: 'text',
        text: `Written to ${out}: the same files, with ${(of - count).toLocaleString('en-US')} weights set to zero${adjusted ? ' and the others of their matrices adjusted' : ''}.`,
      },
    ],
  };
}
