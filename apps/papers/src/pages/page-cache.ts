/**
 * @file Pages of anonymous readers, answered from memory before anything else is asked, until a change is counted in the database
 * or a minute has gone by.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

type Encoding = 'br' | 'gzip';

/** What is kept of an answer. */
interface Kept {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly etag: string;
  readonly body: Buffer;
  /** Packed when somebody first asks for it so. */
  readonly packed: Map<Encoding, Promise<Buffer>>;
  readonly revision: number;
  /** Moment of its making, in milliseconds of a clock that never goes back. */
  readonly made: number;
}

export interface PageCacheOptions {
  /** The number of the latest change; asked at most every `trustedFor`. */
  readonly latestRevision: () => Promise<number>;
  /** Answers what is not in the cache. */
  readonly fetch: (request: IncomingMessage) => Promise<Response>;
  /** Told of every page that was answered from the cache. */
  readonly onHit?: (request: IncomingMessage, path: string) => void;
  /** Milliseconds for which a known revision is trusted, where this process changed nothing itself; default 200. */
  readonly trustedFor?: number;
  /** Milliseconds a page may stay, since rankings fade with time; default 60,000. */
  readonly staysFor?: number;
  /** Most bytes kept; default 64 MiB. */
  readonly maxBytes?: number;
}

const never =
  /^\/(api|mcp|runs|sign-in|sign-out|subscribe|unsubscribe|you|for-you|admin|curate|healthz|readyz|metrics|assets)(\/|$)/;
/** Longest URL that is kept. */
const longestUrl = 512;
const kind = /^(text\/html|application\/(atom\+xml|feed\+json|opensearchdescription\+xml|xml)|text\/plain)/;

/** Whether an answer to this request may be another reader's too. */
function shareable(request: IncomingMessage): boolean {
  const { method, url = '/', headers } = request;
  if (method !== 'GET' && method !== 'HEAD') return false;
  // "http://host/path", "//host/path" and "/\host/path" name a host, and are no path that `never` knows.
  if (!/^\/(?![/\\])/.test(url)) return false;
  if (headers.authorization !== undefined || headers.range !== undefined || url.length > longestUrl) return false;
  if (headers.cookie?.includes('session')) return false;
  return !never.test(url.split('?', 1)[0]);
}

const packGzip = promisify(gzip);
const packBrotli = promisify(brotliCompress);

async function keptOf(response: Response, revision: number, made: number): Promise<Kept> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    if (!/^(content-length|content-encoding|etag|date|connection|ratelimit|retry-after|x-ratelimit)/.test(name))
      headers[name] = value;
  }
  headers.vary = 'Accept-Encoding, Cookie';
  headers['cache-control'] = 'public, max-age=0, must-revalidate';
  const etag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { status: response.status, headers, etag, body, packed: new Map(), revision, made };
}

/** Shorter bodies are not worth packing. */
const shortest = 1024;

function pack({ body, packed }: Kept, encoding: Encoding): Promise<Buffer> {
  let packing = packed.get(encoding);
  if (!packing) {
    packing =
      encoding === 'br'
        ? packBrotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })
        : packGzip(body, { level: 4 });
    packed.set(encoding, packing);
  }
  return packing;
}

/** A page and what it may be packed to. */
function bytesOf({ body }: Kept): number {
  return 1.5 * body.length + 1024;
}

/** Answers requests from memory where it can; `answer` says whether it did. */
export class PageCache {
  readonly #options: Required<Omit<PageCacheOptions, 'onHit'>> & Pick<PageCacheOptions, 'onHit'>;
  /** Least recently used first. */
  readonly #pages = new Map<string, Kept>();
  /** By revision and address: who comes after a change waits for no page that was begun before it. */
  readonly #making = new Map<string, Promise<Kept | Response>>();
  #bytes = 0;
  #revision = -1;
  #asked = Number.NEGATIVE_INFINITY;
  #asking: Promise<number> | undefined;

