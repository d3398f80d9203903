import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import { select } from '../../core/select.ts';
import { allFeatures } from './dataset.ts';
import { digitImages } from './digit-images.ts';
import { dataset } from './subject.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dataset-'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = new Run();

async function load(text: string | Uint8Array, options: Record<string, unknown> = {}, name = 'd.csv') {
  const path = join(folder, name);
  await writeFile(path, text);
  return dataset.load([path], parseParams({ id: 'dataset', params: dataset.options }, options) as never, run);
}

const scoresOf = (values: ArrayLike<number>): Scores => ({ unit: 'example', values: Float32Array.from(values) });

const flowers = `petal,colour,big,label
1.5,red,yes,rose
2.5,blue,no,iris
,red,no,rose
3.5,white,yes,lily
`;

describe('a dataset', () => {
  it('has numbers as they are, categories as a feature a level, missing numbers as the mean', async () => {
    const { features, labels, remarks, ...rest } = await load(flowers, { target: 'label' });
    expect(features).toEqual(['petal', 'colour=blue', 'colour=red', 'colour=white', 'big']);
    expect(Array.from(await allFeatures({ features, labels, remarks, ...rest }))).toEqual(
      [
        [1.5, 0, 1, 0, 1],
        [2.5, 1, 0, 0, 0],
        [2.5, 0, 1, 0, 0],
        [3.5, 0, 0, 1, 1],
      ].flat(),
    );
    expect(labels!.classes).toEqual(['iris', 'lily', 'rose']);
    expect([...labels!.of]).toEqual([2, 0, 2, 1]);
    expect(remarks).toContain('column petal: 1 missing cells are its mean, 2.5');
    expect(remarks).toContain('3 classes: iris 25.0%, lily 25.0%, rose 50.0%');
  });

  it('has the features that are named, lists of numbers too', async () => {
    const text = '{"v": [1, 2], "n": 3, "label": "a"}\n{"v": [4, 5], "n": 6, "label": "b"}\n';
    const loaded = await load(text, { features: 'v,n', target: 'label' }, 'd.jsonl');
    expect(loaded.features).toEqual(['v[0]', 'v[1]', 'n']);
    expect([...(await allFeatures(loaded))]).toEqual([1, 2, 3, 4, 5, 6]);
    const without = await load(text, { target: 'label' }, 'd.jsonl');
    expect(without.features).toEqual(['n']);
    expect(without.remarks).toContain('column v holds lists or objects; it is no feature');
    const { column } = await without.read(without.chunks[0]);
    expect(column('v')).toEqual([
      [1, 2],
      [4, 5],
    ]);
  });

  it('has texts, of the column called text or of another', async () => {
    const loaded = await load('text,topic\n"a, b",x\nc,y\n', { target: 'topic' });
    expect(loaded).toMatchObject({ hasText: true, features: [], examples: 2 });
    expect((await loaded.read(loaded.chunks[0])).texts).toEqual(['a, b', 'c']);
    const other = await load('said,topic\na,x\nb,y\n', { text: 'said' });
    expect((await other.read(other.chunks[0])).texts).toEqual(['a', 'b']);
  });

  it('takes a key that a line has not for missing', async () => {
    const loaded = await load('{"a": 1}\n{"a": 3, "late": "no"}\n{"late": "yes"}\n{"late": "yes"}\n', {}, 'gaps.jsonl');
    expect(loaded.features).toEqual(['a', 'late']);
    expect([...(await allFeatures(loaded))]).toEqual([1, Math.fround(2 / 3), 3, 0, 2, 1, 2, 1]);
    expect(loaded.remarks).toContain('column a: 2 missing cells are its mean, 2');
  });

  it('gives any column: numbers where it has numbers, undefined where a cell is missing', async () => {
    const { read, chunks } = await load(flowers, { target: 'label' });
    const { column } = await read(chunks[0]);
    expect(column('petal')).toEqual([1.5, 2.5, undefined, 3.5]);
    expect(column('label')).toEqual(['rose', 'iris', 'rose', 'lily']);
    expect(() => column('stem')).toThrow('has no column "stem"');
  });

  it('opens another file as it was read itself', async () => {
    const loaded = await load(flowers, { target: 'label' });
    const path = join(folder, 'other.csv');
    await writeFile(path, 'label,big,colour,petal\nrose,no,red,\niris,no,green,9\n');
    const other = await loaded.open!(path, run);
    expect(other.features).toEqual(loaded.features);
    expect([...(await allFeatures(other))]).toEqual([2.5, 0, 1, 0, 0, 9, 0, 0, 0, 0]);
  });

  it('is the same from CSV, JSONL and Parquet, in chunks and read again', async () => {
    const count = 150_000;
    const rows = Array.from({ length: count }, (_, i) => ({ x: i / 8, t: ['p', 'q', 'r'][i % 3], label: `k${i % 4}` }));
    const parquet = parquetWriteBuffer({
      columnData: [
        { name: 'x', data: rows.map(({ x }) => x), type: 'DOUBLE' },
        { name: 't', data: rows.map(({ t }) => t), type: 'STRING' },
        { name: 'label', data: rows.map(({ label }) => label), type: 'STRING' },
      ],
    });
    const csv = `x,t,label\n${rows.map(({ x, t, label }) => `${x},${t},${label}`).join('\n')}`;
    const jsonl = rows.map((row) => JSON.stringify(row)).join('\n');
    for (const [name, text] of [
      ['big.csv', csv],
      ['big.jsonl', jsonl],
      ['big.parquet', new Uint8Array(parquet)],
    ] as const) {
      const loaded = await load(text, { target: 'label' }, name);
      expect(loaded.examples).toBe(count);
      expect(loaded.features).toEqual(['x', 't=p', 't=q', 't=r']);
      expect(loaded.chunks.length).toBeGreaterThan(1);
      let next = 0;
      for (const chunk of loaded.chunks) {
        expect(chunk.start).toBe(next);
        next += chunk.length;
        const { features } = await loaded.read(chunk);
        for (const i of [0, chunk.length - 1]) {
          const row = chunk.start + i;
          const expected = [row / 8, 0, 0, 0];
          expected[1 + (row % 3)] = 1;
          expect([...features.subarray(4 * i, 4 * i + 4)]).toEqual(expected);
          expect(loaded.labels!.of[row]).toBe(row % 4);
        }
      }
      expect(next).toBe(count);
    }
  });

  it.each([
    [flowers, { target: 'kind' }, 'has no column "kind" for --target; it has petal, colour, big, label'],
    [flowers, { target: 'petal' }, 'line 4 has no petal; every example needs a class'],
    [flowers, { text: 'body' }, 'has no column "body" for --text'],
    [flowers, { features: 'petal,stem' }, 'has no column "stem" for --features'],
    [flowers, { types: 'label=number', target: 'label' }, 'label is the target, whose values are classes'],
    ['a,label\n', {}, 'has no rows'],
    ['text,y\na,1\n', { features: 'text', target: 'text' }, undefined],
  ])('%j with %j is refused', async (text, options, message) => {
    if (message === undefined) await expect(load(text, options)).resolves.toBeDefined();
    else await expect(load(text, options)).rejects.toThrow(message);
  });

  it('has at most 1,000 classes', async () => {
    const text = `x,y\n${Array.from({ length: 1500 }, (_, i) => `${i},${i}`).join('\n')}\n`;
    await expect(load(text, { target: 'y' })).rejects.toThrow('y has more than 1000 different values');
  });

  it('has lists of one length', async () => {
    await expect(load('{"v": [1, 2]}\n{"v": [1]}\n', { features: 'v' }, 'd.jsonl')).rejects.toThrow(
      'line 2, column v is a list of 1, and the first has 2',
    );
  });
});

