/** @file Black boxes that are looked after: the right number of answers, finite, and the same when asked again. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { BlackBox, Predict } from './black-box.ts';

export interface CheckedOptions {
  /** How reports and errors call it. */
  readonly name: string;
  /** Columns a row has. */
  readonly columns: number;
  /** What its numbers are; default `probability`. */
  readonly gives?: BlackBox['gives'];
  /** Rows asked about at once; default 65,536. */
  readonly batch?: number;
  /** Milliseconds that an answer may take; default as long as it takes. A function that never pauses cannot be timed. */
  readonly timeout?: number;
}

/** Rows of the first batch that are asked about twice. */
const askedAgain = 8;

/**
 * A black box from a function, asked in batches and checked: one finite number a row (a probability from 0 to 1, a label 0 or 1), and
 * of the first rows the same numbers when asked again, up to the rounding of float32.
 * @throws ParameterError for columns, a batch or a timeout below 1. Its `predict` throws InputError naming the row and what was given.
 */
export function checked(predict: Predict, options: CheckedOptions): BlackBox {
  const { name, columns, gives = 'probability', batch = 65_536, timeout } = options;
  for (const [what, value] of Object.entries({ columns, batch, ...(timeout !== undefined && { timeout }) })) {
    if (!(Number.isSafeInteger(value) && value >= 1)) {
      throw new ParameterError(`${name}: ${what} is a whole number of 1 or more, not ${value}`);
    }
  }
  const ask = async (rows: Float64Array, first: number): Promise<ArrayLike<number>> => {
    const answers = await withinTime(predict(rows), timeout, name);
    checkAnswers(answers, rows.length / columns, first, name, gives);
    return answers;
  };
  let steady = false;
  return {
    name,
    columns,
    gives,
    async predict(rows) {
      const n = rows.length / columns;
      if (!Number.isInteger(n))
        throw new InputError(`${name}: ${rows.length} numbers are no rows of ${columns} columns`);
      const out = new Float64Array(n);
      for (let low = 0; low < n; low += batch) {
        const high = Math.min(n, low + batch);
        out.set(await ask(rows.subarray(low * columns, high * columns), low), low);
        if (!steady) {
          // Copies, lest a function that writes into its rows passes.
          const some = Math.min(high, askedAgain);
          const again = await ask(rows.slice(0, some * columns), 0);
          for (let i = 0; i < some; i++) checkSame(out[i], again[i], i, name);
          steady = true;
        }
      }
      return out;
    },
  };
}

function checkAnswers(
  answers: ArrayLike<number>,
  n: number,
  first: number,
  name: string,
  gives: BlackBox['gives'],
): void {
  if (answers?.length !== n) {
    throw new InputError(`${name}: gave ${answers?.length ?? 'no'} numbers for ${n} rows; it has to give one a row`);
  }
  for (let i = 0; i < n; i++) {
    const value = answers[i];
    const wrong = (what: string) => new InputError(`${name}: gave ${value} for row ${first + i}, ${what}`);
    if (!Number.isFinite(value)) throw wrong('which is no finite number');
    if (gives === 'probability' && !(value >= -1e-6 && value <= 1 + 1e-6))
      throw wrong('which is no probability from 0 to 1');
    if (gives === 'label' && value !== 0 && value !== 1) throw wrong('which is no label of 0 or 1');
  }
}

function checkSame(once: number, again: number, row: number, name: string): void {
  if (Math.abs(once - again) > 1e-5 * Math.max(1, Math.abs(once))) {
    throw new InputError(
      `${name}: gives different answers for the same rows: for row ${row} first ${once} and then ${again}; it has to answer alike, so seed or switch off what is random in it`,
    );
  }
}

async function withinTime<Answer>(
  answer: Answer | Promise<Answer>,
  timeout: number | undefined,
  name: string,
): Promise<Answer> {
  if (timeout === undefined) return answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new InputError(`${name}: gave no answer within ${timeout} ms`)), timeout);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
