/** @file Reads a dataset from a file: one pass finds types, levels and labels, then chunks are read on their own. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { openTableFile } from '../../models/table-files/open-table-file.ts';
import type { Batch, Place, TableFile } from '../../models/table-files/table-file.ts';
import {
  cellReader,
  type Found,
  mostLevels,
  parseMissing,
  parseTypes,
  plainCell,
  TypeFinder,
} from '../table/column-types.ts';
import { columnAt, listed, sourceOf } from '../table/table-options.ts';
import type { Dataset, ExampleChunk, Examples, Labels, PreferencePair } from './dataset.ts';

/** Examples and bytes of a chunk at the most, unless a single batch has more. */
const chunkRows = 65_536;
const chunkBytes = 2 ** 25;

/** Bytes of file and features that may stay in memory; of what is larger the last two chunks do. */
const mostKept = 2 ** 28;

/** Features at the most. */
const mostFeatures = 100_000;

/** How a dataset is read. */
export interface DatasetReading {
  /** Column of the classes. */
  readonly target?: string;
  /** Column of the texts. */
  readonly text?: string;
  /** Columns of the features; all that have a type are where absent. */
  readonly features?: readonly string[];
  /** Columns of a preference pair. */
  readonly pair?: { readonly prompt: string; readonly chosen: string; readonly rejected: string };
  readonly types: string;
  readonly missing: string;
}

/** Numbers that a column gives to each example. */
interface Encoder {
  readonly column: number;
  readonly names: readonly string[];
  write(raw: unknown, out: Float32Array, at: number, batch: Batch, row: number): void;
}

/** How a column gives features: its type, the mean that stands for a missing number, the length of its lists. */
interface Coded {
  readonly type: Found;
  readonly mean: number;
  readonly length?: number;
}

/**
 * Reads a dataset: counts its examples, finds the types of its columns and the classes, and remembers where chunks lie.
 * @param like the feature columns of a dataset that this one is to be coded like.
 * @throws InputError if there is no example, a column that was named is not there, or an example has no class.
 */
