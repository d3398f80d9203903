/** @file Who asks: by the session's cookie on pages, by a key where programs call. */

import type { MiddlewareHandler } from 'hono';
import { Refused } from '../security/refused.ts';
import type { Guarded } from '../security/variables.ts';
import type { Site } from '../site.ts';
import { keyPrefix, ownerOf } from './api-keys.ts';
import { signedIn } from './auth.ts';
import type { Member } from './member.ts';

interface Known {
  Variables: Omit<Guarded['Variables'], 'person' | 'keyOwner'> & {
    person: Member | undefined;
    keyOwner: Member | undefined;
  };
}

const programs = /^\/(api|mcp)(\/|$)/;

/**
 * Sets `person` and `session` by the cookie and, where programs call, `keyOwner` by "Authorization: Bearer …" or X-API-Key.
 * @throws Refused with 401 where a key of ours is sent that opens nothing.
 */
export function session(site: Site): MiddlewareHandler<Known> {
  return async (c, next) => {
    const { found, cookies } = await signedIn(site, c.req.raw.headers);
    for (const cookie of cookies) c.header('set-cookie', cookie, { append: true });
    c.set('person', found?.person);
    c.set('session', found?.session);
    if (programs.test(c.req.path)) {
      const key = /^Bearer\s+(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? c.req.header('x-api-key');
      // Clients of the original service send its token by themselves; that is no key of ours.
      if (key?.startsWith(keyPrefix)) {
        const owner = await ownerOf(site, key);
        if (!owner) throw new Refused('This API key is not known or was revoked. Keys are made at /you.', 401);
        c.set('keyOwner', owner);
      }
    }
    await next();
  };
}
