/** @file Column types: what the cells of a column are, found out from all of them or told. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Batch } from '../../models/table-files/table-file.ts';
import type { ColumnKind } from './table.ts';

/** Levels of a categorical column at the most; a column with more is an identifier or a text. */
export const mostLevels = 1000;

/** Numbers of a table at the most: their squares are finite, so that columns can be scaled. */
const largest = 1e150;

/** The type that a column is told to have; the levels of an ordinal one from low to high. */
export interface Told {
  readonly kind: ColumnKind;
  readonly levels?: readonly string[];
}

/** Which cells are missing. */
export interface Missing {
  readonly texts: ReadonlySet<string>;
  readonly numbers: ReadonlySet<number>;
}

/**
 * Reads "age=number,grade=ordinal(low<mid<high)".
 * @throws ParameterError for a type that is none, or levels that are fewer than two or repeated.
 */
export function parseTypes(text: string): Map<string, Told> {
  const types = new Map<string, Told>();
  for (const part of text.split(/,(?![^(]*\))/)) {
    if (part.trim() === '') continue;
    const match = /^\s*(.+?)\s*=\s*(number|integer|boolean|categorical|ordinal\((.*)\))\s*$/s.exec(part);
    if (!match) {
      throw new ParameterError(
        `types: "${part.trim()}" is not such as age=number, n=integer, member=boolean, town=categorical or grade=ordinal(low<mid<high)`,
      );
    }
    const [, name, kind, order] = match;
    if (order === undefined) {
      types.set(name, { kind: kind as ColumnKind });
      continue;
    }
    const levels = order.split('<').map((level) => level.trim());
    if (levels.length < 2 || new Set(levels).size < levels.length)
      throw new ParameterError(
        `types: ${name}=ordinal(${order}) needs two or more different levels, such as low<mid<high`,
      );
    types.set(name, { kind: 'ordinal', levels });
  }
  return types;
}

/** How pandas and others write what is infinite. */
const infinite = new Map([
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['Infinity', Infinity],
]);

const always = ['', 'na', 'n/a', 'nan', 'null', 'none', '?', '#n/a'];

/** Reads "unknown,-9,age=-1": what means missing beside empty cells, NA, N/A, NaN, null, none and ?; in all columns or in one. */
export function parseMissing(text: string): { columns: readonly string[]; of(name: string): Missing } {
  const everywhere: string[] = [];
  const inColumn = new Map<string, string[]>();
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const at = part.lastIndexOf('=');
    if (at <= 0) everywhere.push(part);
    else inColumn.set(part.slice(0, at), [...(inColumn.get(part.slice(0, at)) ?? []), part.slice(at + 1)]);
  }
  const missingOf = (given: readonly string[]): Missing => ({
    texts: new Set([...always, ...given.map((each) => each.toLowerCase())]),
    numbers: new Set(
      given
        .filter((each) => each !== '')
        .map(Number)
        .filter((each) => !Number.isNaN(each)),
    ),
  });
  const general = missingOf(everywhere);
  return {
    columns: [...inColumn.keys()],
    of: (name) => (inColumn.has(name) ? missingOf([...everywhere, ...inColumn.get(name)!]) : general),
  };
}

/** A cell that is a list, an object or bytes, and so no value of a table. */
const nested = Symbol('nested');

/** What a cell says: a number, a text, undefined where it is missing. */
function cellValue(raw: unknown, { texts, numbers }: Missing): number | string | undefined | typeof nested {
  switch (typeof raw) {
    case 'number':
      return Number.isNaN(raw) || numbers.has(raw) ? undefined : raw;
    case 'string': {
      const text = raw.trim();
      const first = text.charCodeAt(0);
      // A digit, a sign or a dot begins a number; 0x… and the like are texts.
      if ((first >= 48 && first <= 57) || first === 45 || first === 43 || first === 46) {
        const second = text.charCodeAt(1) | 32;
        if (first !== 48 || (second !== 120 && second !== 98 && second !== 111)) {
          const number = Number(text);
          if (!Number.isNaN(number)) return numbers.has(number) ? undefined : number;
        }
      }
      if (texts.has(text) || texts.has(text.toLowerCase())) return undefined;
      return infinite.get(text) ?? text;
    }
    case 'boolean':
      return cellValue(String(raw), { texts, numbers });
    case 'bigint':
      return cellValue(String(raw), { texts, numbers });
    case 'undefined':
      return undefined;
    default:
      if (raw === null) return undefined;
      if (raw instanceof Date) return Number.isNaN(raw.getTime()) ? undefined : raw.getTime() / 86_400_000;
      return nested;
  }
}

/** Types in words, for errors. */
const articles: Readonly<Record<ColumnKind, string>> = {
  number: 'a number',
  integer: 'a whole number',
  boolean: 'one of two values',
  categorical: 'a text or a number',
  ordinal: 'one of the levels told',
};

