import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csrGraph } from './csr.ts';
import { type Graph, isConnected } from './graph.ts';
import { pageRank } from './page-rank.ts';

const undirected = (n: number, pairs: [number, number][]): Graph =>
  csrGraph(n, { from: pairs.map(([u]) => u), to: pairs.map(([, v]) => v) });

const expectClose = (actual: ArrayLike<number>, expected: number[], digits = 6) =>
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, digits);
  });

describe('pageRank', () => {
  it('on the path of 3 without self-loops gives its closed form', () => {
    const path = undirected(3, [
      [0, 1],
      [1, 2],
    ]);
    expectClose(pageRank(path).scores, [0.256757, 0.486486, 0.256757]);
  });

  it('on the path of 3 with self-loops gives its closed form, and degree / sum of degrees without teleport', () => {
    const path = undirected(3, [
      [0, 0],
      [1, 1],
      [2, 2],
      [0, 1],
      [1, 2],
    ]);
    expectClose(path.outWeight, [2, 3, 2]);
    expectClose(pageRank(path).scores, [0.291971, 0.416058, 0.291971]);
    expectClose(pageRank(path, { follow: 1 }).scores, [2 / 7, 3 / 7, 2 / 7], 9);
  });

  it('personalised, agrees with the worked numbers of gene, protein, cell and result', () => {
    const graph = undirected(4, [
      [0, 1],
      [0, 2],
      [1, 2],
      [2, 3],
    ]);
    expectClose(pageRank(graph, { teleport: [1, 0, 0, 0] }).scores, [0.343593, 0.23833, 0.325775, 0.092303]);
    expectClose(pageRank(graph).scores, [0.245928, 0.245928, 0.366736, 0.141408]);
  });

  it('gives exactly 0 to a component that no teleport reaches', () => {
    const graph = undirected(5, [
      [0, 1],
      [2, 3],
      [3, 4],
    ]);
    const { scores } = pageRank(graph, { teleport: [7, 0, 0, 0, 0] });
    expectClose(scores, [1 / 1.85, 0.85 / 1.85], 9);
    expect([...scores.subarray(2)]).toEqual([0, 0, 0]);
  });

  it('sends the mass of a dangling node to the teleport vector', () => {
    // 0 → 1, 1 dangles: p0 = t0 (0.15 + 0.85 p1), p1 = t1 (0.15 + 0.85 p1) + 0.85 p0.
    const graph = csrGraph(2, { from: [0], to: [1] }, { directed: true });
    const { scores } = pageRank(graph, { teleport: [3, 1] });
    const p1 = (0.25 * 0.15 + 0.85 * 0.75 * 0.15) / (1 - 0.85 * (0.25 + 0.85 * 0.75));
    expectClose(scores, [1 - p1, p1], 9);
  });

  it('follows edges in proportion to their weights', () => {
    const graph = csrGraph(3, { from: [0, 0, 1, 2], to: [1, 2, 0, 0], weight: [3, 1, 1, 1] }, { directed: true });
    const { scores } = pageRank(graph);
    expect(scores[1] - 0.05).toBeCloseTo(3 * (scores[2] - 0.05), 9);
  });

  it('says when the iteration cap was hit, and how far it still moved', () => {
    const graph = undirected(3, [
      [0, 1],
      [1, 2],
    ]);
    const { converged, iterations, residual } = pageRank(graph, { maxIterations: 3 });
    expect({ converged, iterations }).toEqual({ converged: false, iterations: 3 });
    expect(residual).toBeGreaterThan(1e-10);
    // Without teleport a bipartite walk that starts on one side never settles.
    expect(pageRank(graph, { follow: 1, teleport: [0, 1, 0] }).converged).toBe(false);
  });

  it('is a fixed point of its equation on any graph, sums to 1, and moves with the nodes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 9 })), { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 12, maxLength: 12 }),
        (n, triples, masses) => {
          const from = triples.map(([u]) => u % n);
          const to = triples.map(([, v]) => v % n);
          const weight = triples.map(([, , w]) => w);
          const teleport = masses.slice(0, n);
          const graph = csrGraph(n, { from, to, weight }, { directed: true });
          const { scores, converged } = pageRank(graph, { teleport, tolerance: 1e-13 });
          expect(converged).toBe(true);
          expect(scores.reduce((a, b) => a + b)).toBeCloseTo(1, 12);

          const dense = Array.from({ length: n }, () => new Array<number>(n).fill(0));
          from.forEach((u, e) => {
            dense[u][to[e]] = weight[e];
          });
          const mass = teleport.reduce((a, b) => a + b);
          for (let v = 0; v < n; v++) {
            let sum = 0;
            for (let u = 0; u < n; u++) {
              const out = dense[u].reduce((a, b) => a + b);
              sum += scores[u] * (out > 0 ? dense[u][v] / out : teleport[v] / mass);
            }
            expect(scores[v]).toBeCloseTo((0.15 * teleport[v]) / mass + 0.85 * sum, 10);
          }

          const flip = (u: number) => n - 1 - u;
          const flipped = csrGraph(n, { from: from.map(flip), to: to.map(flip), weight }, { directed: true });
          const again = pageRank(flipped, { teleport: teleport.toReversed(), tolerance: 1e-13 }).scores;
          scores.forEach((score, v) => {
            expect(again[flip(v)]).toBeCloseTo(score, 10);
          });
        },
      ),
    );
  });

  it('refuses options out of range and teleport vectors without meaning', () => {
    const graph = undirected(2, [[0, 1]]);
    expect(() => pageRank(graph, { follow: 1.1 })).toThrow('follow = 1.1 is outside 0 to 1');
    expect(() => pageRank(graph, { follow: Number.NaN })).toThrow('outside 0 to 1');
    expect(() => pageRank(graph, { tolerance: 0 })).toThrow('tolerance = 0 is not above 0');
    expect(() => pageRank(graph, { maxIterations: 0 })).toThrow('maxIterations = 0 is below 1');
    expect(() => pageRank(graph, { teleport: [1] })).toThrow('the teleport vector has 1 entries for 2 nodes');
    expect(() => pageRank(graph, { teleport: [0, 0] })).toThrow('no entry above 0');
    expect(() => pageRank(graph, { teleport: [1, -1] })).toThrow('entry 1 of the teleport vector is -1');
  });
});