  constructor(options: PageCacheOptions) {
    this.#options = { trustedFor: 200, staysFor: 60_000, maxBytes: 64 * 1024 * 1024, ...options };
  }

  /** Forgets what it knows of the revision: this process has just changed something. */
  changed(): void {
    this.#asked = Number.NEGATIVE_INFINITY;
    this.#asking = undefined;
  }

  /** Pages kept, and their bytes. */
  get size(): { pages: number; bytes: number } {
    return { pages: this.#pages.size, bytes: this.#bytes };
  }

  async #latest(): Promise<number> {
    this.#asking ??= this.#options.latestRevision();
    const asking = this.#asking;
    try {
      const revision = await asking;
      if (asking === this.#asking) {
        this.#revision = revision;
        this.#asked = performance.now();
      }
      return revision;
    } finally {
      if (asking === this.#asking) this.#asking = undefined;
    }
  }

  /**
   * Answers a request for a page that all readers share, from memory or by making it once for all who wait for it.
   * @returns "hit", "made", or "pass" where the caller is to answer.
   */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<'hit' | 'made' | 'pass'> {
    if (!shareable(request)) return 'pass';
    const key = request.url!;
    const now = performance.now();
    const revision = now - this.#asked <= this.#options.trustedFor ? this.#revision : await this.#latest();
    const kept = this.#pages.get(key);
    if (kept && kept.revision === revision && now - kept.made <= this.#options.staysFor) {
      this.#pages.delete(key);
      this.#pages.set(key, kept);
      this.#options.onHit?.(request, request.url!.split('?', 1)[0]);
      await send(kept, request, response);
      return 'hit';
    }
    if (request.method === 'HEAD') return 'pass';
    const making = this.#making.get(`${revision} ${key}`);
    const made = await (making ?? this.#make(key, request, revision));
    if (made instanceof Response) {
      // What is not to be shared is asked for by each reader anew.
      const own = making ? await this.#options.fetch(request) : made;
      await sendOnce(own, request, response);
    } else {
      await send(made, request, response);
    }
    return 'made';
  }

  #make(key: string, request: IncomingMessage, revision: number): Promise<Kept | Response> {
    const make = async () => {
      const response = await this.#options.fetch(request);
      const type = response.headers.get('content-type') ?? '';
      const own =
        response.headers.has('set-cookie') || /no-store|private/.test(response.headers.get('cache-control') ?? '');
      if (response.status !== 200 || own || !kind.test(type)) return response;
      const kept = await keptOf(response, revision, performance.now());
      this.#keep(key, kept);
      return kept;
    };
    const making = make().finally(() => this.#making.delete(`${revision} ${key}`));
    this.#making.set(`${revision} ${key}`, making);
    return making;
  }

  #keep(key: string, kept: Kept): void {
    const old = this.#pages.get(key);
    if (old) this.#bytes -= bytesOf(old);
    this.#pages.delete(key);
    this.#pages.set(key, kept);
    this.#bytes += bytesOf(kept);
    for (const [oldest, page] of this.#pages) {
      if (this.#bytes <= this.#options.maxBytes) break;
      this.#pages.delete(oldest);
      this.#bytes -= bytesOf(page);
    }
  }
}

async function send(kept: Kept, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { headers, etag, status } = kept;
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { ...headers, etag }).end();
    return;
  }
  const accepts = kept.body.length < shortest ? '' : (request.headers['accept-encoding'] ?? '');
  const encoding = /\bbr\b/.test(accepts) ? 'br' : /\bgzip\b/.test(accepts) ? 'gzip' : undefined;
  const body = encoding ? await pack(kept, encoding) : kept.body;
  response.writeHead(status, {
    ...headers,
    etag,
    'content-length': body.length,
    ...(encoding && { 'content-encoding': encoding }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function sendOnce(made: Response, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of made.headers) if (name !== 'set-cookie') headers[name] = value;
  const cookies = made.headers.getSetCookie();
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  response.writeHead(made.status, headers);
  const body = Buffer.from(await made.arrayBuffer());
  response.end(request.method === 'HEAD' ? undefined : body);
}
