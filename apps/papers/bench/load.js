/**
 * @file A process of its own that asks a server as fast as so many readers can, each from an address of its own:
 * node load.js spec.json, of { origin, paths, connections, seconds }, prints latencies and requests a second as JSON.
 */

import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

const { origin, paths, connections, seconds } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const times = [];
let failed = 0;
let next = 0;
let bytes = 0;
const instance = autocannon({
  url: origin,
  connections,
  duration: seconds,
  pipelining: 1,
  headers: { 'accept-encoding': 'gzip', 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) a reader of the feed' },
  requests: [
    {
      setupRequest(request) {
        const i = next++;
        return {
          ...request,
          path: paths[i % paths.length],
          headers: { ...request.headers, 'x-forwarded-for': `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}` },
        };
      },
    },
  ],
});
instance.on('response', (_client, status, size, time) => {
  times.push(time);
  bytes += size;
  if (status !== 200) failed++;
});
const result = await instance;
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
process.stdout.write(
  JSON.stringify({
    requests: times.length,
    failed: failed + result.errors + result.timeouts,
    perSecond: times.length / result.duration,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    bytes: bytes / times.length,
  }),
);
