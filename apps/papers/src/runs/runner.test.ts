import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { connect } from '../database/connect.ts';
import { runs } from '../database/schema.ts';
import type { Site } from '../site.ts';
import { cancelRun, leaseSeconds, type NewRun, queueRun, runOf } from './queue.ts';
import { type Runner, startRuns } from './runner.ts';
import { watchRun } from './watch.ts';

let site: TestSite;
let runner: Runner | undefined;
beforeAll(async () => {
  site = await testSite();
}, 60_000);
afterEach(async () => {
  await runner?.stop();
  runner = undefined;
  await site.database.db.delete(runs);
}, 60_000);
afterAll(() => site.close());

function asked(method: string, more: Partial<NewRun> = {}): NewRun {
  return { method, params: {}, options: {}, budget: '5', seed: 0, by: 'ann', ...more };
}

/** States of a run until it is over. */
async function statesOf(where: Site, id: string): Promise<string[]> {
  const states: string[] = [];
  for await (const { state } of watchRun(where, id, new AbortController().signal)) {
    if (states.at(-1) !== state) states.push(state);
  }
  return states;
}

describe('the runner', () => {
  it('does what is queued, uploads too, and those who watch see it', async () => {
    runner = startRuns(site, { slots: 2 });
    const text = 'The tower fell. The tower of the town fell at night. People in the town heard the tower fall.';
    const file = { name: 'n.txt', bytes: new TextEncoder().encode(text) };
    const [one, two] = [
      await queueRun(site, asked('lexrank')),
      await queueRun(site, asked('centroid', { budget: '1', file })),
    ];
    const states = await Promise.all([statesOf(site, one), statesOf(site, two)]);
    for (const seen of states) expect(seen.at(-1)).toBe('done');
    expect(await runOf(site, two)).toMatchObject({
      report: { title: expect.stringMatching(/^1 of 3 sentences of n\.txt/) },
    });
    expect(readdirSync(join(site.config.data, 'runs'))).toEqual([]);
  });

  it('ends a run that is cancelled in another instance', async () => {
    runner = startRuns(site, { slots: 1 });
    const id = await queueRun(site, asked('shapley-workflow'));
    const elsewhere: Site = { ...site, database: { ...site.database } };
    for await (const { state } of watchRun(site, id, new AbortController().signal)) {
      if (state === 'running') await cancelRun(elsewhere, id);
    }
    expect(await runOf(site, id)).toMatchObject({ state: 'cancelled' });
    // The place is free again.
    expect((await statesOf(site, await queueRun(site, asked('lexrank')))).at(-1)).toBe('done');
  });

  it('puts back what runs when it is stopped', async () => {
    const first = startRuns(site, { slots: 1 });
    const id = await queueRun(site, asked('shapley-workflow'));
    for await (const { state } of watchRun(site, id, new AbortController().signal)) if (state === 'running') break;
    await first.stop();
    expect(await runOf(site, id)).toMatchObject({ state: 'queued', attempts: 0 });
  });

  it('leaves a run whose upload lies with another instance to that one, and gives up in the end', async () => {
    const bytes = new TextEncoder().encode('One. Two.');
    const id = await queueRun(
      { ...site, config: { ...site.config, data: join(site.config.data, 'elsewhere') } },
      asked('lexrank', { file: { name: 'a.txt', bytes } }),
    );
    runner = startRuns(site, { slots: 1 });
    expect((await statesOf(site, await queueRun(site, asked('lexrank')))).at(-1)).toBe('done');
    expect(await runOf(site, id)).toMatchObject({ state: 'queued', attempts: 0 });
    site.now = new Date(site.now.getTime() + 3_601_000);
    expect((await statesOf(site, id)).at(-1)).toBe('failed');
  });
});

const built = fileURLToPath(new URL('../../dist/', import.meta.url));

/** A server that begins to work on a run, as a program. */
const server = `
  import { connect } from '${built}database/connect.js';
  import { queueRun, runOf } from '${built}runs/queue.js';
  import { startRuns } from '${built}runs/runner.js';
  const folder = process.argv[1];
  const log = { info() {}, error() {} };
  const site = { config: { data: folder, secret: 'x' }, clock: () => new Date(), database: await connect({ folder }), log };
  startRuns(site, { slots: 1 });
  const id = await queueRun(site, { method: 'scissorhands', params: {}, options: {}, budget: '25%', seed: 0, by: 'ann' });
  const timer = setInterval(async () => {
    if ((await runOf(site, id)).progress) { clearInterval(timer); console.log(id); }
  }, 20);
`;

/** Processes that run this file, by /proc. */
function processesOf(program: string, parent?: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, ppid] = /\) \w (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        const ours = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program);
        return ours && (parent === undefined || Number(ppid) === parent);
      } catch {
        return false;
      }
    });
}

describe.skipIf(!existsSync('/proc/self/stat'))('a server that is killed in the middle of a run', () => {
  it('takes its runs’ processes with it, and the next one does the run to its end', { timeout: 180_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'papers-killed-'));
    try {
      const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', server, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(child.stdout!, 'data')) as [Buffer];
      const id = line.toString().trim();
      const [worker] = processesOf('runs/worker.js', child.pid);
      expect(worker).toBeGreaterThan(0);
      child.kill('SIGKILL');
      await once(child, 'exit');
      for (let i = 0; i < 600 && existsSync(`/proc/${worker}/status`); i++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(existsSync(`/proc/${worker}/status`)).toBe(false);

      const later: Site = {
        ...site,
        config: { ...site.config, data: folder },
        database: await connect({ folder }),
        clock: () => new Date(Date.now() + 1000 * (leaseSeconds + 1)),
      };
      expect(await runOf(later, id)).toMatchObject({ state: 'running', attempts: 1, report: null });
      runner = startRuns(later, { slots: 1 });
      expect((await statesOf(later, id)).at(-1)).toBe('done');
      expect(await runOf(later, id)).toMatchObject({ attempts: 2, report: { title: expect.stringMatching(/kept/) } });
      await runner.stop();
      runner = undefined;
      await later.database.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