/** What the finder of a column concludes. */
export interface Found {
  /** 'empty': every cell is missing; 'identifier': too many different texts; 'nested': lists, objects or bytes. */
  readonly kind: ColumnKind | 'empty' | 'identifier' | 'nested';
  readonly levels?: readonly string[];
  /** For each code that `see` gave to a text, its place in `levels`. */
  readonly codes?: Int32Array;
  readonly remark?: string;
}

/** Sees the cells of a column one after another and finds out its type. */
export class TypeFinder {
  readonly name: string;
  readonly #path: string;
  /** Code of the last cell's text in order of appearance; −1 where it was none. */
  text = -1;
  numbers = 0;
  /** Sum of the numbers. */
  sum = 0;
  /** Cells of each text, by its code. */
  readonly counts: number[] = [];
  readonly #missing: Missing;
  readonly #told: Told | undefined;
  readonly #asText: boolean;
  readonly #levels = new Map<string, number>();
  readonly #distinct = new Set<number>();
  #texts = 0;
  #nested = 0;
  #whole = true;
  #rounded = '';
  #many = false;
  #manyNumbers = false;
  #odd = '';

  constructor(path: string, name: string, missing: Missing, told?: Told) {
    this.#path = path;
    this.name = name;
    this.#missing = missing;
    this.#told = told;
    this.#asText = told?.kind === 'categorical' || told?.kind === 'ordinal' || told?.kind === 'boolean';
    if (told?.levels) for (const level of told.levels) this.#levels.set(level, this.#levels.size);
  }

  /** Cells that have a number or a text. */
  get present(): number {
    return this.numbers + this.#texts;
  }

