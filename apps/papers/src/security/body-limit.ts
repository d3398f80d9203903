/** @file How long a request may be, known before any of it is parsed. */

import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Refused } from './refused.ts';

/** Bytes of what is posted by form; a comment of 5,000 characters, percent-encoded, has 60 KB. */
const form = 128 * 1024;

const written = (bytes: number) => (bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`);

/** Refuses a request that is longer than this. */
function atMost(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError() {
      throw new Refused(`What was sent is longer than ${written(maxSize)}, the most that is taken here.`, 413);
    },
  });
}

/**
 * Limits what is sent: 128 KiB, or more where a path says so.
 * @param longer the first that the path matches holds, in bytes, e.g. `[[/^\/runs/, 8 * 1024 ** 2]]`.
 */
export function limitBodies(longer: readonly (readonly [path: RegExp, bytes: number])[] = []): MiddlewareHandler {
  const otherwise = atMost(form);
  const places = longer.map(([path, bytes]) => ({ path, limit: atMost(bytes) }));
  return (c, next) => (places.find(({ path }) => path.test(c.req.path))?.limit ?? otherwise)(c, next);
}
