import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import {
  bucketBatches,
  distanceGraph,
  dropEdges,
  hashGraph,
  multiLevelGraph,
  multiViewGraph,
  offDiagonalQuantile,
  pairSimilarities,
  stratifiedBatches,
} from './instance-graphs.ts';

/** Edges j → i of a graph as text, loops left out. */
function edges(graph: Uint8Array): string[] {
  const b = Math.sqrt(graph.length);
  return Array.from(graph, (edge, p) =>
    edge === 1 && p % (b + 1) !== 0 ? `${p % b}→${Math.floor(p / b)}` : '',
  ).filter(Boolean);
}

describe('distance graphs', () => {
  const points = Float64Array.of(0, 0, 3, 4, 0, 1, 6, 8);

  it('have the similarities worked by hand', () => {
    const expected = [0.166667, 0.5, 0.090909, 0.190744, 0.166667, 0.097852];
    pairSimilarities(points, 2).forEach((s, p) => {
      expect(s).toBeCloseTo(expected[p], 6);
    });
  });

  it('cut at the quantile off the diagonal, strictly', () => {
    expect(offDiagonalQuantile(pairSimilarities(points, 2), 0.5)).toBeCloseTo(1 / 6, 12);
    expect(edges(distanceGraph(points, 2, 0.5))).toEqual(['2→0', '2→1', '0→2', '1→2']);
  });

  it('interpolate the quantile of the whole matrix off the diagonal', () => {
    // Each pair twice: 1 1 2 2 4 4; the quantile .3 lies at 1.5, between 1 and 2.
    expect(offDiagonalQuantile(Float64Array.of(4, 1, 2), 0.3)).toBeCloseTo(1.5, 12);
    expect(offDiagonalQuantile(Float64Array.of(4, 1, 2), 0)).toBe(1);
  });

  it('stay as they are when all instances are moved by one vector, and are relabelled when instances are', () => {
    const random = new Random(2);
    const n = 30;
    const rows = Float64Array.from({ length: n * 3 }, () => random.integer(8));
    const graph = distanceGraph(rows, 3, 0.8);
    expect(
      distanceGraph(
        rows.map((x, i) => x + [5, -3, 16][i % 3]),
        3,
        0.8,
      ),
    ).toEqual(graph);
    const order = random.permutation(n);
    const permuted = Float64Array.from({ length: n * 3 }, (_, p) => rows[order[Math.floor(p / 3)] * 3 + (p % 3)]);
    const relabelled = distanceGraph(permuted, 3, 0.8);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) expect(relabelled[i * n + j]).toBe(graph[order[i] * n + order[j]]);
    }
  });

  it('join no one where all instances are duplicates: no similarity is above 1', () => {
    expect(edges(distanceGraph(new Float64Array(8), 2, 0.5))).toEqual([]);
    expect(edges(distanceGraph(Float64Array.of(7), 1, 0.5))).toEqual([]);
  });

  it('refuse a quantile of 1', () => {
    expect(() => distanceGraph(points, 2, 1)).toThrow('q = 1 is outside 0 to below 1');
  });
});