  /** Whether a cell is missing. */
  isMissing(raw: unknown): boolean {
    return cellValue(raw, this.#missing) === undefined;
  }

  /**
   * Takes note of a cell and gives its number, NaN where it has none; `text` is then its code.
   * @throws InputError if it is infinite or above 1e150 in size, or not of the type that was told.
   */
  see(raw: unknown, batch: Batch, row: number): number {
    this.text = -1;
    const value = cellValue(raw, this.#missing);
    if (value === undefined) return Number.NaN;
    if (value === nested) {
      if (this.#told) this.#refuse(batch, row, 'is a list or an object', articles[this.#told.kind]);
      this.#nested++;
      return Number.NaN;
    }
    if (typeof value === 'number' && !this.#asText) {
      if (Math.abs(value) > largest) {
        const is = Number.isFinite(value) ? String(value) : 'infinite';
        this.#refuse(batch, row, `is ${is}`, `a number up to ${largest}`);
      }
      this.numbers++;
      this.sum += value;
      if (!Number.isSafeInteger(value) && this.#rounded === '' && /^[-+]?\d+$/.test(String(raw).trim()))
        this.#rounded = `${String(raw).trim().slice(0, 40)} in ${batch.where(row)}`;
      if (this.#whole && !Number.isInteger(value)) {
        if (this.#told?.kind === 'integer') this.#refuse(batch, row, `is ${value}`, 'a whole number');
        this.#whole = false;
      }
      if (!this.#manyNumbers) {
        this.#distinct.add(value);
        if (this.#distinct.size > mostLevels) {
          this.#manyNumbers = true;
          this.#distinct.clear();
        }
      }
      return value;
    }
    if (this.#told && !this.#asText)
      this.#refuse(batch, row, `is ${JSON.stringify(String(raw).slice(0, 40))}`, articles[this.#told.kind]);
    const text = typeof raw === 'string' ? raw.trim() : String(raw);
    if (this.#texts++ === 0) this.#odd = `${JSON.stringify(text.slice(0, 40))} in ${batch.where(row)}`;
    if (this.#many) return Number.NaN;
    let code = this.#levels.get(text);
    if (code === undefined) {
      if (this.#told?.kind === 'ordinal') {
        this.#refuse(batch, row, `is ${JSON.stringify(text.slice(0, 40))}`, `one of ${this.#told.levels!.join(' < ')}`);
      }
      code = this.#levels.size;
      // A copy of its own: a part of a line would hold on to the whole block it was read in.
      this.#levels.set(Buffer.from(text).toString(), code);
      if (code >= mostLevels) {
        this.#many = true;
        this.#levels.clear();
        return Number.NaN;
      }
    }
    this.text = code;
    this.counts[code] = (this.counts[code] ?? 0) + 1;
    return Number.NaN;
  }

  #refuse(batch: Batch, row: number, is: string, wanted: string): never {
    throw new InputError(
      `${this.#path}: ${batch.where(row)}, column ${this.name} ${is} and should be ${wanted}; if it means missing, name it with --missing`,
    );
  }

  /** The type, once all cells were seen. */
  find(): Found {
    const texts = [...this.#levels.keys()];
    const { present } = this;
    if (this.#told) return this.#asTold(this.#told, texts);
    if (this.#nested > 0) return { kind: 'nested', remark: 'holds lists or objects' };
    if (present === 0) return { kind: 'empty', remark: 'has no value in any row' };
    if (this.#texts === 0) {
      const isBoolean = !this.#manyNumbers && [...this.#distinct].every((value) => value === 0 || value === 1);
      if (isBoolean) return { kind: 'boolean', levels: ['0', '1'] };
      if (this.#rounded === '') return { kind: this.#whole ? 'integer' : 'number' };
      const remark = `has whole numbers above 2^53, the first ${this.#rounded}, and they are rounded; if they are names, say --types ${this.name}=categorical or leave it out`;
      return { kind: this.#whole ? 'integer' : 'number', remark };
    }
    const mixed = this.numbers > 0;
    const count = texts.length + this.#distinct.size;
    if (this.#many || (mixed && this.#manyNumbers) || count > mostLevels) {
      return {
        kind: 'identifier',
        remark: mixed
          ? `has ${this.#texts} cells that are no numbers among ${this.numbers} that are, the first ${this.#odd}; if they mean missing, name them with --missing`
          : `has more than ${mostLevels} different texts, the first ${this.#odd}`,
      };
    }
    if (!mixed && count >= 20 && count > 0.9 * present)
      return { kind: 'identifier', remark: `has ${count} different texts in ${present} rows, the first ${this.#odd}` };
    // A column of False alone is one of False and True.
    const other = texts.length === 1 && !mixed ? opposites.get(texts[0]) : undefined;
    const levels = inOrder([...texts, ...(other ? [other] : []), ...(mixed ? Array.from(this.#distinct, String) : [])]);
    return {
      kind: levels.length === 2 && !mixed ? 'boolean' : 'categorical',
      levels,
      codes: codesOf(texts, levels),
      ...(mixed && {
        remark: `has ${this.#texts} cells that are no numbers, the first ${this.#odd}, and is read as categories`,
      }),
    };
  }

  #asTold({ kind, levels: order }: Told, texts: readonly string[]): Found {
    if (!this.#asText) return this.numbers === 0 ? { kind: 'empty', remark: 'has no value in any row' } : { kind };
    if (this.#many)
      throw new InputError(
        `${this.#path}: column ${this.name} has more than ${mostLevels} different values, too many for a ${kind} one`,
      );
    if (this.#texts === 0) return { kind: 'empty', remark: 'has no value in any row' };
    if (kind === 'boolean' && texts.length > 2) {
      throw new InputError(
        `${this.#path}: column ${this.name} should be boolean and has ${texts.length} different values: ${texts.slice(0, 5).join(', ')}${texts.length > 5 ? ', …' : ''}`,
      );
    }
    const levels = order ?? inOrder(texts);
    return { kind, levels, codes: codesOf(texts, levels) };
  }
}

/**
 * Reads cells of a column whose type was found: the number, or the place of the text in the levels; NaN where missing.
 * @param told the type it was told to have, as the finder was.
 */
export function cellReader({ kind, levels, codes }: Found, missing: Missing, told?: Told): (raw: unknown) => number {
  const asText = told !== undefined && told.kind !== 'number' && told.kind !== 'integer';
  const place = new Map(levels?.map((level, i) => [level, i]));
  return (raw) => {
    const value = cellValue(raw, missing);
    if (value === undefined || value === nested) return Number.NaN;
    if (typeof value === 'number' && !asText)
      return levels && kind !== 'boolean' ? (place.get(String(value)) ?? Number.NaN) : value;
    if (!codes) return Number.NaN;
    return place.get(typeof raw === 'string' ? raw.trim() : String(raw)) ?? Number.NaN;
  };
}

/** A cell of a column whose type nobody asked for: numbers and JSON lists in CSV as such, texts as they stand, undefined where missing. */
export function plainCell(raw: unknown, missing: Missing): unknown {
  if (typeof raw !== 'string') return raw === null ? undefined : raw;
  const value = cellValue(raw, missing);
  if (typeof value !== 'string') return value;
  if (value.startsWith('[') && value.endsWith(']')) {
    try {
      return JSON.parse(value);
    } catch {
      return raw;
    }
  }
  return raw;
}

const opposites = new Map(
  [
    ['true', 'false'],
    ['True', 'False'],
    ['TRUE', 'FALSE'],
  ].flatMap(
    ([yes, no]) =>
      [
        [yes, no],
        [no, yes],
      ] as const,
  ),
);

const falsy = new Set(['false', 'f', 'no', 'n', 'off']);

/** Numbers ascending, else texts by their characters; of two, the one that denies comes first. */
function inOrder(texts: readonly string[]): string[] {
  const numeric = texts.every((text) => text !== '' && Number.isFinite(Number(text)));
  if (numeric) return [...texts].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
  const sorted = [...texts].sort();
  if (sorted.length === 2 && falsy.has(sorted[1].toLowerCase()) && !falsy.has(sorted[0].toLowerCase()))
    sorted.reverse();
  return sorted;
}

function codesOf(texts: readonly string[], levels: readonly string[]): Int32Array {
  const place = new Map(levels.map((level, i) => [level, i]));
  return Int32Array.from(texts, (text) => place.get(text)!);
}
