/** @file Forms of other sites change nothing here: a token that only our pages know, and the origin that browsers tell. */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { Site } from '../site.ts';
import { Refused } from './refused.ts';
import type { Guarded } from './variables.ts';

/**
 * Where readers who are not signed in find forms: only these pages give them a cookie and a token, and no cache keeps them.
 * All others carry an empty token.
 */
const formPages = /^\/((sign-in|subscribe|unsubscribe|runs|submit)(\/|$)|methods\/.)/;

/** RFC 8058: the mail program posts from where it pleases, and the path itself is the secret. */
const oneClick = /^\/unsubscribe\//;

/** Where programs call: they are known by their key alone, so there is nothing to forge. */
const programs = /^\/(api|mcp)(\/|$)/;

function sign(site: Site, purpose: string, holder: string): string {
  return createHmac('sha256', site.config.secret).update(`csrf ${purpose} ${holder}`).digest('base64url');
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Name and options of the cookie that tells one anonymous reader's forms from another's. */
function anonymousCookie(site: Site) {
  const secure = site.config.url.startsWith('https:');
  return {
    name: 'papers.form',
    options: {
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
      secure,
      ...(secure && { prefix: 'host' as const }),
    },
  } as const;
}

async function anonymousHolder(c: Context, site: Site): Promise<string | undefined> {
  const { name, options } = anonymousCookie(site);
  return (await getSignedCookie(c, site.config.secret, name, options.prefix)) || undefined;
}

async function sentToken(c: Context, headerAlone: boolean): Promise<string> {
  const header = c.req.header('x-csrf-token');
  if (header !== undefined || headerAlone) return header ?? '';
  if (!/^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(c.req.header('content-type') ?? ''))
    return '';
  const field = (await c.req.formData().catch(() => undefined))?.get('csrf');
  return typeof field === 'string' ? field : '';
}

/** Whether a browser says that the request came from another site. */
function foreign(c: Context, site: Site): boolean {
  const fetchSite = c.req.header('sec-fetch-site');
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') return true;
  const origin = c.req.header('origin');
  if (origin === undefined || origin === new URL(site.config.url).origin) return false;
  // The site may have more names than its configuration says, "localhost" among them.
  return !URL.canParse(origin) || new URL(origin).host !== c.req.header('host');
}

/**
 * Sets `csrf`, and refuses what would change something without it or from elsewhere. Stands after the session is known.
 * @throws Refused with 403.
 */
export function csrf(site: Site): MiddlewareHandler<Guarded> {
  return async (c, next) => {
    const { path, method } = c.req;
    const session = c.get('session');
    c.set('csrf', session ? sign(site, 'session', session) : '');
    const changes = !/^(GET|HEAD|OPTIONS)$/.test(method);
    if (changes && !oneClick.test(path)) {
      const holder = session ?? (await anonymousHolder(c, site));
      const wanted = holder === undefined ? undefined : sign(site, session ? 'session' : 'anonymous', holder);
      const program = programs.test(path);
      const isForeign = foreign(c, site);
      const valid = !isForeign && wanted !== undefined && same(await sentToken(c, program), wanted);
      if (!valid && program) {
        // Nobody's cookie speaks for them here; the key does.
        c.set('person', undefined);
        c.set('session', undefined);
        c.set('csrf', '');
      } else if (!valid) {
        throw new Refused(
          isForeign
            ? 'This came from another site. Use the form on this one.'
            : 'This form is no longer valid: it was made before you signed in or out, or cookies are off. Go back, load the page again and send it once more.',
          403,
        );
      }
    }
    if (!session && formPages.test(path)) {
      let holder = await anonymousHolder(c, site);
      if (holder === undefined) {
        holder = randomBytes(18).toString('base64url');
        const { name, options } = anonymousCookie(site);
        await setSignedCookie(c, name, holder, site.config.secret, options);
      }
      c.set('csrf', sign(site, 'anonymous', holder));
    }
    await next();
    // A page with a token is its reader's own.
    if (c.get('csrf') && !c.res.headers.has('cache-control')) c.header('cache-control', 'private, no-store');
  };
}
