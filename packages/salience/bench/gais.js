/** @file GAIS in bounded memory: seconds and peak memory at 10,000 to 100,000 rows of 50 columns, and how both grow, against one full graph. */

import { fileURLToPath } from 'node:url';
import { seconds, timeCommand } from './timing.js';

const script = fileURLToPath(new URL('gais-peak.js', import.meta.url));

/** A process of its own for each size. */
function measure(rows, params) {
  const { stdout } = timeCommand(process.execPath, [script, String(rows), JSON.stringify(params)]);
  return { rows, ...JSON.parse(stdout) };
}

/** Slope of log time over log rows by least squares. */
function slopeOf(measured) {
  const x = measured.map(({ rows }) => Math.log(rows));
  const y = measured.map((m) => Math.log(m.seconds));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  return x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0) / x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
}

const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;

export async function bench() {
  const rows = [];
  const add = (name, measured, target, met) => {
    for (const m of measured) {
      rows.push({
        case: `${m.rows.toLocaleString('en')} × 50, ${name}`,
        ours: `${seconds(m.seconds)}, ${gigabytes(m.bytes)}`,
        peer: '',
        ratio: '',
        target: 'at most 1.5 GB',
        met: m.bytes <= 1.5e9,
      });
    }
    const slope = slopeOf(measured);
    rows.push({
      case: `${name}: slope of log time`,
      ours: slope.toFixed(2),
      peer: '',
      ratio: '',
      target,
      met: met(slope),
    });
  };
  const sizes = [10_000, 30_000, 100_000];
  const whole = { patience: 0 };
  add(
    'mini-batches of 200',
    sizes.map((n) => measure(n, whole)),
    'below 1.3',
    (slope) => slope < 1.3,
  );
  add(
    'three hash levels, 5 epochs',
    sizes.map((n) => measure(n, { ...whole, graph: 'hashMulti', epochs: 5 })),
    'below 1.3',
    (slope) => slope < 1.3,
  );
  add(
    'one full graph, 5 epochs',
    [500, 1000, 2000].map((n) => measure(n, { ...whole, batchSize: n, epochs: 5 })),
    'above 1.7',
    (slope) => slope > 1.7,
  );
  return {
    title: 'GAIS: cost and memory over the rows',
    notes: [
      'Made-up clusters, 5 classes, scored from features in memory: graphs, training (60 epochs where nothing else is said, never ended ' +
        'early) and scoring; each size in a process of its own, once. The full graph is the same program with all rows in one batch.',
    ],
    rows,
  };
}
