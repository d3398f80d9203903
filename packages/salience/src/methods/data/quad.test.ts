import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { select } from '../../core/select.ts';
import { type Dataset, datasetInMemory } from '../../subjects/dataset/dataset.ts';
import { dataset } from '../../subjects/dataset/subject.ts';
import { dsir } from './dsir.ts';
import { clusterMeans, influence } from './influence.ts';
import { acceptanceScores, type Play, playClusters, quad } from './quad.ts';

const run = new Run({ seed: 3 });
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Three clusters of 20 documents; the score of a document is that of its cluster. */
const of = range(60).map((i) => i % 3);
const play = (worth: readonly number[], options: Partial<Play> = {}) =>
  playClusters(
    {
      of,
      clusters: 3,
      exploration: 0.1,
      threshold: 0,
      probe: 4,
      arms: 1,
      block: 8,
      budget: 60,
      rounds: 30,
      score: async (indices) => Float64Array.from(indices, (i) => worth[of[i]]),
      random: new Random(5, 'play'),
      ...options,
    },
    run,
  );

describe('playing clusters', () => {
  it('takes all of the clusters that pay and nothing of those that do not', async () => {
    const { taken, bandit, pulls, evaluations } = await play([0.5, -0.5, 0.2]);
    expect([...bandit.taken]).toEqual([20, 0, 20]);
    expect(taken.map(({ length }) => length).sort()).toEqual([4, 4, 8, 8, 8, 8]);
    expect(new Set(taken.flat()).size).toBe(40);
    expect(pulls.reduce((a, b) => a + b, 0)).toBe(30);
    expect(evaluations).toBe(4 * 30);
  });

  it('a budget’s best are the blocks taken first, whatever the budget, and then the better clusters', async () => {
    const played = await play([0.5, -0.5, 0.2]);
    const values = acceptanceScores(played, of);
    const kept = (count: number) => select({ unit: 'document', values }, String(count)).kept;
    let sum = 0;
    for (const block of played.taken) {
      sum += block.length;
      expect(new Set(kept(sum))).toEqual(new Set(played.taken.flat().slice(0, sum)));
    }
    expect(kept(60).length).toBe(60);
  });

  it('stops at the budget, and when nothing is left', async () => {
    const { bandit } = await play([1, 1, 1], { budget: 10 });
    expect(bandit.accepted).toBe(16);
    const all = await play([1, 1, 1], { arms: 3, rounds: 100 });
    expect(all.bandit.accepted).toBe(60);
    expect(all.bandit.rounds).toBeLessThan(100);
  });

  it('where every probe loses it takes nothing, and ranks documents by their clusters', async () => {
    const played = await play([-0.3, -0.1, -0.2], { exploration: 0 });
    expect(played.taken).toEqual([]);
    const values = acceptanceScores(played, of);
    expect(values[1]).toBeGreaterThan(values[2]);
    expect(values[2]).toBeGreaterThan(values[0]);
    expect(Math.max(...values)).toBeLessThan(1);
  });

  it('with one cluster takes every block that passes', async () => {
    const { bandit } = await play([1], {
      of: new Array(60).fill(0),
      clusters: 1,
      score: async (indices) => new Float64Array(indices.length).fill(1),
    });
    expect(bandit.accepted).toBe(60);
  });
});

/** Two useful groups, one that contradicts the first, one far off with labels by chance; the reference is of the useful ones. */
function world(random: Random): { pool: Dataset; group: number[] } {
  const centres = [
    [2, 0],
    [-2, 1],
    [2, 0],
    [0, -4],
  ];
  const draw = (count: number, groups: readonly number[]) =>
    range(count).map((i) => {
      const g = groups[i % groups.length];
      const [a, b] = [0.5 * random.normal(), 0.5 * random.normal()];
      const x = [centres[g][0] + a, centres[g][1] + b];
      const clean = g % 2 === 0 ? (a > 0 ? 1 : 0) : b > 0 ? 1 : 0;
      const label = g === 2 ? 1 - clean : g === 3 ? random.integer(2) : clean;
      return { x, label, g };
    });
  const datasetOf = (rows: ReturnType<typeof draw>, name: string) =>
    datasetInMemory({
      features: ['a', 'b'],
      values: Float32Array.from(rows.flatMap(({ x }) => x)),
      labels: { classes: ['no', 'yes'], of: Uint32Array.from(rows, ({ label }) => label) },
      columns: { vector: rows.map(({ g }) => range(4).map((k) => (k === g ? 1 : 0))) },
      name,
      chunkLength: 37,
    });
  const rows = draw(400, [0, 1, 2, 3]);
  const reference = datasetOf(draw(60, [0, 1]), 'reference');
  return {
    pool: Object.assign(datasetOf(rows, 'pool'), { open: async () => reference }),
    group: rows.map(({ g }) => g),
  };
}

