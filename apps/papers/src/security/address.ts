/** @file Who calls: the address of the client, behind the proxies that the configuration believes. */

import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import type { Site } from '../site.ts';
import type { Guarded } from './variables.ts';

/** The address in its usual writing, IPv4 also where it came as IPv6; undefined where it is none. */
function written(address: string): string | undefined {
  const bare = address
    .trim()
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : undefined;
}

/**
 * The client's address: each believed proxy vouches for the one that called it, and nobody for more.
 * @param peer who holds the connection.
 * @param forwarded the header X-Forwarded-For, e.g. "203.0.113.7, 10.0.0.2".
 * @param proxies number of proxies in front of this server.
 */
export function clientAddress(peer: string, forwarded: string | undefined, proxies: number): string {
  const chain = (forwarded ?? '').split(',').slice(-proxies).reverse();
  let client = written(peer) ?? '0.0.0.0';
  for (const named of proxies > 0 ? chain : []) {
    const address = written(named);
    if (!address) break;
    client = address;
  }
  return client;
}

function peerOf(c: Context): string {
  // Requests that did not come through a socket, those of tests, have none.
  return c.env?.incoming || c.env?.server?.incoming ? (getConnInfo(c).remote.address ?? '') : '127.0.0.1';
}

/** Sets `address`. */
export function address(site: Site): MiddlewareHandler<Guarded> {
  return async (c, next) => {
    c.set('address', clientAddress(peerOf(c), c.req.header('x-forwarded-for'), site.config.proxies));
    await next();
  };
}

/** What is limited as one: an IPv4 address, or the /64 that a household has of IPv6. */
export function network(client: string): string {
  if (!ipaddr.isValid(client)) return client;
  const parsed = ipaddr.parse(client);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
