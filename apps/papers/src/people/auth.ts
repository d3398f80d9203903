/** @file Signing in by a link in a mail, and the sessions that follow (better-auth; nothing of it answers on the network). */

import { randomBytes } from 'node:crypto';
import { betterAuth } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { isAPIError } from 'better-auth/api';
import { magicLink } from 'better-auth/plugins/magic-link';
import { eq } from 'drizzle-orm';
import * as schema from '../database/schema.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import type { Member } from './member.ts';

/** Seconds for which a link leads in. */
export const linkLives = 15 * 60;

const day = 24 * 3600;

function open(site: Site) {
  const { url, secret, admins } = site.config;
  const { db } = site.database;
  return betterAuth({
    appName: 'Daily Papers',
    baseURL: url,
    basePath: '/auth',
    secret,
    telemetry: { enabled: false },
    rateLimit: { enabled: false }, // ours count before
    logger: { log: (level, message) => (level === 'error' ? site.log.error(`sign-in: ${message}`) : undefined) },
    database: drizzleAdapter(db, { provider: 'pg', schema }),
    session: { expiresIn: 60 * day, updateAge: day },
    user: {
      additionalFields: {
        role: { type: ['reader', 'curator', 'admin'], required: false, defaultValue: 'reader', input: false },
        banned: { type: 'boolean', required: false, defaultValue: false, input: false },
      },
    },
    advanced: {
      cookiePrefix: 'papers',
      useSecureCookies: url.startsWith('https:'),
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/' },
      ipAddress: { disableIpTracking: true },
    },
    databaseHooks: {
      user: {
        create: {
          // Nobody's address is shown: until they give a name, they have a number.
          before: async (made) => ({ data: { ...made, name: `Reader ${randomBytes(3).toString('hex')}` } }),
        },
      },
      session: {
        create: {
          async before({ userId }) {
            const [found] = await db.select().from(schema.user).where(eq(schema.user.id, userId));
            if (!found || found.banned) return false;
            if (found.role !== 'admin' && admins.includes(found.email.toLowerCase())) {
              await db.update(schema.user).set({ role: 'admin' }).where(eq(schema.user.id, userId));
            }
            return undefined;
          },
        },
      },
    },
    plugins: [
      magicLink({
        expiresIn: linkLives,
        storeToken: 'hashed',
        sendMagicLink: ({ token, metadata }) => {
          (metadata as { made(token: string): void }).made(token);
        },
      }),
    ],
  });
}

const opened = new WeakMap<Site, ReturnType<typeof open>>();

function auth(site: Site): ReturnType<typeof open> {
  const known = opened.get(site) ?? open(site);
  opened.set(site, known);
  return known;
}

const addressForm = /^[^\s@<>(),;:"\\[\]\p{Cc}]{1,64}@[^\s@<>(),;:"\\[\]\p{Cc}]{1,189}$/u;

/**
 * An e-mail address in lower case, by which it is one.
 * @throws Refused where it is not one plain address.
 */
export function emailAddress(typed: string): string {
  const address = typed.trim().toLowerCase();
  if (!addressForm.test(address))
    throw new Refused('This is not an e-mail address. One looks like reader@example.org.');
  return address;
}

/**
 * Makes a token that signs its bearer in as the owner of an address, once, within 15 minutes; its hash is stored.
 * Whether the address is known changes nothing.
 * @throws Refused where this is no address.
 */
export async function signInToken(site: Site, email: string): Promise<string> {
  let token = '';
  const made = (value: string) => {
    token = value;
  };
  try {
    const body = { email: emailAddress(email), metadata: { made } };
    await auth(site).api.signInMagicLink({ body, headers: new Headers() });
  } catch (error) {
    if (isAPIError(error)) throw new Refused('This is not an e-mail address. One looks like reader@example.org.');
    throw error;
  }
  return token;
}

/** Cookies that an answer is to carry. */
type Cookies = readonly string[];

/**
 * Signs in by a token, which is used up by it.
 * @param browser as it calls itself, by which the person knows the session again.
 * @throws Refused with 410 where the token is unknown, used or too old, or its owner was banned.
 */
export async function signInBy(site: Site, token: string, browser = ''): Promise<Cookies> {
  try {
    const { headers } = await auth(site).api.magicLinkVerify({
      query: { token },
      headers: new Headers({ 'user-agent': browser.slice(0, 200) }),
      returnHeaders: true,
    });
    return headers.getSetCookie();
  } catch (error) {
    if (!isAPIError(error)) throw error;
    throw new Refused('This link was used already, or it is older than 15 minutes. Ask for another.', 410);
  }
}

export interface SignedIn {
  /** Id of the session. */
  readonly session: string;
  readonly person: Member;
}

/** Who is signed in by these request headers, and the cookies that the answer is to carry. */
export async function signedIn(site: Site, headers: Headers): Promise<{ found?: SignedIn; cookies: Cookies }> {
  // Whoever has no cookie costs no query.
  if (!headers.get('cookie')?.includes('papers.session_token=')) return { cookies: [] };
  const { response, headers: answer } = await auth(site).api.getSession({ headers, returnHeaders: true });
  const cookies = answer.getSetCookie();
  if (!response || response.user.banned) return { cookies };
  const { id, name, email, role } = response.user;
  return {
    found: { session: response.session.id, person: { id, name, email, role: role as Member['role'] } },
    cookies,
  };
}

/** Ends the session of these request headers: its row is gone, so the cookie opens nothing any more. */
export async function signOut(site: Site, headers: Headers): Promise<Cookies> {
  const { headers: answer } = await auth(site).api.signOut({ headers, returnHeaders: true });
  return answer.getSetCookie();
}