describe('methods by influence on labelled features', () => {
  const { pool, group } = world(new Random(11, 'world'));
  const mean = (values: Float32Array, g: number) => {
    const own = values.filter((_, i) => group[i] === g);
    return own.reduce((a, b) => a + b, 0) / own.length;
  };

  it('influence ranks a group that contradicts the reference below those that agree', async () => {
    const { values } = await influence.score(pool, parseParams(influence, { reference: 'reference' }), run);
    for (const good of [0, 1]) for (const bad of [2, 3]) expect(mean(values, good)).toBeGreaterThan(mean(values, bad));
    expect(mean(values, 2)).toBeLessThan(0);
  });

  it('influence by cluster gives a cluster one score, the mean of its documents', async () => {
    const params = { reference: 'reference', embedding: 'vector', clusters: 4 };
    const single = await influence.score(pool, parseParams(influence, params), run);
    const whole = await influence.score(pool, parseParams(influence, { ...params, per: 'cluster' }), run);
    const means = clusterMeans(single.values, group, 4);
    whole.values.forEach((value, i) => {
      expect(value).toBeCloseTo(means[group[i]], 5);
    });
  });

  it('quad takes most blocks from the groups that agree and next to none from the one that contradicts, and says what it did', async () => {
    const { values, unit, findings } = await quad.score(
      pool,
      parseParams(quad, { reference: 'reference', embedding: 'vector', clusters: 4, block: 20, upTo: 0.4 }),
      run,
    );
    expect(unit).toBe('document');
    const taken = group.filter((_, i) => values[i] > 1);
    expect(taken.length).toBeGreaterThanOrEqual(160);
    const share = (...groups: number[]) => taken.filter((g) => groups.includes(g)).length / taken.length;
    expect(share(0, 1)).toBeGreaterThan(0.6);
    expect(share(2)).toBeLessThan(0.05);
    const table = findings!.find(({ kind }) => kind === 'table');
    expect(table).toMatchObject({
      columns: ['cluster', 'documents', 'pulls', 'mean reward', 'blocks taken', 'documents taken'],
    });
  });

  it('the same seed gives the same scores, and no reference is remarked upon', async () => {
    const logged: string[] = [];
    const noisy = () => new Run({ seed: 3, onLog: (message) => logged.push(message) });
    const first = await quad.score(pool, parseParams(quad), noisy());
    const second = await quad.score(pool, parseParams(quad), noisy());
    expect(first.values).toEqual(second.values);
    expect(logged.join()).toContain('no reference is named: 64 random examples of pool');
    expect(JSON.stringify(first.findings)).toContain('no reference is named');
  });

  it('a projection of the gradients changes little of the ranking', async () => {
    const params = { reference: 'reference', projection: 1024 };
    const { values } = await influence.score(pool, parseParams(influence, params), run);
    for (const good of [0, 1]) expect(mean(values, good)).toBeGreaterThan(mean(values, 2));
  });

  it('dsir draws what looks like the reference, by numbers', async () => {
    const { values } = await dsir.score(pool, parseParams(dsir, { reference: 'reference', noise: false }), run);
    // By its numbers alone the contradicting group is the first.
    for (const g of [0, 1, 2]) expect(mean(values, g)).toBeGreaterThan(mean(values, 3));
    const noisy = await dsir.score(pool, parseParams(dsir, { reference: 'reference' }), run);
    expect(noisy.values).not.toEqual(values);
  });

  it('refuses what does not fit: a block below the probe, fewer documents than clusters, a reference of another form', async () => {
    const score = (params: object, from: Dataset = pool) => quad.score(from, parseParams(quad, params as never), run);
    await expect(score({ block: 4, probe: 8 })).rejects.toThrow('block = 4 is smaller than the probe of 8');
    await expect(score({ clusters: 500 })).rejects.toThrow('400 documents cannot make 500 clusters');
    await expect(score({ embedding: 'nothing' })).rejects.toThrow('has no column nothing');
    await expect(score({ proxy: '/nowhere' })).rejects.toThrow('has no text for the decoder');
    expect(() => parseParams(quad, { damping: 0 })).toThrow('damping');
    expect(() => parseParams(quad, { radius: 0 })).toThrow('radius');
    const opening = (other: Dataset) => ({ ...pool, open: async () => other });
    const odd = datasetInMemory({ features: ['a', 'c'], values: Float32Array.of(1, 2), name: 'odd' });
    await expect(score({ reference: 'odd' }, opening(odd))).rejects.toThrow('odd: has no feature b');
    const classes = { classes: ['maybe'], of: Uint32Array.of(0) };
    const other = datasetInMemory({
      features: ['a', 'b'],
      values: Float32Array.of(1, 2),
      labels: classes,
      name: 'other',
    });
    await expect(score({ reference: 'other' }, opening(other))).rejects.toThrow('class maybe is none of pool');
    const bare = datasetInMemory({ features: ['a'], values: Float32Array.of(1, 2), name: 'bare' });
    await expect(score({}, bare)).rejects.toThrow('influence needs texts, or features with labels');
  });

  it('pool and reference may be files, and what a budget keeps is written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quad-'));
    const random = new Random(2, 'files');
    const write = async (name: string, count: number, noisy: boolean) => {
      const rows = range(count).map((i) => {
        const [a, b] = [random.normal(), random.normal()];
        const label = noisy && i % 2 === 1 ? random.choice(['no', 'yes']) : a > 0 ? 'yes' : 'no';
        return JSON.stringify({ a: noisy && i % 2 === 1 ? a + 9 : a, b, label });
      });
      await writeFile(join(folder, name), `${rows.join('\n')}\n`);
    };
    await write('pool.jsonl', 200, true);
    await write('reference.jsonl', 40, false);
    const options = dataset.options.parse({ target: 'label' });
    const files = await dataset.load([join(folder, 'pool.jsonl')], options, run);
    const params = parseParams(quad, { reference: join(folder, 'reference.jsonl'), clusters: 2, block: 10 });
    const scores = await quad.score(files, params, run);
    const selection = select(scores, '30%');
    const out = join(folder, 'out.jsonl');
    await dataset.keep(files, { scores, selection }, { path: out, force: false }, run);
    const lines = (await readFile(out, 'utf8')).trim().split('\n');
    expect(lines.length).toBe(60);
    const near = lines.filter((line) => JSON.parse(line).a < 5);
    expect(near.length).toBeGreaterThan(30);
    await rm(folder, { recursive: true });
  });

  it('identical documents are one cluster, and score alike', async () => {
    const same = datasetInMemory({
      features: ['a'],
      values: new Float32Array(30).fill(2),
      labels: { classes: ['x', 'y'], of: new Uint32Array(30) },
    });
    const { values } = await influence.score(same, parseParams(influence, { per: 'cluster' }), run);
    expect(new Set(values).size).toBe(1);
    const played = await quad.score(same, parseParams(quad), run);
    expect(played.values.length).toBe(30);
  });
});

