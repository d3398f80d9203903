import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execute, type Limits } from './execute.ts';
import type { Progress, WorkOrder } from './order.ts';

const limits: Limits = { seconds: 60, memory: 1_500_000_000, disk: 500_000_000 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'papers-execute-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function order(method: string, more: Partial<WorkOrder> = {}): WorkOrder {
  const { memory, disk } = limits;
  return { method, params: {}, options: {}, budget: '30%', seed: 0, folder, memory, disk, ...more };
}

function file(name: string, content: string | Uint8Array): Pick<WorkOrder, 'file'> {
  const path = join(folder, name);
  writeFileSync(path, content);
  return { file: { path, name } };
}

function run(asked: WorkOrder, under: Partial<Limits> = {}, signal = new AbortController().signal) {
  return execute(asked, { ...limits, ...under }, { signal, onProgress: () => {} });
}

/** Processes of runs that this one began; empty where there is no /proc. */
function children(): number[] {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, ppid] = /\) \w (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return Number(ppid) === process.pid && /runs\/worker\.js/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      } catch {
        return false;
      }
    });
}

describe('a run on a sample', () => {
  it.each([
    ['lexrank', '5', /^5 of 39 sentences of lighthouses.txt kept/, ['passages', 'strip']],
    ['global-mp', '50%', /^3,232 of 6,464 weights of examples\/digits-mlp kept/, ['table']],
    ['responsiveness', '3', /^3 of 11 columns of lending kept/, ['table', 'chart']],
    ['gais', '10%', /^30 of 300 instances kept/, ['table']],
  ])('%s is done, its title without paths', async (method, budget, title, kinds) => {
    const outcome = await run(order(method, { budget }));
    expect(outcome).toMatchObject({ state: 'done', result: { title: expect.stringMatching(title) } });
    if (outcome.state !== 'done') return;
    expect(outcome.result.blocks.map(({ kind }) => kind)).toEqual(expect.arrayContaining(kinds));
    expect(JSON.stringify(outcome.result)).not.toContain(folder);
  });

  it('gives the same again by the same seed', async () => {
    const [one, two] = await Promise.all([
      run(order('random-features', { seed: 3 })),
      run(order('random-features', { seed: 3 })),
    ]);
    expect(one).toEqual(two);
  });
});

/** The text beside the bundled model. */
function bundled(name: string): string {
  return readFileSync(
    fileURLToPath(new URL(`../../../../packages/salience/examples/recall/${name}`, import.meta.url)),
    'utf8',
  );
}

describe('a run on a text that the bundled model reads', () => {
  it('of a prompt goes on from a cache that was cut, and with all of it looks the fact up', async () => {
    const facts = 'note : wallet umber . note : pipe black . note : bucket linen . note : carpet silk .';
    const text = `<s> ${facts} the sailors haul the tug ashore . ask : bucket`;
    const asked = { options: { tokens: 2 }, ...file('upload.txt', text) };
    const outcome = await run(order('scissorhands', { ...asked, budget: '50%', params: { window: 4 } }));
    expect(outcome).toMatchObject({ state: 'done', result: { remarks: [] } });
    if (outcome.state !== 'done') return;
    const [title, { blocks }] = [outcome.result.title, outcome.result];
    expect(title).toMatch(/^15 to 16 of 31 entries kept in each of 8 heads \(budget 50%\)$/);
    const strip = blocks.find((block) => block.kind === 'strip');
    expect(strip?.parts.map((part) => part.text).join('')).toBe(text);
    const full = await run(order('full-cache', { ...asked, budget: '100%' }));
    expect(full).toMatchObject({
      state: 'done',
      result: { blocks: expect.arrayContaining([{ kind: 'text', text: expect.stringMatching(/linen \./) }]) },
    });
  });

  it('says how many of its words the model does not know', async () => {
    const outcome = await run(
      order('h2o', { ...file('upload.txt', 'the sailors read Plato and wrote to him .'), budget: '50%' }),
    );
    expect(outcome).toMatchObject({
      state: 'done',
      result: { remarks: ['5 of 9 tokens are words that the model does not know, read as <unk>'] },
    });
  });

  it('of a calibration text prunes by it, and otherwise by another', async () => {
    const text = bundled('calibration.txt');
    const options = { samples: 4, length: 64 };
    const by = (given: string) => run(order('wanda', { options, budget: '50%', ...file('upload.txt', given) }));
    const one = await by(text);
    rmSync(join(folder, 'kept'), { recursive: true });
    const other = await by(text.slice(text.indexOf('<s>', 10)));
    expect(one).toMatchObject({
      state: 'done',
      result: { title: expect.stringMatching(/weights of examples\/recall kept/) },
    });
    const remarks = [one, other].map((outcome) => (outcome.state === 'done' ? outcome.result.remarks : []));
    for (const [said] of remarks) expect(said).toMatch(/^calibration text: 4 blocks of 64 tokens \(sha256 \w{16}\)$/);
    expect(remarks[0]).not.toEqual(remarks[1]);
  });

  it('of a prompt that is too long fails with its tokens and the model’s positions', async () => {
    const outcome = await run(order('h2o', file('upload.txt', 'the boats moor . '.repeat(300))));
    expect(outcome).toMatchObject({
      state: 'failed',
      expected: true,
      error: expect.stringMatching(/1200 tokens.*1024 positions/),
    });
  });
});

