/** @file What a role may do: each may also what those before it may. */

import type { MiddlewareHandler } from 'hono';
import { Refused } from '../security/refused.ts';
import type { Member, Role } from './member.ts';

/** From the least to the most. */
export const roles: readonly Role[] = ['reader', 'curator', 'admin'];

/** Whether somebody has a role or a higher one. */
export function hasRole(person: Member | undefined, role: Role): boolean {
  return person !== undefined && roles.indexOf(person.role) >= roles.indexOf(role);
}

/**
 * Lets only people of a role pass, or of a higher one.
 * Readers who are not signed in are led to do so where they ask for a page; others get a Refused with 403.
 */
export function requireRole(role: Role): MiddlewareHandler<{ Variables: { person: Member | undefined } }> {
  return async (c, next) => {
    const person = c.get('person');
    if (!person && c.req.method === 'GET') {
      const { pathname, search } = new URL(c.req.url);
      return c.redirect(`/sign-in?next=${encodeURIComponent(`${pathname}${search}`)}`, 303);
    }
    if (!person) throw new Refused('Sign in first.', 401);
    if (!hasRole(person, role))
      throw new Refused(`This is for people with the role ${role}; yours is ${person.role}.`, 403);
    await next();
  };
}
