/**
 * @file The one way by which the server fetches addresses that others choose: http(s) only, to public machines only, the
 * connection pinned to the machine that was checked, redirects checked again, size and time limited.
 */

import { lookup } from 'node:dns/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import ipaddr from 'ipaddr.js';

interface Fetched {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The last address, after redirects. */
  readonly url: string;
  readonly body: Uint8Array;
  /** The body as UTF-8. */
  text(): string;
}

export interface FetchOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 20 MB, after unpacking. */
  readonly maxBytes?: number;
  /** For everything, redirects included; default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type Fetch = (address: string, options?: FetchOptions) => Promise<Fetched>;

/** An address that is not fetched, or did not answer as it should; the message says which and why. */
export class FetchError extends Error {}

const mostRedirects = 5;

/** Whether an IP address is one of the public internet; IPv4 written as IPv6 counts as IPv4. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  // An IPv6 address that carries an IPv4 one (NAT64, 6to4, Teredo) has a range of its own there.
  if (parsed.range() !== 'unicast') return false;
  // Of IPv6 only 2000::/3 is given out; "::7f00:1", which is 127.0.0.1 in the oldest writing, is not.
  return parsed.kind() === 'ipv4' || parsed.match(ipaddr.parseCIDR('2000::/3'));
}

/** What opens a connection: asks `address`, a URL, of the machine with this IP address. */
export type Ask = (
  url: URL,
  ip: string,
  options: { headers: Readonly<Record<string, string>>; maxBytes: number; signal: AbortSignal },
) => Promise<{ status: number; headers: Record<string, string>; body: Uint8Array }>;

/** Asks over the network, connecting to the given IP address whatever the name would resolve to now. */
export const askPinned: Ask = (url, ip, { headers, maxBytes, signal }) =>
  new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    const family = isIP(ip) as 4 | 6;
    const asked = request(
      url,
      {
        agent: false,
        signal,
        headers: { 'accept-encoding': 'gzip, br', ...headers },
        lookup: (_host, options, found) => {
          if (options.all) found(null, [{ address: ip, family }]);
          else found(null, ip, family);
        },
      },
      (answer) => {
        const encoding = answer.headers['content-encoding'];
        const unpack = encoding === 'gzip' ? createGunzip() : encoding === 'br' ? createBrotliDecompress() : undefined;
        const body = unpack ? answer.pipe(unpack) : answer;
        const chunks: Uint8Array[] = [];
        let bytes = 0;
        const fail = (error: Error) => {
          asked.destroy();
          reject(error);
        };
        answer.on('error', fail);
        body.on('error', fail);
        body.on('data', (chunk: Uint8Array) => {
          bytes += chunk.length;
          if (bytes > maxBytes) fail(new FetchError(`${url.href} is over ${maxBytes.toLocaleString('en')} bytes`));
          else chunks.push(chunk);
        });
        body.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(answer.headers).map(([name, value]) => [
                name,
                Array.isArray(value) ? value.join(', ') : (value ?? ''),
              ]),
            ),
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    asked.on('error', reject);
    asked.end();
  });

/** All IP addresses of a name, by the system's resolver. */
async function resolveName(name: string): Promise<string[]> {
  return (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
}

async function publicAddressOf(url: URL, resolve: (name: string) => Promise<string[]>): Promise<string> {
  // The URL standard has turned "2130706433", "0x7f.1" and the like into dotted IPv4 by now.
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(name)
    ? [name]
    : await resolve(name).catch((error: Error) => {
        throw new FetchError(`${url.origin}: there is no machine of this name (${error.message})`);
      });
  if (addresses.length === 0) throw new FetchError(`${url.origin}: there is no machine of this name`);
  const inside = addresses.find((address) => !isPublicAddress(address));
  if (inside !== undefined)
    throw new FetchError(`${url.origin} leads to ${inside}, which is no public address; only public ones are fetched`);
  return addresses[0];
}

/** Makes the fetch from what resolves names and what asks; tests hand in their own. */
export function safeFetcher({
  resolve = resolveName,
  ask = askPinned,
}: {
  resolve?: (name: string) => Promise<string[]>;
  ask?: Ask;
} = {}): Fetch {
  return async (address, { headers = {}, maxBytes = 20_000_000, timeoutMs = 30_000, signal } = {}) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    let target = address;
    let sent = headers;
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      if (!URL.canParse(target)) throw new FetchError(`"${target.slice(0, 200)}" is not an address`);
      const url = new URL(target);
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw new FetchError(`${url.protocol} addresses are not fetched; http: and https: are`);
      if (url.username || url.password)
        throw new FetchError(`${url.origin}: an address with a password is not fetched`);
      const ip = await publicAddressOf(url, resolve);
      const answer = await ask(url, ip, { headers: sent, maxBytes, signal: either }).catch((error: Error) => {
        if (signal?.aborted) throw signal.reason;
        if (timeout.aborted) throw new FetchError(`${url.href} did not answer within ${timeoutMs / 1e3} s`);
        throw error instanceof FetchError ? error : new FetchError(`${url.href}: ${error.message}`);
      });
      const { location } = answer.headers;
      if ([301, 302, 303, 307, 308].includes(answer.status) && location) {
        if (!URL.canParse(location, url.href)) throw new FetchError(`${url.href} redirects to what is no address`);
        const next = new URL(location, url);
        // What was meant for one machine is not shown to another.
        if (next.origin !== url.origin)
          sent = Object.fromEntries(Object.entries(sent).filter(([name]) => !/^(authorization|cookie)$/i.test(name)));
        target = next.href;
        continue;
      }
      return { ...answer, url: url.href, text: () => new TextDecoder().decode(answer.body) };
    }
    throw new FetchError(`${address} redirects more than ${mostRedirects} times`);
  };
}

/** The server's fetch for addresses that others choose. */
export const safeFetch: Fetch = safeFetcher();
