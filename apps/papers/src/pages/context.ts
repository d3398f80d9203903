/** @file What a request carries: who asks, and the token that its forms need. */

import type { Context } from 'hono';

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: 'reader' | 'curator' | 'admin';
}

export interface AppEnv {
  Variables: {
    /** Absent for readers who are not signed in. */
    person: Person | undefined;
    /** Id of the session by which they are signed in. */
    session: string | undefined;
    /** Goes into every form that is posted, as the field `csrf`. */
    csrf: string;
    /** The caller's address, behind as many proxies as the configuration believes. */
    address: string;
    /** Owner of the API key, where one was sent. */
    keyOwner: Person | undefined;
  };
}

export type Asked = Context<AppEnv>;