describe('methods by influence on texts', () => {
  const lines = readFileSync(
    fileURLToPath(new URL('../../../examples/recall/calibration.txt', import.meta.url)),
    'utf8',
  );
  const sentences = lines.split(' . ').filter((text) => text.length > 20);
  const real = range(24).map((i) => `${sentences.slice(8 * i, 8 * i + 8).join(' . ')} .`);
  const random = new Random(4, 'words');
  const scrambled = real.slice(0, 12).map((text) => random.shuffle(text.split(' ')).join(' '));
  const texts = [...real.slice(0, 12), ...scrambled];
  const reference = datasetInMemory({ texts: real.slice(12), name: 'reference' });
  const pool = Object.assign(datasetInMemory({ texts, name: 'pool', chunkLength: 10 }), {
    open: async () => reference,
  });
  const above = (values: Float32Array) => {
    let better = 0;
    for (const a of range(12)) for (const b of range(12)) if (values[a] > values[12 + b]) better++;
    return better / 144;
  };
  const params = { reference: 'reference', sample: 12, chunk: 64 };

  it.each([
    ['attention', 'ek-fac'],
    ['both', 'none'],
  ])(
    'texts of the reference’s language rank above scrambled ones by %s with curvature %s',
    async (layers, curvature) => {
      const { values } = await influence.score(pool, parseParams(influence, { ...params, layers, curvature }), run);
      expect(above(values)).toBeGreaterThan(0.8);
    },
    60_000,
  );

  it('quad plays clusters of words', async () => {
    const { values } = await quad.score(
      pool,
      parseParams(quad, { ...params, layers: 'attention', curvature: 'none', clusters: 3, probe: 2, rounds: 6 }),
      run,
    );
    expect(values.length).toBe(24);
    expect(values.every(Number.isFinite)).toBe(true);
  }, 60_000);

  it('an empty text scores 0, and a reference without a word is refused', async () => {
    const own = parseParams(influence, { ...params, layers: 'attention', curvature: 'none' });
    const withEmpty = Object.assign(datasetInMemory({ texts: ['', ...texts] }), { open: async () => reference });
    expect((await influence.score(withEmpty, own, run)).values[0]).toBe(0);
    const blank = Object.assign(datasetInMemory({ texts }), {
      open: async () => datasetInMemory({ texts: ['', ' '] }),
    });
    await expect(influence.score(blank, own, run)).rejects.toThrow('no text of the reference has two tokens');
  }, 60_000);

  it('dsir ranks texts with the reference’s pairs of words first', async () => {
    const { values } = await dsir.score(pool, parseParams(dsir, { reference: 'reference', noise: false }), run);
    expect(above(values)).toBeGreaterThan(0.8);
  });
});
