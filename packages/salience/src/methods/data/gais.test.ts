import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { select } from '../../core/select.ts';
import { distanceGraph } from '../../numerics/graph/instance-graphs.ts';
import { type Dataset, datasetInMemory } from '../../subjects/dataset/dataset.ts';
import { attend, attentionScores, evenAttention, gais, instanceScores } from './gais.ts';

const path = Uint8Array.of(1, 1, 0, 1, 1, 1, 0, 1, 1);
const mean = { aggregate: 'mean', overHeads: 'mean' } as const;
const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 5) => {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i], digits);
};

/** Clusters of normal points, one a class. */
function clusters(sizes: readonly number[], d: number, random: Random, chunkLength?: number): Dataset {
  const of = Uint32Array.from(sizes.flatMap((size, c) => new Array<number>(size).fill(c)));
  random.shuffle(of);
  const values = Float32Array.from(
    { length: of.length * d },
    (_, p) => random.normal() + 2.5 * of[Math.floor(p / d)] * (1 + (p % d)),
  );
  return datasetInMemory({
    features: Array.from({ length: d }, (_, c) => `x${c}`),
    values,
    labels: { classes: sizes.map((_, c) => `class ${c}`), of },
    ...(chunkLength && { chunkLength }),
  });
}

const quick = { epochs: 5, heads: 2, hidden: 3 };
const scored = async (data: Dataset, given: Record<string, unknown>, run = new Run(), bytes?: number) => {
  const params = parseParams(gais, { ...quick, ...given });
  const attended = await attend(data, params, run, bytes);
  return { values: instanceScores(attended, params), findings: attended.findings };
};
const facts = ({ findings }: { findings: readonly unknown[] }) =>
  Object.fromEntries((findings[0] as { rows: [string, number][] }).rows);

describe('the score of an instance', () => {
  it('is the mean attention that it receives, as worked by hand on a path of three', () => {
    close(attentionScores([0.281408, 0.646482, 0.463963], path, mean), [0.281408, 0.323241, 0.463963]);
    close(
      attentionScores([0.281408, 0.646482, 0.463963], path, { ...mean, aggregate: 'sum' }),
      [0.281408, 0.646482, 0.463963],
    );
  });

  it('is the mean or the greatest of the heads', () => {
    const received = [0.2, 0.6, 0.4, 0.4, 0.2, 0];
    close(attentionScores(received, path, mean), [0.3, 0.2, 0.2]);
    close(attentionScores(received, path, { ...mean, overHeads: 'max' }), [0.4, 0.3, 0.4]);
  });

  it('depends on degrees alone where attention is even', () => {
    close(evenAttention(path), [1 / 3, 1, 1 / 3]);
    close(attentionScores(evenAttention(path), path, mean), [1 / 3, 1 / 2, 1 / 3]);
  });

  it('is 0 where nobody else listens', () => {
    close(attentionScores([0, 0], Uint8Array.of(1, 0, 0, 1), mean), [0, 0]);
  });
});

