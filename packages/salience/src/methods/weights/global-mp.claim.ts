/** @file The claims of Global Magnitude Pruning that a checkpoint alone can show: an exact threshold, and no collapsed layer. */

import { claim } from '../../core/claim.ts';
import type { Run } from '../../core/run.ts';
import type { ScoreChunk, ScoreStream } from '../../core/scores.ts';
import { type Allocate, type StreamSelection, selectStream } from '../../core/select-stream.ts';
import { minimumThreshold } from './global-mp.ts';

const widths = [100, 256, 128, 64, 32, 10];
const sparsities = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99];
/** The paper's code: survivors a layer, in percent of all weights. */
const minimum = 0.05;

/**
 * |w| of a made-up perceptron: normal weights, each layer with a deviation of its own between 0.02 and 0.2 (log-uniform), a
 * tenth of the weights rounded to two decimals so that there are ties.
 */
function network(run: Run): Float32Array[] {
  const random = run.random('network');
  return widths.slice(1).map((width, l) => {
    const deviation = 0.02 * 10 ** random.uniform();
    return Float32Array.from({ length: width * widths[l] }, () => {
      const w = Math.abs(deviation * random.normal());
      return random.uniform() < 0.1 ? Math.round(w * 100) / 100 : w;
    });
  });
}

function streamOf(layers: readonly Float32Array[]): ScoreStream {
  return {
    unit: 'weight',
    groups: layers.map(({ length }, l) => ({ name: `layer ${l}`, size: length })),
    chunks: layers.map(({ length }, group): ScoreChunk => ({ group, start: 0, length })),
    score: { call: ({ group }) => layers[group] },
  };
}

/** Weights kept in each layer; each layer is one chunk. */
function survivors(layers: readonly Float32Array[], { scope, cuts, tiesInChunk }: StreamSelection): number[] {
  return layers.map((layer, l) => {
    const { threshold } = cuts[scope === 'group' ? l : 0];
    const above = layer.reduce((kept, s) => kept + Number(s > threshold), 0);
    const equal = layer.reduce((kept, s) => kept + Number(s === threshold), 0);
    return above + Math.min(equal, tiesInChunk?.[l] ?? Infinity);
  });
}

export default claim({
  method: 'global-mp',
  headline:
    'One threshold over all layers prunes to exactly the sparsity asked for, and a minimum per layer prevents collapse.',
  setting:
    'A 100-256-128-64-32-10 perceptron of made-up weights with ties, 68,928 prunable, at sparsities from .5 to .99: facts about ' +
    'the checkpoint alone.',
  unjudged:
    'that the method beats other pruners (uniform, ERK, LAMP, gradual) in accuracy for the same sparsity; that needs networks ' +
    'that can be trained.',
  seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  parts: [
    {
      id: 'exact-count',
      says: 'weights removed differ from ⌊κN⌋, summed over the sparsities',
      role: 'headline',
      rule: { of: 'miscounted', atMost: 0 },
    },
    {
      id: 'exact-threshold',
      says: 'weights kept or removed on the wrong side of a full sort, summed over the sparsities',
      role: 'headline',
      rule: { of: 'misplaced', atMost: 0 },
    },
    {
      id: 'no-collapse',
      says: 'layers below 0.05% of all weights at κ = .99 with the minimum threshold',
      role: 'headline',
      rule: { of: 'collapsed with MT', atMost: 0 },
    },
    {
      id: 'same-total',
      says: 'weights by which the minimum threshold changes the total at κ = .99',
      role: 'control',
      rule: { of: 'total changed by MT', atMost: 0 },
    },
    {
      id: 'real-collapse',
      says: 'layers below 0.05% of all weights at κ = .99 without it: the case is a real one',
      role: 'control',
      rule: { of: 'collapsed', atLeast: 1 },
    },
    {
      id: 'moves-little',
      says: 'share of the kept weights that the minimum threshold moves between layers at κ = .5, where no layer is short',
      role: 'control',
      rule: { of: 'moved at .5', atMost: 0 },
    },
    {
      id: 'uniform',
      says: 'layers below 0.05% of all weights under a uniform sparsity of .99: treating all layers alike is no cure',
      role: 'control',
      rule: { of: 'collapsed, uniform', atLeast: 1 },
    },
  ],
  async measure(run) {
    const layers = network(run);
    const stream = streamOf(layers);
    const n = layers.reduce((sum, { length }) => sum + length, 0);
    const m = Math.floor((n * minimum) / 100);
    const short = (kept: readonly number[]) => kept.filter((count, l) => count < Math.min(m, layers[l].length)).length;
    const total = (kept: readonly number[]) => kept.reduce((sum, count) => sum + count, 0);
    const withMinimum: Allocate = (sizes, counts) => minimumThreshold(sizes, counts, minimum);
    const prune = async (sparsity: number, within: 'all' | 'group' = 'all', allocate?: Allocate) =>
      survivors(layers, await selectStream(stream, { share: 1 - sparsity, within }, run, allocate));

    // The reference: all magnitudes sorted, largest first; equal ones may be exchanged, so layers are compared by values.
    const sorted = layers.flatMap((layer) => [...layer]).sort((x, y) => y - x);
    let miscounted = 0;
    let misplaced = 0;
    for (const sparsity of sparsities) {
      const kept = await prune(sparsity);
      const expected = n - Math.floor(sparsity * n + 1e-9);
      miscounted += Math.abs(total(kept) - expected);
      const lowest = sorted[expected - 1];
      layers.forEach((layer, l) => {
        const above = layer.reduce((count, s) => count + Number(s > lowest), 0);
        const equal = layer.reduce((count, s) => count + Number(s === lowest), 0);
        misplaced += Math.max(0, above - kept[l]) + Math.max(0, kept[l] - above - equal);
      });
    }
    const plain = await prune(0.99);
    const repaired = await prune(0.99, 'all', withMinimum);
    const half = await prune(0.5);
    const halfRepaired = await prune(0.5, 'all', withMinimum);
    return {
      miscounted,
      misplaced,
      collapsed: short(plain),
      'collapsed with MT': short(repaired),
      'collapsed, uniform': short(await prune(0.99, 'group')),
      'total changed by MT': Math.abs(total(plain) - total(repaired)),
      'moved at .5': half.reduce((sum, count, l) => sum + Math.abs(count - halfRepaired[l]), 0) / total(half),
      'least survivors': Math.min(...plain),
      'least survivors with MT': Math.min(...repaired),
    };
  },
});