describe('hash graphs', () => {
  // Codes 110, 111, 010, 111 as worked by hand, of points (1,2), (2,1), (−1,3), (1,1).
  const codes = Uint32Array.of(0b110, 0b111, 0b010, 0b111);
  const rows = Float64Array.of(1, 2, 2, 1, -1, 3, 1, 1);
  const all = { bits: 3, threshold: 0, maxNeighbours: 9 };

  it('join one bucket, or codes that differ in few bits', () => {
    expect(edges(hashGraph(codes, rows, 2, all))).toEqual(['3→1', '1→3']);
    expect(edges(hashGraph(codes, rows, 2, { ...all, most: 1, threshold: 0.6 }))).toEqual([
      ...['1→0', '2→0', '3→0'],
      ...['0→1', '3→1'],
      '0→2',
      ...['0→3', '1→3'],
    ]);
    expect(edges(hashGraph(codes, rows, 2, { ...all, most: 1, threshold: 0.7 }))).toEqual(['3→1', '1→3']);
  });

  it('weigh an edge by the levels on which the pair shares a bucket', () => {
    // First bits 1 1 0 1; first two 11 11 01 11.
    const levels = [1, 2, 3];
    expect(edges(multiLevelGraph(codes, rows, 2, { ...all, levels }))).toEqual([
      '1→0',
      '3→0',
      '0→1',
      '3→1',
      '0→3',
      '1→3',
    ]);
    // 0 and 1 share the levels of 1 and 2 bits: (1 + 2) / 6 = .5, which is not above .5.
    expect(edges(multiLevelGraph(codes, rows, 2, { ...all, levels, threshold: 0.5 }))).toEqual(['3→1', '1→3']);
    expect(() => multiLevelGraph(codes, rows, 2, { ...all, levels: [2, 2] })).toThrow('do not ascend');
  });

  it('take the mean agreement over the views', () => {
    const other = Uint32Array.of(0b000, 0b000, 0b000, 0b111);
    // 1 and 3 agree fully in one view and not at all in the other: .5.
    const graph = (threshold: number) => edges(multiViewGraph([codes, other], rows, 2, { ...all, threshold }));
    expect(graph(0.5)).toContain('3→1');
    expect(graph(0.51)).not.toContain('3→1');
    expect(graph(0.8)).toEqual(['1→0', '2→0', '0→1', '0→2']);
  });

  it('keep the nearest neighbours of each node, the lower index among equals', () => {
    const line = Float64Array.of(0, 1, 2, 3);
    const graph = hashGraph(new Uint32Array(4), line, 1, { ...all, maxNeighbours: 1 });
    expect(edges(graph)).toEqual(['1→0', '0→1', '1→2', '2→3']);
  });
});

describe('batches', () => {
  it('have each class’s share, give or take one, and every instance once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 2, max: 50 }),
        fc.integer(),
        (labels, batchSize, seed) => {
          const batches = stratifiedBatches(labels, 4, batchSize, new Random(seed));
          const m = Math.max(1, Math.round(labels.length / batchSize));
          expect(batches.length).toBe(m);
          expect(batches.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
          for (let c = 0; c < 4; c++) {
            const size = labels.filter((label) => label === c).length;
            for (const batch of batches) {
              const own = batch.filter((i) => labels[i] === c).length;
              expect(Math.abs(own - size / m)).toBeLessThan(1);
            }
          }
        },
      ),
    );
  });

  it('along buckets keep a bucket together where it fits, and cut a large one at random', () => {
    const codes = Uint32Array.from({ length: 40 }, (_, i) => i % 4);
    const together = bucketBatches(codes, 10, new Random(1));
    expect(together.map((batch) => new Set(Array.from(batch, (i) => codes[i])).size)).toEqual([1, 1, 1, 1]);
    const cut = bucketBatches(new Uint32Array(40), 10, new Random(1));
    expect(cut.map(({ length }) => length)).toEqual([10, 10, 10, 10]);
    expect(cut.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual(Array.from(codes, (_, i) => i));
    expect([...cut[0]]).not.toEqual(Array.from({ length: 10 }, (_, i) => i));
  });

  it('are one where there are fewer instances than a batch has, and are refused below 2', () => {
    expect(stratifiedBatches([0, 1, 0], 2, 200, new Random(0)).map((batch) => [...batch])).toEqual([[0, 1, 2]]);
    expect(() => stratifiedBatches([0, 1], 2, 1, new Random(0))).toThrow('2 or more instances, not 1');
  });
});

describe('dropping edges', () => {
  it('takes both directions of a pair away, about the share asked for, and no loop', () => {
    const b = 60;
    const graph = new Uint8Array(b * b).fill(1);
    dropEdges(graph, 0.3, new Random(4));
    let pairs = 0;
    for (let i = 0; i < b; i++) {
      expect(graph[i * b + i]).toBe(1);
      for (let j = 0; j < i; j++) {
        expect(graph[i * b + j]).toBe(graph[j * b + i]);
        pairs += graph[i * b + j];
      }
    }
    expect(pairs / ((b * (b - 1)) / 2)).toBeCloseTo(0.7, 1);
  });

  it('at a share of 0 changes nothing', () => {
    const graph = distanceGraph(Float64Array.of(0, 1, 2, 4), 1, 0.3);
    const before = graph.slice();
    dropEdges(graph, 0, new Random(0));
    expect(graph).toEqual(before);
  });
});
