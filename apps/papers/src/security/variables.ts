/** @file What the guards of a request leave with it. */

export interface Guarded {
  Variables: {
    /** The caller's address, behind as many proxies as the configuration believes. */
    address: string;
    /** Who is signed in. */
    person: { readonly id: string } | undefined;
    /** Owner of the API key. */
    keyOwner: { readonly id: string } | undefined;
    /** Id of the session by which somebody is signed in. */
    session: string | undefined;
    /** The token of forms; empty on pages that readers share. */
    csrf: string;
  };
}
