/** @file Reads a table from a file in one pass: types are found on the way, and of more rows than are wanted a seeded sample stays. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { TableFile } from '../../models/table-files/table-file.ts';
import { randomSplit, type Split, stratifiedSplit } from '../../numerics/sampling/folds.ts';
import { type Found, parseMissing, parseTypes, TypeFinder } from './column-types.ts';
import type { Column, Table } from './table.ts';
import { columnAt, listed, sourceOf } from './table-options.ts';

/** Bytes of all numbers of a table at the most. */
const mostBytes = 2 ** 31;

/** Different whole numbers that a target may have and still be classes. */
const mostWholeClasses = 20;

/** How a table is read. */
export interface TableReading {
  readonly target?: string;
  readonly types: string;
  readonly missing: string;
  readonly testShare: number;
  readonly maxRows: number;
  readonly drop: string;
}

/** The kept rows of one column: a number each, or the code of a text. */
class CellStore {
  readonly finder: TypeFinder;
  #values = new Float64Array(0);
  /** Code of the text of each row, −1 where there is none; empty until the first text. */
  #codes = new Int32Array(0);

  constructor(finder: TypeFinder) {
    this.finder = finder;
  }

  put(slot: number, value: number, capacity: number): void {
    if (slot >= this.#values.length) {
      const values = new Float64Array(capacity).fill(Number.NaN);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[slot] = value;
    const { text } = this.finder;
    if (text < 0 && this.#codes.length <= slot) return;
    if (slot >= this.#codes.length) {
      const codes = new Int32Array(capacity).fill(-1);
      codes.set(this.#codes);
      this.#codes = codes;
    }
    this.#codes[slot] = text;
  }

  /** The values of a column of this type, its rows in this order. */
  values({ levels, codes, kind }: Found, order: Uint32Array): Float64Array {
    const out = new Float64Array(order.length).fill(Number.NaN);
    const numbers = new Map(levels?.map((level, i) => [level, i]));
    for (let i = 0; i < order.length; i++) {
      const slot = order[i];
      if (slot >= this.#values.length) continue;
      const text = slot < this.#codes.length ? this.#codes[slot] : -1;
      const value = this.#values[slot];
      if (text >= 0) out[i] = codes ? codes[text] : Number.NaN;
      else if (!Number.isNaN(value)) out[i] = levels && kind !== 'boolean' ? numbers.get(String(value))! : value;
    }
    return out;
  }
}

/**
 * Reads a table.
 * @throws InputError if there is no row or no feature, the target is missing or has one value, or a cell is not of the type told;
 *   ParameterError for options that name a column that is not there.
 */
export async function readTable(file: TableFile, reading: TableReading, run: Run): Promise<Table> {
  const { target, maxRows } = reading;
  const types = parseTypes(reading.types);
  const missing = parseMissing(reading.missing);
  const dropped = reading.drop
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const grows = file.format === 'jsonl';
  if (!grows) checkNames();

  const stores: (CellStore | undefined)[] = [];
  const random = run.random('rows');
  const rowOf = new Float64Array(Math.min(maxRows, 2 ** 20));
  let rowNumbers = rowOf;
  let seen = 0;
  let withoutTarget = 0;
  let wanted: number[] | undefined;
  const columnsToRead = () => file.names.map((_, c) => c).filter((c) => !dropped.includes(file.names[c]));
  if (!grows) wanted = columnsToRead();
  let last = performance.now();
  for await (const batch of file.batches(run, wanted)) {
    const { names } = file;
    for (let c = stores.length; c < names.length; c++) {
      stores.push(
        dropped.includes(names[c])
          ? undefined
          : new CellStore(new TypeFinder(file.path, names[c], missing.of(names[c]), types.get(names[c]))),
      );
    }
    const slots = new Int32Array(batch.length);
    const at = target === undefined ? -1 : names.indexOf(target);
    const cells = at >= 0 ? batch.column(at) : undefined;
    for (let i = 0; i < batch.length; i++) {
      if (target !== undefined && (!cells || stores[at]!.finder.isMissing(cells[i]))) {
        slots[i] = -2;
        withoutTarget++;
        continue;
      }
      const slot = seen < maxRows ? seen : random.integer(seen + 1);
      seen++;
      slots[i] = slot < maxRows ? slot : -1;
      if (slot >= maxRows) continue;
      if (slot >= rowNumbers.length) {
        const larger = new Float64Array(Math.min(maxRows, 2 * rowNumbers.length));
        larger.set(rowNumbers);
        rowNumbers = larger;
      }
      rowNumbers[slot] = batch.start + i;
    }
    const filled = Math.min(seen, maxRows);
    const capacity = Math.min(maxRows, 2 ** Math.ceil(Math.log2(Math.max(1024, filled))));
    if (capacity * stores.length * 8 > mostBytes) {
      throw new InputError(
        `${file.path}: ${filled.toLocaleString('en-US')} rows of ${stores.length} columns take more than ${mostBytes.toLocaleString('en-US')} bytes; read fewer with --max-rows or leave columns out with --drop`,
      );
    }
    for (const [c, store] of stores.entries()) {
      if (!store) continue;
      const raw = batch.column(c);
      const { finder } = store;
      for (let i = 0; i < batch.length; i++) {
        const slot = slots[i];
        if (slot === -2) continue;
        const value = finder.see(raw[i], batch, i);
        if (slot >= 0) store.put(slot, value, capacity);
      }
    }
    if (performance.now() - last > 50) {
      await run.breathe();
      last = performance.now();
    }
  }
  checkNames();
  const rows = Math.min(seen, maxRows);
  if (rows === 0) {
    throw new InputError(
      withoutTarget > 0 ? `${file.path}: no row has a value of ${target}` : `${file.path}: has no rows`,
    );
  }
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  if (seen > maxRows) order.sort((a, b) => rowNumbers[a] - rowNumbers[b]);

  const remarks: string[] = [...file.remarks];
  if (seen > maxRows)
    remarks.push(
      `${rows.toLocaleString('en-US')} of ${seen.toLocaleString('en-US')} rows were drawn at random (--max-rows)`,
    );
  if (withoutTarget > 0) remarks.push(`${withoutTarget} rows without a value of ${target} are left out`);
  if (dropped.length > 0) remarks.push(`left out with --drop: ${listed(dropped)}`);

  const columns: Column[] = [];
  let goal: Column | undefined;
  for (const [c, store] of stores.entries()) {
    if (!store) continue;
    const name = file.names[c];
    const found = store.finder.find();
    if (name === target) {
      goal = targetOf(file, name, found, store, order);
      stores[c] = undefined;
      continue;
    }
    if (found.remark) {
      const out = found.kind === 'empty' || found.kind === 'identifier' || found.kind === 'nested';
      remarks.push(`column ${name} ${found.remark}${out ? '; it is left out' : ''}`);
      if (out) {
        stores[c] = undefined;
        continue;
      }
    }
    const { kind, levels } = found as Column & Found;
    columns.push({ name, kind, values: store.values(found, order), ...(levels && { levels }) });
    stores[c] = undefined;
  }
  if (columns.length === 0) {
    throw new InputError(
      `${file.path}: no column is left as a feature${remarks.length > 0 ? `: ${remarks.join('; ')}` : ''}`,
    );
  }
  const split = splitOf(rows, goal, reading.testShare, run);
  return {
    name: file.name,
    rows,
    columns,
    ...(goal && { target: goal }),
    ...split,
    remarks: [...remarks, ...remarksOf(columns, goal, rows)],
    source: { ...sourceOf(file), names: [...file.names] },
  };

  function checkNames(): void {
    if (target !== undefined) columnAt(file, target, '--target');
    for (const name of [...types.keys(), ...dropped, ...missing.columns]) {
      if (!file.names.includes(name)) {
        const flag = types.has(name) ? 'types' : dropped.includes(name) ? 'drop' : 'missing';
        throw new ParameterError(`${flag}: ${file.path} has no column "${name}"; it has ${listed(file.names)}`);
      }
    }
    if (target !== undefined && dropped.includes(target)) throw new ParameterError(`drop: ${target} is the target`);
  }
}

/** The seeded split of rows: each class by the share where there are classes; a single row, or a share of 0, leaves none to test on. */
export function splitOf(rows: number, target: Column | undefined, testShare: number, run: Run): Split {
  if (testShare === 0 || rows < 2)
    return { train: Uint32Array.from({ length: rows }, (_, i) => i), test: new Uint32Array(0) };
  const random = run.random('split');
  return target?.levels ? stratifiedSplit(target.values, testShare, random) : randomSplit(rows, testShare, random);
}

/** The target: classes where it is boolean, categorical, ordinal or of few whole numbers, else a value. */
function targetOf(file: TableFile, name: string, found: Found, store: CellStore, order: Uint32Array): Column {
  if (found.kind === 'identifier' || found.kind === 'nested' || found.kind === 'empty') {
    throw new InputError(`${file.path}: the target ${name} ${found.remark}; a target has classes or numbers`);
  }
  const { kind } = found;
  const values = store.values(found, order);
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  if (distinct.length < 2) {
    const only = found.levels?.[distinct[0]] ?? distinct[0];
    throw new InputError(`${file.path}: the target ${name} is ${only} in every row; there is nothing to tell apart`);
  }
  if (found.levels === undefined && (kind === 'number' || distinct.length > mostWholeClasses))
    return { name, kind, values };
  // Levels without a row, and whole numbers, are numbered anew.
  const place = new Map(distinct.map((value, i) => [value, i]));
  const levels = distinct.map((value) => found.levels?.[value] ?? String(value));
  return {
    name,
    kind: kind === 'integer' ? 'categorical' : kind,
    values: values.map((value) => place.get(value)!),
    levels,
  };
}

/** What a reader of a table should know about its columns. */
export function remarksOf(columns: readonly Column[], target: Column | undefined, rows: number): string[] {
  const remarks: string[] = [];
  const kinds = new Map<string, number>();
  for (const { kind } of columns) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  remarks.push(`${columns.length} features: ${Array.from(kinds, ([kind, count]) => `${count} ${kind}`).join(', ')}`);
  const gaps = columns
    .map(({ name, values }) => ({ name, count: values.reduce((n, value) => n + (Number.isNaN(value) ? 1 : 0), 0) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
  if (gaps.length > 0) {
    remarks.push(
      `missing values: ${listed(gaps.map(({ name, count }) => `${name} ${count} (${((100 * count) / rows).toFixed(1)}%)`))}`,
    );
  }
  const coded = columns.flatMap(({ name, values, levels }) =>
    levels ? [] : [{ name, codes: codesBelowZero(values) }],
  );
  const suspects = coded.filter(({ codes }) => codes.length > 0);
  if (suspects.length > 0) {
    const codes = [...new Set(suspects.flatMap((each) => each.codes))].sort((a, b) => a - b);
    remarks.push(
      `below 0 there is only ${codes.join(', ')} in ${listed(suspects.map(({ name }) => name))}; if that means missing, say --missing ${codes.join(',')}`,
    );
  }
  const constant = columns.filter(({ values }) => values.every((value) => Object.is(value, values[0])));
  if (constant.length > 0) remarks.push(`of one value only: ${listed(constant.map(({ name }) => name))}`);
  const first = new Map<string, Column>();
  for (const column of columns) {
    if (constant.includes(column)) continue;
    const key = fingerprint(column.values);
    const same = first.get(key);
    if (!same) first.set(key, column);
    else if (same.values.every((value, i) => Object.is(value, column.values[i])))
      remarks.push(`column ${column.name} repeats ${same.name}`);
  }
  if (target?.levels) {
    const counts = new Array<number>(target.levels.length).fill(0);
    for (const of of target.values) counts[of]++;
    const shares = target.levels.map((level, k) => `${level} ${((100 * counts[k]) / rows).toFixed(1)}%`);
    remarks.push(`target ${target.name}: ${target.levels.length} classes: ${listed(shares)}`);
    const single = target.levels.filter((_, k) => counts[k] === 1);
    if (single.length > 0) remarks.push(`classes of one row, which is trained on: ${listed(single)}`);
  } else if (target) {
    const known = target.values;
    let low = Infinity;
    let high = -Infinity;
    for (const value of known) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    remarks.push(`target ${target.name}: a value from ${low} to ${high}`);
  }
  return remarks;
}

/** Numbers by which files often say that a value is missing. */
const missingCodes = new Set([-7, -8, -9, -77, -88, -99, -777, -888, -999, -9999, -99999]);

/** The different numbers of a column below 0, where there are others and all of these look like codes; else none. */
function codesBelowZero(values: Float64Array): number[] {
  const codes = new Set<number>();
  let others = false;
  for (const value of values) {
    if (value >= 0) others = true;
    else if (missingCodes.has(value)) codes.add(value);
    else if (value < 0) return [];
  }
  return others ? [...codes] : [];
}

/** A short text that equal columns share and others hardly. */
function fingerprint(values: Float64Array): string {
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < values.length; i++) {
    const value = Number.isNaN(values[i]) ? 1e-3 : values[i];
    sum += value;
    weighted += value * ((i % 8191) + 1);
  }
  return `${sum}/${weighted}`;
}