export async function readDataset(
  file: TableFile,
  reading: DatasetReading,
  run: Run,
  like?: ReadonlyMap<string, Coded>,
): Promise<Dataset> {
  const { target, pair } = reading;
  const named = like ? [...like.keys()] : reading.features;
  const types = parseTypes(reading.types);
  const missing = parseMissing(reading.missing);
  const text =
    reading.text ??
    (!pair && target !== 'text' && !named?.includes('text') && file.names.includes('text') ? 'text' : undefined);
  const roles = new Map<string, string>();
  if (target !== undefined) roles.set(target, '--target');
  if (text !== undefined) roles.set(text, '--text');
  for (const [role, name] of Object.entries(pair ?? {})) roles.set(name, `--${role}`);
  const set = new Set(roles.keys());
  const isFeature = (name: string) => (named ? named.includes(name) : !set.has(name));
  if (file.format !== 'jsonl') checkNames();

  const finders: (TypeFinder | undefined)[] = [];
  const lists = new Map<number, number>();
  const places: Place[] = [];
  const labelFinder =
    target === undefined
      ? undefined
      : new TypeFinder(file.path, target, missing.of(target), types.get(target) ?? { kind: 'categorical' });
  if (target !== undefined && ['number', 'integer'].includes(types.get(target)?.kind ?? ''))
    throw new ParameterError(
      `types: ${target} is the target, whose values are classes; ${types.get(target)!.kind} is no type for it`,
    );
  let of = new Uint32Array(labelFinder ? 1024 : 0);
  let examples = 0;
  const wanted =
    file.format === 'jsonl'
      ? undefined
      : file.names.map((_, c) => c).filter((c) => isFeature(file.names[c]) || file.names[c] === target);
  let last = performance.now();
  for await (const batch of file.batches(run, wanted)) {
    const { names } = file;
    const { column, where, ...place } = batch;
    places.push(place);
    for (let c = finders.length; c < names.length; c++) {
      finders.push(
        isFeature(names[c])
          ? new TypeFinder(file.path, names[c], missing.of(names[c]), types.get(names[c]))
          : undefined,
      );
    }
    for (const [c, finder] of finders.entries()) {
      if (!finder) continue;
      const cells = batch.column(c);
      for (let i = 0; i < cells.length; i++) {
        finder.see(cells[i], batch, i);
        if (named && isList(cells[i])) seeList(c, cells[i] as ArrayLike<unknown>, batch, i);
      }
    }
    if (labelFinder) {
      const at = names.indexOf(target!);
      const cells = at >= 0 ? batch.column(at) : [];
      while (of.length < examples + batch.length) {
        const larger = new Uint32Array(2 * of.length);
        larger.set(of);
        of = larger;
      }
      for (let i = 0; i < batch.length; i++) {
        labelFinder.see(cells[i], batch, i);
        if (labelFinder.text >= 0) of[examples + i] = labelFinder.text;
        else if (labelFinder.isMissing(cells[i]))
          throw new InputError(
            `${file.path}: ${batch.where(i)} has no ${target}; every example needs a class, so name one there or leave the row out`,
          );
        else
          throw new InputError(
            `${file.path}: ${target} has more than ${mostLevels} different values, or lists; a target has classes`,
          );
      }
    }
    examples += batch.length;
    if (performance.now() - last > 50) {
      await run.breathe();
      last = performance.now();
    }
  }
  if (examples === 0) throw new InputError(`${file.path}: has no rows`);
  checkNames();

  const remarks = [...file.remarks];
  const found = finders.map((finder) => finder?.find());
  const coded = new Map<string, Coded>();
  if (like) {
    for (const [name, code] of like) coded.set(name, code);
  } else {
    for (const [c, type] of found.entries()) if (type) codeOf(c, type);
  }
  const encoders = Array.from(coded, ([name, code]) => encoderOf(file.names.indexOf(name), code));
  const features = encoders.flatMap(({ names }) => names);
  if (features.length > mostFeatures)
    throw new InputError(
      `${file.path}: has ${features.length.toLocaleString('en-US')} features; at most ${mostFeatures.toLocaleString('en-US')} can be read; name fewer with --features`,
    );
  const labels = labelFinder && labelsOf(labelFinder, of.slice(0, examples));
  if (labels) {
    const counts = new Array<number>(labels.classes.length).fill(0);
    for (const k of labels.of) counts[k]++;
    remarks.push(
      `${labels.classes.length} ${labels.classes.length === 1 ? 'class' : 'classes'}: ${listed(labels.classes.map((name, k) => `${name} ${((100 * counts[k]) / examples).toFixed(1)}%`))}`,
    );
  }
  const located = merged(places);
  const dataset: Omit<Dataset, 'read'> = {
    name: file.name,
    examples,
    features,
    hasText: text !== undefined,
    hasPairs: pair !== undefined,
    names: [...file.names],
    ...(labels && { labels }),
    chunks: located.map(({ start, length }) => ({ start, length })),
    remarks,
    source: sourceOf(file),
  };
  const kept = new Map<number, Promise<Examples>>();
  const most = file.size + 4 * examples * features.length <= mostKept ? Infinity : 2;
  return {
    ...dataset,
    read(chunk) {
      const known = kept.get(chunk.start);
      if (known) {
        kept.delete(chunk.start);
        kept.set(chunk.start, known);
        return known;
      }
      const place = located.find(({ start, length }) => start === chunk.start && length === chunk.length);
      if (!place) throw new InputError(`${file.name}: examples ${chunk.start} and on are no chunk of it`);
      const examplesOf = readChunk(place);
      kept.set(chunk.start, examplesOf);
      examplesOf.catch(() => kept.delete(chunk.start));
      for (const first of kept.keys()) {
        if (kept.size <= most) break;
        kept.delete(first);
      }
      return examplesOf;
    },
    async open(path, run) {
      const { separator, header } = file;
      return readDataset(await openTableFile(path, { separator, header }, run), { ...reading, text }, run, coded);
    },
  };

  function checkNames(): void {
    for (const [name, role] of roles) columnAt(file, name, role);
    for (const name of named ?? []) columnAt(file, name, '--features');
    for (const name of [...types.keys(), ...missing.columns])
      columnAt(file, name, types.has(name) ? '--types' : '--missing');
  }

  function seeList(c: number, cell: ArrayLike<unknown>, batch: Batch, row: number): void {
    const length = lists.get(c) ?? cell.length;
    lists.set(c, length);
    if (cell.length !== length || length === 0) {
      throw new InputError(
        `${file.path}: ${batch.where(row)}, column ${file.names[c]} is a list of ${cell.length}, and the first has ${length}; lists of features are of one length`,
      );
    }
  }

  /** Decides how a column gives features, if it does, and remarks on it. */
  function codeOf(c: number, type: Found): void {
    const name = file.names[c];
    const finder = finders[c]!;
    const length = lists.get(c);
    if (type.kind === 'nested' && length !== undefined) {
      coded.set(name, { type, mean: 0, length });
      return;
    }
    if (type.kind === 'empty' || type.kind === 'identifier' || type.kind === 'nested') {
      if (named) throw new InputError(`${file.path}: column ${name} ${type.remark}; it cannot be a feature`);
      remarks.push(`column ${name} ${type.remark}; it is no feature`);
      return;
    }
    if (type.remark) remarks.push(`column ${name} ${type.remark}`);
    const mean = type.kind === 'categorical' ? 0 : meanOf(finder, type);
    // A row of JSONL that lacks the key is missing it too.
    const gaps = examples - finder.present;
    if (gaps > 0) {
      const stand = type.kind === 'categorical' ? 'of no level' : `its mean, ${Number(mean.toPrecision(4))}`;
      remarks.push(`column ${name}: ${gaps} missing cells are ${stand}`);
    }
    coded.set(name, { type, mean });
  }

  function encoderOf(c: number, { type, mean, length }: Coded): Encoder {
    const name = file.names[c];
    if (length !== undefined) {
      return {
        column: c,
        names: Array.from({ length }, (_, k) => `${name}[${k}]`),
        write(raw, out, at, batch, row) {
          if (!isList(raw) || raw.length !== length)
            throw new InputError(`${file.path}: ${batch.where(row)}, column ${name} is no list of ${length} numbers`);
          for (let k = 0; k < length; k++) out[at + k] = Number(raw[k] ?? Number.NaN);
        },
      };
    }
    const read = cellReader(type, missing.of(name), types.get(name));
    if (type.kind === 'categorical') {
      return {
        column: c,
        names: type.levels!.map((level) => `${name}=${level}`),
        write(raw, out, at) {
          const code = read(raw);
          if (!Number.isNaN(code)) out[at + code] = 1;
        },
      };
    }
    return {
      column: c,
      names: [name],
      write(raw, out, at) {
        const value = read(raw);
        out[at] = Number.isNaN(value) ? mean : value;
      },
    };
  }

  async function readChunk({ start, length, parts }: Located): Promise<Examples> {
    const d = features.length;
    const values = new Float32Array(length * d);
    const batches: Batch[] = [];
    for (const place of parts) {
      const batch = await file.read(place);
      const first = (place.start - start) * d;
      let at = 0;
      for (const { column, names, write } of encoders) {
        const cells = batch.column(column);
        for (let i = 0; i < cells.length; i++) write(cells[i], values, first + i * d + at, batch, i);
        at += names.length;
      }
      // The bytes stay for `column`, the texts of all cells do not.
      batches.push(file.format === 'parquet' ? batch : await file.read(place));
    }
    const cellsOf = <Read>(c: number, read: (cell: unknown, batch: Batch, i: number) => Read): Read[] =>
      batches.flatMap((batch) => batch.column(c).map((cell, i) => read(cell, batch, i)));
    const textsOf = (name: string) =>
      cellsOf(file.names.indexOf(name), (cell, batch, i) => {
        if (typeof cell === 'string') return cell;
        if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
        const said = messagesOf(cell);
        if (said) return name === pair?.prompt ? said.join('\n') : said[said.length - 1];
        throw new InputError(
          `${file.path}: ${batch.where(i)}, column ${name} is ${cell === undefined || cell === null ? 'missing' : 'a list or an object'} and should be a text`,
        );
      });
    let pairs: PreferencePair[] | undefined;
    if (pair) {
      const [prompts, chosen, rejected] = [pair.prompt, pair.chosen, pair.rejected].map(textsOf);
      pairs = prompts.map((prompt, i) => ({ prompt, chosen: chosen[i], rejected: rejected[i] }));
    }
    return {
      start,
      length,
      features: values,
      ...(text !== undefined && { texts: textsOf(text) }),
      ...(pairs && { pairs }),
      column(name) {
        const c = columnAt(file, name, 'this method');
        const kind = found[c]?.kind;
        if (kind !== 'number' && kind !== 'integer') {
          const asWritten = roles.has(name) || kind !== undefined || file.format !== 'csv';
          return cellsOf(c, (cell) =>
            asWritten ? (cell === '' || cell === null ? undefined : cell) : plainCell(cell, missing.of(name)),
          );
        }
        const read = cellReader(found[c]!, missing.of(name), types.get(name));
        return cellsOf(c, (cell) => {
          const value = read(cell);
          return Number.isNaN(value) ? undefined : value;
        });
      },
    };
  }
}

