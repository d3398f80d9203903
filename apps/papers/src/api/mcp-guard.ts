/** @file Who may reach the MCP endpoint from a browser: nobody but this site, whatever a name resolves to. */

import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../pages/context.ts';
import type { Site } from '../site.ts';

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The name in a Host header, without its port, in lower case; undefined where it is none. */
function hostName(host: string): string | undefined {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}

/**
 * Refuses requests to another host name than this site's (a name that an attacker made resolve to this machine) and from
 * pages of other origins. Programs that send no Origin are let through, as the specification has it.
 * Source: Model Context Protocol 2025-06-18, Transports, "Security Warning".
 */
export function mcpGuard(site: Site): MiddlewareHandler<AppEnv> {
  const own = new URL(site.config.url);
  const refuse = (message: string) =>
    Response.json({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }, { status: 403 });
  return async (c, next) => {
    const host = c.req.header('host') ?? new URL(c.req.url).host;
    const name = hostName(host);
    if (name === undefined || (name !== own.hostname && !loopback.has(name))) {
      return refuse(`Host ${host} is not this site; set SALIENCE_URL to the address by which it is reached.`);
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== own.origin) {
      const page = URL.canParse(origin) ? new URL(origin) : undefined;
      // A page of this very server, reached by another of the machine's names for itself.
      if (!(page && loopback.has(page.hostname) && page.host === host)) {
        return refuse(`Origin ${origin} may not call this endpoint.`);
      }
    }
    await next();
  };
}