describe('csrGraph', () => {
  it('counts an edge once however often and in whichever direction it is given', () => {
    const graph = undirected(3, [
      [0, 1],
      [1, 0],
      [0, 1],
      [2, 2],
      [2, 2],
    ]);
    expect([...graph.outWeight]).toEqual([1, 1, 1]);
  });

  it('gives an edge the weight that was given last', () => {
    const graph = csrGraph(2, { from: [0, 1], to: [1, 0], weight: [2, 5] });
    expect([...graph.outWeight]).toEqual([5, 5]);
  });

  it('refuses ends that are no nodes, arrays of unequal length and weights that are not above 0', () => {
    expect(() => undirected(2, [[0, 2]])).toThrow('edge 0 ends at node 2; the nodes are 0 to 1');
    expect(() => csrGraph(2, { from: [0], to: [] })).toThrow('1 starts, 0 ends');
    expect(() => csrGraph(2, { from: [0], to: [1], weight: [0] })).toThrow('edge 0 has weight 0');
  });
});

describe('isConnected', () => {
  it('tells one component from several', () => {
    expect(isConnected(undirected(1, []))).toBe(true);
    expect(
      isConnected(
        undirected(4, [
          [0, 1],
          [2, 3],
          [1, 2],
        ]),
      ),
    ).toBe(true);
    expect(
      isConnected(
        undirected(4, [
          [0, 1],
          [2, 3],
        ]),
      ),
    ).toBe(false);
  });
});