function isList(cell: unknown): cell is ArrayLike<unknown> {
  return Array.isArray(cell) || (ArrayBuffer.isView(cell) && !(cell instanceof DataView));
}

/** What was said in a list of chat messages, {role, content} each. */
function messagesOf(cell: unknown): string[] | undefined {
  if (!Array.isArray(cell) || cell.length === 0) return undefined;
  const said = cell.map((message) => (message as { content?: unknown } | null)?.content);
  return said.every((content) => typeof content === 'string') ? (said as string[]) : undefined;
}

/** Mean of the numbers of a column, or of the codes of its texts. */
function meanOf({ sum, numbers, counts, present }: TypeFinder, { codes }: Found): number {
  if (!codes) return sum / numbers;
  return codes.reduce((total, code, k) => total + code * counts[k], 0) / present;
}

function labelsOf(finder: TypeFinder, of: Uint32Array): Labels {
  const { levels = [], codes = new Int32Array(0) } = finder.find();
  for (let i = 0; i < of.length; i++) of[i] = codes[of[i]];
  return { classes: levels, of };
}

/** A chunk and the places it is read from. */
interface Located extends ExampleChunk {
  readonly parts: readonly Place[];
}

/** Joins places that are small to chunks. */
function merged(places: readonly Place[]): Located[] {
  const chunks: { start: number; length: number; bytes: number; parts: Place[] }[] = [];
  for (const place of places) {
    const last = chunks.at(-1);
    if (last && last.length + place.length <= chunkRows && last.bytes + place.bytes <= chunkBytes) {
      last.length += place.length;
      last.bytes += place.bytes;
      last.parts.push(place);
    } else {
      chunks.push({ start: place.start, length: place.length, bytes: place.bytes, parts: [place] });
    }
  }
  return chunks;
}