describe('a run on a file', () => {
  it('calls the file by its owner’s name', async () => {
    const text = 'The tower fell. The tower of the town fell at night. People in the town heard the tower fall.';
    const path = join(folder, 'upload.txt');
    writeFileSync(path, text);
    const outcome = await run(order('lexrank', { budget: '1', file: { path, name: 'my notes.txt' } }));
    expect(outcome).toMatchObject({ state: 'done', result: { title: expect.stringContaining('my notes.txt') } });
  });

  it('of a table keeps its columns', async () => {
    const rows = Array.from({ length: 80 }, (_, i) => `${i % 7},${(i * i) % 11},${i % 7 > 3 ? 'yes' : 'no'}`);
    const given = file('t.csv', `a,b,ill\n${rows.join('\n')}\n`);
    const outcome = await run(order('mutual-information', { budget: '1', options: { target: 'ill' }, ...given }));
    expect(outcome).toMatchObject({
      state: 'done',
      result: { title: expect.stringContaining('1 of 2 columns of t.csv') },
    });
  });

  it('of examples keeps some of them, and tells without the server’s paths', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${(i * 13) % 29},${(i * 7) % 31},${i % 2}`);
    const given = file('d.csv', `x,y,label\n${rows.join('\n')}\n`);
    const outcome = await run(order('random-examples', { budget: '50%', options: { target: 'label' }, ...given }));
    expect(outcome).toMatchObject({ state: 'done' });
    expect(JSON.stringify(outcome)).not.toContain(folder);
  });

  it.each([
    ['global-mp', 'w.safetensors', header(2n ** 60n), /header should be/],
    ['global-mp', 'w.safetensors', header(99_000_000n), /header should be/],
    ['global-mp', 'w.safetensors', claiming([100_000_000, 1_000_000]), /w\.safetensors/],
    ['global-mp', 'w.safetensors', claiming([-1, 4]), /w\.safetensors/],
    ['global-mp', 'w.safetensors', holding({ w: tensor([2, 2], 96) }), /w\.safetensors: .*"w".* ends at/],
    [
      'global-mp',
      'w.safetensors',
      holding({ w: tensor([2, 2], 0), v: tensor([2, 2], 8) }),
      /w\.safetensors: .*overlap/,
    ],
    ['lexrank', 't.jsonl', '{"text": 5}\n', /t\.jsonl/],
    ['lexrank', 't.txt', '\u0000\u0001\u0002', /./],
    ['lasso', 't.csv', `${'a,'.repeat(200_000)}\n`, /./],
  ])('%s given a hostile %s fails with a word on the file', async (method, name, content, message) => {
    const outcome = await run(order(method, file(name, content)));
    expect(outcome).toMatchObject({ state: 'failed', error: expect.stringMatching(message) });
    expect(JSON.stringify(outcome)).not.toContain(folder);
  });
});

/** A safetensors file that says its header is this long. */
function header(length: bigint): Uint8Array {
  const bytes = new Uint8Array(64);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
}

/** A tensor as a header tells of it, beginning at this byte of the data. */
function tensor(shape: number[], from: number) {
  return { dtype: 'F32', shape, data_offsets: [from, from + shape.reduce((product, n) => product * n, 4)] };
}

/** A safetensors file of a few bytes that says its one tensor has this shape. */
function claiming(shape: number[]): Uint8Array {
  return holding({ w: tensor(shape, 0) });
}

/** A safetensors file with this header and 32 bytes of data. */
function holding(header: object): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + 32);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

describe('the process of a run', () => {
  it('is ended when its time is over', async () => {
    const outcome = await run(order('shapley-workflow'), { seconds: 0.3 });
    expect(outcome).toMatchObject({
      state: 'failed',
      expected: true,
      error: expect.stringMatching(/not done after 0\.3 s/),
    });
  });

  it('is ended when it takes more memory than it may have, of whatever kind', async () => {
    const outcome = await run(order('gblm', { memory: 120_000_000 }), { memory: 120_000_000 });
    expect(outcome).toMatchObject({
      state: 'failed',
      expected: true,
      error: expect.stringMatching(/more than 0\.12 GB/),
    });
  });

  it('is ended when its folder holds more than it may', async () => {
    writeFileSync(join(folder, 'written'), new Uint8Array(2_000_000));
    const outcome = await run(order('shapley-workflow', { disk: 1_000_000 }), { disk: 1_000_000 });
    expect(outcome).toMatchObject({
      state: 'failed',
      expected: true,
      error: expect.stringMatching(/wrote more than 0\.001 GB/),
    });
  });

  it('is ended by the signal, and tells its progress until then', async () => {
    const ended = new AbortController();
    const seen: Progress[] = [];
    const outcome = await execute(order('shapley-workflow'), limits, {
      signal: ended.signal,
      onProgress: (progress) => {
        seen.push(progress);
        ended.abort();
      },
    });
    expect(outcome).toEqual({ state: 'stopped' });
    expect(seen).toHaveLength(1);
    expect(children()).toEqual([]);
  });

  it.skipIf(!existsSync('/proc/self/environ'))('has nothing of the server’s environment', async () => {
    process.env.SALIENCE_SECRET_OF_TEST = 'not to be seen';
    const ended = new AbortController();
    let environment = '';
    await execute(order('shapley-workflow'), limits, {
      signal: ended.signal,
      onProgress: () => {
        for (const pid of children()) environment += readFileSync(`/proc/${pid}/environ`, 'utf8');
        ended.abort();
      },
    });
    delete process.env.SALIENCE_SECRET_OF_TEST;
    expect(environment).toMatch(/NODE_CHANNEL_FD/);
    expect(environment.replaceAll('\0', '\n')).not.toMatch(/SECRET|PATH=|HOME=/);
  });

  it('reads no file but its own and the program’s, and reaches no network', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'papers-outside-'));
    writeFileSync(join(outside, 'a.txt'), 'One sentence. Another one.');
    try {
      const path = join(outside, 'a.txt');
      const reading = await run(order('lexrank', { file: { path, name: 'a.txt' } }));
      expect(reading).toMatchObject({ state: 'failed', error: expect.stringMatching(/restricted|denied|read/i) });
      const beside = fileURLToPath(new URL('../../../../CONTRIBUTING.md', import.meta.url));
      expect(await run(order('lexrank', { file: { path: beside, name: 'b.md' } }))).toMatchObject({ state: 'failed' });
      const calling = await run(order('shap', { params: { model: 'http://127.0.0.1:9/' } }));
      expect(calling).toMatchObject({ state: 'failed' });
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('that falls is told apart from a run that fails', async () => {
    if (!existsSync('/proc/self/stat')) return;
    const outcome = await execute(order('shapley-workflow'), limits, {
      signal: new AbortController().signal,
      onProgress: () => {
        for (const pid of children()) process.kill(pid, 'SIGKILL');
      },
    });
    expect(outcome).toMatchObject({ state: 'fallen' });
  });
});