describe('keeping a dataset', () => {
  const keep = async (
    loaded: Awaited<ReturnType<typeof load>>,
    values: number[],
    budget: number | string,
    path: string,
    force = false,
  ) => {
    const scores = scoresOf(values);
    return dataset.keep(loaded, { scores, selection: select(scores, budget) }, { path, force }, run);
  };

  it('writes the kept examples as they stood, and an index of what they are', async () => {
    const loaded = await load(flowers, { target: 'label' }, 'flowers.csv');
    const out = join(folder, 'kept.csv');
    const report = await keep(loaded, [0.25, 0.5, 0.125, 1], 2, out);
    expect(await readFile(out, 'utf8')).toBe('petal,colour,big,label\n2.5,blue,no,iris\n3.5,white,yes,lily\n');
    expect(
      (await readFile(`${out}.index.jsonl`, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { row: 1, score: 0.5, rank: 2, class: 'iris' },
      { row: 3, score: 1, rank: 1, class: 'lily' },
    ]);
    expect(report.title).toBe('2 of 4 examples of flowers.csv kept (budget 2)');
    expect(report.blocks[1]).toMatchObject({
      rows: [
        ['iris', 1, 1, '100.0%'],
        ['lily', 1, 1, '100.0%'],
        ['rose', 2, 0, '0.0%'],
      ],
    });
  });

  it('says which classes keep no example, and a budget under which each keeps one', async () => {
    const loaded = await load(flowers, { target: 'label' }, 'flowers.csv');
    const remarks = async (budget: number | string, groups?: Scores['groups']) => {
      const scores: Scores = { ...scoresOf([0.25, 0.5, 0.125, 1]), ...(groups && { groups }) };
      const { blocks } = await dataset.keep(
        loaded,
        { scores, selection: select(scores, budget) },
        { force: false },
        run,
      );
      return blocks.slice(1).flatMap((block) => (block.kind === 'text' ? [block.text] : []));
    };
    const classes = { names: loaded.labels!.classes, of: loaded.labels!.of };
    expect(await remarks(2)).toEqual(['No example is kept of class rose: what is trained on the rest cannot know it.']);
    expect(await remarks(1, classes)).toEqual([
      'No example is kept of classes iris, rose: what is trained on the rest cannot know them.',
    ]);
    expect(await remarks(3, classes)).toEqual([]);
    loaded.labels!.of.set([1, 1, 0, 1]);
    expect(await remarks('75%', classes)).toEqual([
      'No example is kept of class iris: what is trained on the rest cannot know it. The budget "75%, floor 1" keeps one of each.',
    ]);
    expect(await remarks('75%, floor 1', classes)).toEqual([]);
  });

  it('writes Parquet where it read Parquet', async () => {
    const bytes = parquetWriteBuffer({ columnData: [{ name: 'x', data: [1.5, 2.5, 3.5], type: 'DOUBLE' }] });
    const loaded = await load(new Uint8Array(bytes), {}, 'three.parquet');
    const out = join(folder, 'two.parquet');
    await keep(loaded, [3, 1, 2], 2, out);
    const file = (await readFile(out)).buffer as ArrayBuffer;
    expect(await parquetReadObjects({ file: new Uint8Array(await readFile(out)).buffer as ArrayBuffer })).toEqual([
      { x: 1.5 },
      { x: 3.5 },
    ]);
    expect(file.byteLength).toBeGreaterThan(0);
  });

  it('writes both files or none', async () => {
    const loaded = await load(flowers, {}, 'flowers.csv');
    const place = join(folder, 'both');
    await mkdir(place);
    const out = join(place, 'out.csv');
    await writeFile(`${out}.index.jsonl`, 'mine\n');
    await expect(keep(loaded, [1, 2, 3, 4], 2, out)).rejects.toThrow('out.csv.index.jsonl exists already');
    expect(await readdir(place)).toEqual(['out.csv.index.jsonl']);
    await rm(`${out}.index.jsonl`);
    await mkdir(out); // a folder is not replaced by a file, which shows at the very end
    await expect(keep(loaded, [1, 2, 3, 4], 2, out, true)).rejects.toThrow('is a folder');
    expect(await readdir(place)).toEqual(['out.csv']);
    await writeFile(`${out}.index.jsonl`, 'mine\n');
    await expect(keep(loaded, [1, 2, 3, 4], 2, out, true)).rejects.toThrow('is a folder');
    expect(await readFile(`${out}.index.jsonl`, 'utf8')).toBe('mine\n');
    expect(await readdir(place)).toEqual(['out.csv', 'out.csv.index.jsonl']);
    await rm(out, { recursive: true });
    await keep(loaded, [1, 2, 3, 4], 2, out, true);
    expect((await readdir(place)).sort()).toEqual(['out.csv', 'out.csv.index.jsonl']);
  });

  it('refuses a budget that rounds to no example, and scores of something else', async () => {
    const loaded = await load(flowers, {}, 'flowers.csv');
    await expect(keep(loaded, [1, 2, 3, 4], 0, join(folder, 'none.csv'))).rejects.toThrow(
      'the budget 0 keeps no example of 4',
    );
    await expect(keep(loaded, [1, 2], 1, join(folder, 'none.csv'))).rejects.toThrow(
      'there are 2 scores for 4 examples',
    );
    await expect(keep(await dataset.sample(run), new Array(300).fill(1), 3, join(folder, 'none.csv'))).rejects.toThrow(
      'has no file',
    );
  });
});

describe('the images of digits', () => {
  it('are 8 × 8 whole pixels from 0 to 16, about as many of each digit', async () => {
    const { examples, labels, features } = await dataset.sample(run);
    expect([examples, features.length, labels!.classes.length]).toEqual([300, 64, 10]);
    const pixels = await allFeatures(await dataset.sample(run));
    expect(pixels.every((pixel) => Number.isInteger(pixel) && pixel >= 0 && pixel <= 16)).toBe(true);
    for (let k = 0; k < 10; k++) expect(labels!.of.filter((of) => of === k)).toHaveLength(30);
  });

  it('can be told apart by the nearest mean of other images, though not perfectly', async () => {
    const images = digitImages(1000, new Run().random('digits'));
    const values = await allFeatures(images);
    const of = images.labels!.of;
    const means = Array.from({ length: 10 }, () => new Float64Array(64));
    for (let i = 0; i < 500; i++) for (let p = 0; p < 64; p++) means[of[i]][p] += values[i * 64 + p];
    const counts = new Float64Array(10);
    for (let i = 0; i < 500; i++) counts[of[i]]++;
    let right = 0;
    for (let i = 500; i < 1000; i++) {
      const distance = means.map((mean, k) =>
        mean.reduce((sum, m, p) => sum + (m / counts[k] - values[i * 64 + p]) ** 2, 0),
      );
      if (distance.indexOf(Math.min(...distance)) === of[i]) right++;
    }
    expect(right / 500).toBeGreaterThan(0.6);
    expect(right / 500).toBeLessThan(0.99);
  });
});

describe('the bundled documents', () => {
  it('have texts of topics, and a reference that can be read like them', async () => {
    const options = parseParams({ id: 'dataset', params: dataset.options }, { target: 'topic' });
    const bundled = (name: string) => fileURLToPath(new URL(`../../../examples/tables/${name}`, import.meta.url));
    const documents = await dataset.load([bundled('documents.jsonl')], options as never, run);
    expect([documents.examples, documents.hasText, documents.features]).toEqual([600, true, []]);
    expect(documents.labels!.classes).toEqual(['bread', 'chess', 'gardens', 'gibberish', 'tides', 'trains', 'weather']);
    const reference = await documents.open!(bundled('reference.jsonl'), run);
    expect([reference.examples, reference.labels!.classes]).toEqual([60, ['gardens', 'tides']]);
    expect((await reference.read(reference.chunks[0])).texts).toHaveLength(60);
  });
});
