/** @file Asking a service that asks to be asked slowly: a pause between requests, longer ones after a refusal. */

import type { Site } from '../site.ts';
import { type Fetch, FetchError, type FetchOptions } from './safe-fetch.ts';

/** Waits; throws the signal's reason when it is aborted meanwhile. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** Waits by the system's timer. */
export const sleep: Sleep = (ms, signal) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });

const mostTries = 5;

/** The longest that a service may make us wait, in milliseconds. */
const longestPause = 120_000;

/**
 * A fetch that waits `pauseMs` after each request before the next, and tries again after 429 and 5xx, at most five times,
 * waiting twice as long each time or as long as the service says.
 * @returns a function that gives the answer's text; it throws FetchError where the service keeps refusing.
 */
export function politely(
  site: Site,
  { fetch, sleep: wait, pauseMs }: { fetch: Fetch; sleep: Sleep; pauseMs: number },
): (address: string, options?: FetchOptions) => Promise<string> {
  let last = Number.NEGATIVE_INFINITY;
  return async (address, options = {}) => {
    for (let tries = 1; ; tries++) {
      const pause = last + pauseMs - site.clock().getTime();
      if (pause > 0) await wait(Math.min(pause, pauseMs), options.signal);
      options.signal?.throwIfAborted();
      last = site.clock().getTime();
      const answer = await fetch(address, {
        ...options,
        headers: { 'user-agent': `salience-papers/0.1 (+${site.config.url})`, ...options.headers },
      });
      if (answer.status === 200) return answer.text();
      if ((answer.status !== 429 && answer.status < 500) || tries === mostTries)
        throw new FetchError(`${address} answers ${answer.status}${tries > 1 ? `, ${tries} times` : ''}`);
      const asked = Number(answer.headers['retry-after'] ?? 0) * 1e3;
      await wait(Math.min(longestPause, Math.max(asked || 0, pauseMs * 2 ** tries, 1_000)), options.signal);
    }
  };
}
