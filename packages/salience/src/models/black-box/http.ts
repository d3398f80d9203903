/** @file A black box behind an HTTP endpoint. */

import { CancelledError, InputError, ParameterError } from '../../core/errors.ts';
import type { BlackBox } from './black-box.ts';
import { checked } from './checked.ts';

/** A column as the endpoint knows it. */
export interface NamedColumn {
  readonly name: string;
  /** The texts of its codes; a code is sent as its text. */
  readonly levels?: readonly string[];
}

export interface HttpOptions {
  readonly columns: readonly NamedColumn[];
  /** What its numbers are; default `probability`. */
  readonly gives?: BlackBox['gives'];
  /** Rows of a request; default 256. */
  readonly batch?: number;
  /** Requests under way at once; default 4. */
  readonly concurrency?: number;
  /** Milliseconds until a request is given up; default 30,000. */
  readonly timeout?: number;
  /** How often a request is sent again that timed out, could not be made, or was answered 408, 425, 429 or 5xx; default 3. */
  readonly retries?: number;
  /** Milliseconds before the first repetition, doubled before each further one; default 200. */
  readonly backoff?: number;
  /** Sent with each request, such as an authorisation. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * A black box that is asked over HTTP. A request is `POST {"rows": [{"age": 41, "housing": "own", "income": null}, …]}`: a number for
 * a number, its text for a category, null for what is missing. The answer is `{"predictions": [0.25, …]}`, one number a row.
 * @throws ParameterError for an address that is not http(s) or options out of range. Its `predict` throws InputError naming the
 * address and what was wrong with the answer, CancelledError after a cancel.
 */
export function httpBlackBox(url: string, options: HttpOptions): BlackBox {
  const { columns, gives, batch = 256, concurrency = 4, timeout = 30_000, retries = 3, backoff = 200 } = options;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new ParameterError(`${url} is no address of http or https`);
  }
  const least = { batch: 1, concurrency: 1, timeout: 1, retries: 0, backoff: 0 };
  for (const [what, value] of Object.entries({ batch, concurrency, timeout, retries, backoff })) {
    const low = least[what as keyof typeof least];
    if (!(Number.isSafeInteger(value) && value >= low)) {
      throw new ParameterError(`${what} is a whole number of ${low} or more, not ${value}`);
    }
  }
  // A password in the address is not for reports.
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  const endpoint: Endpoint = {
    url,
    name: shown.href,
    timeout,
    retries,
    backoff,
    headers: options.headers,
    signal: options.signal,
  };
  const width = columns.length;
  const predict = async (rows: Float64Array) => {
    const n = rows.length / width;
    const out = new Float64Array(n);
    let next = 0;
    let failed = false;
    const asker = async () => {
      while (next < n && !failed) {
        const low = next;
        next = Math.min(n, low + batch);
        const records = recordsOf(rows.subarray(low * width, next * width), columns);
        out.set(await ask(endpoint, records, low), low);
      }
    };
    const askers = Array.from({ length: Math.min(concurrency, Math.ceil(n / batch)) }, () =>
      asker().catch((error) => {
        failed = true;
        throw error;
      }),
    );
    await Promise.all(askers);
    return out;
  };
  return checked(predict, { name: endpoint.name, columns: width, gives, batch: batch * concurrency * 16 });
}

interface Endpoint extends Pick<HttpOptions, 'headers' | 'signal'> {
  readonly url: string;
  readonly name: string;
  readonly timeout: number;
  readonly retries: number;
  readonly backoff: number;
}

/** An answer that may be another one next time. */
class PassingError extends InputError {}

function recordsOf(rows: Float64Array, columns: readonly NamedColumn[]): Record<string, number | string | null>[] {
  return Array.from({ length: rows.length / columns.length }, (_, i) =>
    Object.fromEntries(
      columns.map(({ name, levels }, c) => {
        const value = rows[i * columns.length + c];
        if (Number.isNaN(value)) return [name, null];
        if (!levels) return [name, value];
        if (levels[value] === undefined)
          throw new InputError(`${name}: ${value} is no code of its ${levels.length} levels`);
        return [name, levels[value]];
      }),
    ),
  );
}

async function ask(endpoint: Endpoint, records: readonly unknown[], first: number): Promise<number[]> {
  const { retries, backoff, signal } = endpoint;
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted) throw new CancelledError('cancelled');
    try {
      return await request(endpoint, records, first);
    } catch (error) {
      if (signal?.aborted) throw new CancelledError('cancelled', { cause: error });
      if (!(error instanceof PassingError)) throw error;
      if (attempt >= retries) {
        const times = retries === 0 ? '' : `, asked ${retries + 1} times`;
        throw new InputError(`${error.message}${times}`, { cause: error });
      }
      await pause(backoff * 2 ** attempt, signal);
    }
  }
}

async function request(
  { url, name, timeout, headers, signal }: Endpoint,
  records: readonly unknown[],
  first: number,
): Promise<number[]> {
  const timer = AbortSignal.timeout(timeout);
  let status: number;
  let text: string;
  try {
    const { username, password } = new URL(url);
    const address = new URL(url);
    address.username = '';
    address.password = '';
    const response = await fetch(address, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(username && {
          authorization: `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`,
        }),
        ...headers,
      },
      body: JSON.stringify({ rows: records }),
      signal: signal ? AbortSignal.any([signal, timer]) : timer,
    });
    status = response.status;
    text = await bounded(response, 65_536 + 1024 * records.length, name);
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (timer.aborted) throw new PassingError(`${name}: gave no answer within ${timeout} ms`, { cause: error });
    const cause = (error as { cause?: { message?: string; code?: string } }).cause;
    const why = cause?.message || cause?.code || (error as Error).message;
    throw new PassingError(`${name}: cannot be asked (${why})`, { cause: error });
  }
  if (status !== 200) {
    const passing = status === 408 || status === 425 || status === 429 || status >= 500;
    const said = text.trim().slice(0, 200);
    throw new (passing ? PassingError : InputError)(
      `${name}: answered with status ${status}${said ? `: ${said}` : ''}`,
    );
  }
  return predictionsOf(text, records.length, first, name);
}

/** The text of an answer, no longer than it has reason to be. */
async function bounded(response: Response, most: number, name: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > most) throw new InputError(`${name}: answered with more than ${most.toLocaleString('en-US')} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function predictionsOf(text: string, n: number, first: number, name: string): number[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    const odd = /\b(NaN|Infinity)\b/.exec(text)?.[1];
    const why = odd ? ` (${odd} is no number in JSON)` : '';
    throw new InputError(`${name}: answered with no JSON${why}: ${text.slice(0, 200)}`, { cause: error });
  }
  const predictions = (answer as { predictions?: unknown } | null)?.predictions;
  if (!Array.isArray(predictions)) {
    throw new InputError(`${name}: the answer wants {"predictions": [one number a row]}, not ${text.slice(0, 200)}`);
  }
  if (predictions.length !== n) throw new InputError(`${name}: gave ${predictions.length} predictions for ${n} rows`);
  const row = predictions.findIndex((value) => typeof value !== 'number');
  if (row >= 0) {
    throw new InputError(
      `${name}: gave ${JSON.stringify(predictions[row])} for row ${first + row}, which is no number`,
    );
  }
  return predictions;
}

/** Waits, or throws when cancelled. */
function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = () => {
      clearTimeout(timer);
      reject(new CancelledError('cancelled'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', cancel, { once: true });
  });
}
