import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import { select } from '../../core/select.ts';
import { preferences } from './subject.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preferences-'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = new Run();

async function load(text: string, options: Record<string, unknown> = {}, name = 'p.jsonl') {
  const path = join(folder, name);
  await writeFile(path, text);
  return preferences.load(
    [path],
    parseParams({ id: 'preferences', params: preferences.options }, options) as never,
    run,
  );
}

describe('preferences', () => {
  it('are prompts with two answers, and any further column', async () => {
    const text =
      '{"prompt": "p", "chosen": "good", "rejected": "bad", "quality": 7, "embedding": [1, 2]}\n' +
      '{"prompt": "p", "chosen": "42", "rejected": "worse", "quality": null, "embedding": [3, 4]}\n';
    const { hasPairs, hasText, features, examples, read, chunks } = await load(text);
    expect({ hasPairs, hasText, features, examples }).toEqual({
      hasPairs: true,
      hasText: false,
      features: [],
      examples: 2,
    });
    const { pairs, column } = await read(chunks[0]);
    expect(pairs).toEqual([
      { prompt: 'p', chosen: 'good', rejected: 'bad' },
      { prompt: 'p', chosen: '42', rejected: 'worse' },
    ]);
    expect(column('quality')).toEqual([7, undefined]);
    expect(column('embedding')).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('have numbers and lists also where they come from CSV', async () => {
    const { read, chunks } = await load(
      'q,a,b,quality,v\nwhy,12,13,7.5,"[1, 2]"\n',
      { prompt: 'q', chosen: 'a', rejected: 'b' },
      'p.csv',
    );
    const { pairs, column } = await read(chunks[0]);
    expect(pairs).toEqual([{ prompt: 'why', chosen: '12', rejected: '13' }]);
    expect(column('quality')).toEqual([7.5]);
    expect(column('v')).toEqual([[1, 2]]);
    expect(column('a')).toEqual(['12']);
  });

  it('may be lists of chat messages, of which the last is the answer', async () => {
    const message = (content: string) => ({ role: 'x', content });
    const { read, chunks } = await load(
      JSON.stringify({
        prompt: [message('hello')],
        chosen: [message('hello'), message('yes')],
        rejected: [message('hello'), message('no')],
      }),
    );
    expect((await read(chunks[0])).pairs).toEqual([{ prompt: 'hello', chosen: 'yes', rejected: 'no' }]);
  });

  it('have features where they are named', async () => {
    const text =
      '{"prompt": "p", "chosen": "a", "rejected": "b", "v": [1, 2]}\n{"prompt": "p", "chosen": "a", "rejected": "b", "v": [3, 4]}\n';
    const { read, chunks, features } = await load(text, { features: 'v' });
    expect(features).toEqual(['v[0]', 'v[1]']);
    expect([...(await read(chunks[0])).features]).toEqual([1, 2, 3, 4]);
  });

  it('are refused without one of their columns, or with an answer that is none', async () => {
    await expect(load('{"prompt": "p", "chosen": "a"}\n')).rejects.toThrow(
      'has no column "rejected" for --rejected; it has prompt, chosen',
    );
    const { read, chunks } = await load('{"prompt": "p", "chosen": "a", "rejected": null}\n');
    await expect(read(chunks[0])).rejects.toThrow('line 1, column rejected is missing and should be a text');
  });

  it('are kept with an index', async () => {
    const lines = ['a', 'b', 'c'].map((name) => `{"prompt": "${name}",  "chosen": "x", "rejected": "y"}`);
    const loaded = await load(lines.join('\n'));
    const out = join(folder, 'kept.jsonl');
    const scores = { unit: 'preference pair', values: Float32Array.of(2, 1, 3) };
    const report = await preferences.keep(
      loaded,
      { scores, selection: select(scores, 2) },
      { path: out, force: false },
      run,
    );
    expect(await readFile(out, 'utf8')).toBe(`${lines[0]}\n${lines[2]}\n`);
    expect(report.title).toBe('2 of 3 preference pairs of p.jsonl kept (budget 2)');
  });

  it('have a sample in which prompts repeat with one quality and one embedding each', async () => {
    const { examples, read, chunks } = await preferences.sample(run);
    expect(examples).toBe(200);
    const { pairs, column } = await read(chunks[0]);
    const about = new Map<string, string>();
    for (const [i, { prompt, chosen, rejected }] of pairs!.entries()) {
      expect(chosen).not.toBe('');
      expect(rejected).not.toBe('');
      const facts = JSON.stringify([column('quality')[i], column('embedding')[i]]);
      expect(about.get(prompt) ?? facts).toBe(facts);
      about.set(prompt, facts);
    }
    expect(about.size).toBeLessThan(120);
    const wrong = (column('margin') as number[]).filter((margin) => margin < 0).length;
    expect(wrong).toBeGreaterThan(5);
    expect(wrong).toBeLessThan(60);
  });
});

it('the bundled pairs are read with their columns', async () => {
  const path = fileURLToPath(new URL('../../../examples/tables/preferences.jsonl', import.meta.url));
  const options = parseParams({ id: 'preferences', params: preferences.options });
  const { examples, read, chunks } = await preferences.load([path], options as never, run);
  expect(examples).toBe(500);
  const { column } = await read(chunks[0]);
  for (const name of ['quality', 'margin', 'chosen_reward', 'rejected_reward']) {
    expect(column(name).every((value) => typeof value === 'number')).toBe(true);
  }
  expect(column('embedding').every((value) => (value as number[]).length === 8)).toBe(true);
});