describe('GAIS', () => {
  it('with one batch and no dropped edge scores the graph over all instances', async () => {
    const data = clusters([20, 15], 3, new Random(1));
    const { features } = await data.read(data.chunks[0]);
    const low = [0, 1, 2].map((c) => Math.min(...features.filter((_, p) => p % 3 === c)));
    const high = [0, 1, 2].map((c) => Math.max(...features.filter((_, p) => p % 3 === c)));
    const graph = distanceGraph(
      features.map((x, p) => (x - low[p % 3]) / (high[p % 3] - low[p % 3])),
      3,
      0.8,
    );
    const { values } = await scored(data, { score: 'degree', q: 0.8 });
    close(values, attentionScores(evenAttention(graph), graph, mean), 6);
  });

  it('gives permuted scores for permuted instances, and equal ones to twins', async () => {
    const data = clusters([12, 12], 2, new Random(2));
    const { features } = await data.read(data.chunks[0]);
    // Two pairs of twins.
    features.copyWithin(0, 2, 4);
    const of = data.labels!.of;
    of[0] = of[1];
    const { values } = await scored(data, { q: 0.7 });
    expect(values[0]).toBeCloseTo(values[1], 6);
    const order = new Random(3).permutation(24);
    const permuted = datasetInMemory({
      features: data.features,
      values: Float32Array.from({ length: 48 }, (_, p) => features[order[p >> 1] * 2 + (p & 1)]),
      labels: { classes: data.labels!.classes, of: Uint32Array.from(order, (i) => of[i]) },
    });
    close(
      (await scored(permuted, { q: 0.7 })).values,
      Array.from(order, (i) => values[i]),
      4,
    );
  });

  it('gives the same bits for the same seed, whatever the chunks, and others for another seed', async () => {
    const of = (chunkLength?: number) => clusters([30, 30], 2, new Random(4), chunkLength);
    const given = { batchSize: 20, dropout: 0.2, maskRate: 0.1 };
    const { values } = await scored(of(), given);
    expect((await scored(of(7), given)).values).toEqual(values);
    expect((await scored(of(), given, new Run({ seed: 1 }))).values).not.toEqual(values);
  });

  it.each(['distance', 'hash1', 'hashMulti', 'hashView'])(
    'scores every instance by the graph %s, at or above 0',
    async (graph) => {
      const result = await scored(clusters([40, 30, 20], 4, new Random(5)), { graph, batchSize: 30 });
      expect(result.values.every((s) => s >= 0 && s <= 1)).toBe(true);
      expect(facts(result)['neighbours of an instance in the mean']).toBeGreaterThan(0.5);
      expect(facts(result).batches).toBe(3);
    },
  );

  it('takes the whole attention with `both` layers and `max` heads, and keeps low scores by `order`', async () => {
    const data = clusters([20, 20], 2, new Random(6));
    const { values } = await scored(data, { layers: 'both', overHeads: 'max' });
    expect((await scored(data, { layers: 'both', overHeads: 'max', order: 'low' })).values).toEqual(
      values.map((s) => -s || 0),
    );
    expect(values).not.toEqual((await scored(data, {})).values);
  });

  it('learns the classes: the loss falls, and the confidence of separate classes is high', async () => {
    const data = clusters([100, 100, 100], 2, new Random(7));
    const result = await scored(data, { score: 'confidence', epochs: 60, batchSize: 100 });
    expect(facts(result)['training loss of the last']).toBeLessThan(0.3);
    expect(result.values.reduce((sum, p) => sum + p, 0) / 300).toBeGreaterThan(0.8);
  });

  it('ends training when the loss has not fallen for some epochs', async () => {
    const result = await scored(clusters([20, 20], 2, new Random(8)), { rate: 5, epochs: 200, patience: 2 });
    expect(facts(result)['epochs of training']).toBeLessThan(200);
  });

  it('goes through a dataset in parts where it does not fit: trained on some batches, scored on all', async () => {
    const logs: string[] = [];
    const run = new Run({ onLog: (message) => logs.push(message) });
    const data = clusters([300, 300], 2, new Random(9), 100);
    const each = 4 * 2 + 20;
    const result = await scored(data, { batchSize: 20 }, run, 4 * 100 * each);
    expect(logs.some((message) => message.includes('trained on'))).toBe(true);
    expect(facts(result).batches).toBe(30);
    expect(result.values.every((s) => s >= 0)).toBe(true);
    expect(result.values.filter((s) => s > 0).length).toBeGreaterThan(300);
  });

  it('keeps of each class its share and at least one instance, exactly as many as the budget says', async () => {
    const data = clusters([90, 9, 1], 2, new Random(10));
    const params = parseParams(gais, quick);
    const scores = await gais.score(data, params, new Run());
    const kept = (budget: number) => {
      const counts = [0, 0, 0];
      for (const i of select(scores, budget, gais.allocation?.(params)).kept) counts[data.labels!.of[i]]++;
      return counts;
    };
    expect(kept(10)).toEqual([8, 1, 1]);
    expect(kept(50)).toEqual([45, 4, 1]);
    expect(kept(100)).toEqual([90, 9, 1]);
    // Fewer than there are classes: the largest keep one each.
    expect(kept(2)).toEqual([1, 1, 0]);
    expect(gais.allocation?.(parseParams(gais, { perClass: false }))).toBeUndefined();
  });
});

