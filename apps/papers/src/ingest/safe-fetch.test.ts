import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ask, askPinned, isPublicAddress, safeFetcher } from './safe-fetch.ts';

const answers =
  (table: Record<string, { status?: number; headers?: Record<string, string>; body?: string }>): Ask =>
  async (url) => {
    const { status = 200, headers = {}, body = '' } = table[url.href] ?? { status: 404 };
    return { status, headers, body: Buffer.from(body) };
  };
const names: Record<string, string[]> = {
  'public.test': ['93.184.216.34'],
  'inside.test': ['10.0.0.5'],
  'mixed.test': ['93.184.216.34', '192.168.1.1'],
  localhost: ['127.0.0.1'],
};
const resolve = async (name: string) => {
  if (!names[name]) throw new Error('ENOTFOUND');
  return names[name];
};

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '198.18.0.1',
    '192.0.2.1',
    '::1',
    '::',
    '::ffff:10.0.0.1',
    '::ffff:127.0.0.1',
    'fe80::1',
    'fc00::1',
    'ff02::1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001:db8::1',
    '::7f00:1',
    '4000::1',
    'nonsense',
  ])('%s is not of the public internet', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
  it.each(['93.184.216.34', '2606:4700::1111', '::ffff:93.184.216.34'])('%s is', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe('the fetch for addresses that others choose', () => {
  const fetch = safeFetcher({
    resolve,
    ask: answers({
      'http://public.test/': { body: 'hello' },
      'http://public.test/to-localhost': { status: 302, headers: { location: 'http://localhost:5432/' } },
      'http://public.test/to-number': { status: 302, headers: { location: 'http://2130706433/' } },
      'http://public.test/to-file': { status: 301, headers: { location: 'file:///etc/passwd' } },
      'http://public.test/on': { status: 307, headers: { location: '/' } },
      'http://public.test/round': { status: 302, headers: { location: '/round' } },
    }),
  });
  it('gets public pages, by redirects too', async () => {
    expect((await fetch('http://public.test')).text()).toBe('hello');
    expect(await fetch('http://public.test/on')).toMatchObject({ status: 200, url: 'http://public.test/' });
  });
  it.each([
    ['http://127.0.0.1/', /127\.0\.0\.1, which is no public address/],
    ['http://10.1.2.3/', /no public address/],
    ['http://[::1]/', /no public address/],
    ['http://[::ffff:10.0.0.1]/', /no public address/],
    ['http://169.254.169.254/latest/meta-data', /no public address/],
    ['http://2130706433/', /127\.0\.0\.1, which/],
    ['http://0x7f.1/', /127\.0\.0\.1, which/],
    ['http://017700000001/', /127\.0\.0\.1, which/],
    ['http://inside.test/', /10\.0\.0\.5, which/],
    ['http://mixed.test/', /192\.168\.1\.1, which/],
    ['http://nobody.test/', /no machine of this name/],
    ['http://user:password@public.test/', /with a password/],
    ['file:///etc/passwd', /file: addresses are not fetched/],
    ['data:text/plain,x', /data: addresses/],
    ['nonsense', /not an address/],
    ['http://public.test/to-localhost', /127\.0\.0\.1, which/],
    ['http://public.test/to-number', /127\.0\.0\.1, which/],
    ['http://public.test/to-file', /file: addresses/],
    ['http://public.test/round', /more than 5 times/],
  ])('refuses %s', async (address, reason) => {
    await expect(fetch(address)).rejects.toThrow(reason);
  });
  it('shows what was meant for one machine to no other', async () => {
    const seen: unknown[] = [];
    const asked = safeFetcher({
      resolve: async () => ['93.184.216.34'],
      async ask(url, _, { headers }) {
        seen.push(headers);
        const headersBack: Record<string, string> = url.host === 'a.test' ? { location: 'http://b.test/' } : {};
        return { status: headersBack.location ? 302 : 200, headers: headersBack, body: new Uint8Array() };
      },
    });
    await asked('http://a.test/', { headers: { Authorization: 'secret', accept: 'x' } });
    expect(seen).toEqual([{ Authorization: 'secret', accept: 'x' }, { accept: 'x' }]);
  });
});

describe('a pinned connection', () => {
  let server: Server;
  let port: number;
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.headers.host ?? '');
      if (request.url === '/packed') response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(100_000)));
      else if (request.url === '/never') return;
      else response.end('here');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const options = { headers: {}, maxBytes: 1_000, signal: new AbortController().signal };

  it('goes to the machine that was checked, whatever the name says', async () => {
    const { body } = await askPinned(new URL(`http://elsewhere.invalid:${port}/`), '127.0.0.1', options);
    expect(Buffer.from(body).toString()).toBe('here');
    expect(asked).toEqual([`elsewhere.invalid:${port}`]);
  });
  it('ends where the unpacked answer is too large, or does not come in time', async () => {
    const at = (path: string) => new URL(`http://elsewhere.invalid:${port}${path}`);
    await expect(askPinned(at('/packed'), '127.0.0.1', options)).rejects.toThrow(/over 1,000 bytes/);
    await expect(
      askPinned(at('/never'), '127.0.0.1', { ...options, signal: AbortSignal.timeout(50) }),
    ).rejects.toThrow();
  });
});
