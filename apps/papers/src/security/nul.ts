/** @file Addresses with a NUL character, which no database takes for a text. */

import type { MiddlewareHandler } from 'hono';
import { Refused } from './refused.ts';

/**
 * Refuses them, so that no route asks a database for what it would answer with an error.
 * @throws Refused with 400.
 */
export const refuseNul: MiddlewareHandler = async (c, next) => {
  if (c.req.url.includes('%00')) throw new Refused('This address has a NUL character (%00) in it; leave it out.');
  await next();
};