describe('GAIS takes', () => {
  it('duplicates and constant features: nobody is joined, all scores are 0', async () => {
    const logs: string[] = [];
    const data = datasetInMemory({
      features: ['x', 'y'],
      values: new Float32Array(20).fill(3),
      labels: { classes: ['a', 'b'], of: Uint32Array.from({ length: 10 }, (_, i) => i % 2) },
    });
    const { values } = await scored(data, {}, new Run({ onLog: (message) => logs.push(message) }));
    expect([...values]).toEqual(new Array(10).fill(0));
    expect(logs.some((message) => message.includes('no two instances are joined'))).toBe(true);
    expect((await scored(data, { graph: 'hash1' })).values.every((s) => s > 0)).toBe(true);
  });

  it('two instances', async () => {
    const data = datasetInMemory({
      features: ['x'],
      values: Float32Array.of(0, 1),
      labels: { classes: ['a', 'b'], of: Uint32Array.of(0, 1) },
    });
    expect((await scored(data, {})).values.length).toBe(2);
  });
});

describe('GAIS is cancelled', () => {
  it.each(['reading', 'graphs', 'scoring'])('while it is %s', async (stage) => {
    const stopped = new AbortController();
    const onProgress = ({ what }: { readonly what: string }) => {
      if (what === stage) stopped.abort();
    };
    const data = clusters([400, 400], 2, new Random(12), 200);
    const run = new Run({ signal: stopped.signal, onProgress });
    await expect(scored(data, { batchSize: 20 }, run)).rejects.toThrow('cancelled');
  });
});

describe('GAIS refuses', () => {
  const labels = { classes: ['a', 'b'], of: Uint32Array.of(0, 1, 0) };
  const refused = (data: Dataset, given: Record<string, unknown> = {}) => expect(scored(data, given)).rejects;

  it('a feature that is not finite, naming its row and column', async () => {
    const data = datasetInMemory({ features: ['x', 'y'], values: Float32Array.of(0, 1, 2, NaN, 4, 5), labels });
    await refused(data).toThrow('example 1, column y is missing');
  });

  it('labels that are missing, and a class without a member', async () => {
    const values = Float32Array.of(0, 1, 2);
    await refused(datasetInMemory({ features: ['x'], values })).toThrow('has no labels');
    const classes = ['a', 'b', 'c'];
    await refused(datasetInMemory({ features: ['x'], values, labels: { ...labels, classes } })).toThrow(
      'class c has no example',
    );
  });

  it('one class only, unless allowed', async () => {
    const one = { classes: ['a'], of: new Uint32Array(3) };
    const data = datasetInMemory({ features: ['x'], values: Float32Array.of(0, 1, 3), labels: one });
    await refused(data).toThrow('all 3 instances are of class a');
    expect((await scored(data, { allowSingleClass: true, q: 0 })).values.length).toBe(3);
  });

  it('a dataset without numbers', async () => {
    await refused(datasetInMemory({ texts: ['a', 'b', 'c'], labels })).toThrow('has no feature column');
  });

  it('parameters out of range', () => {
    for (const [name, value] of Object.entries({
      q: 1,
      maskRate: 1,
      bits: 0,
      batchSize: 1,
      epochs: 0,
      dropout: 1,
      threshold: 2,
    })) {
      expect(() => parseParams(gais, { [name]: value })).toThrow(name);
    }
  });

  it('a training loss that is not finite', async () => {
    await refused(clusters([9, 9], 2, new Random(0)), { rate: 1e38 }).toThrow(/graph attention|loss|finite/);
  });

  it('levels that do not ascend', async () => {
    await refused(clusters([5, 5], 1, new Random(0)), { graph: 'hashMulti', levels: [8, 4] }).toThrow('do not ascend');
  });
});
