import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { catalogue } from '../src/catalogue.ts';
import { flagOf } from '../src/cli/flag.ts';
import { buildProgram } from '../src/cli/program.ts';
import { f32, safetensors, temporaryFolder, writeFiles } from './made-safetensors.ts';

// These run the built program, as a user does: npm test builds it first.
const program = fileURLToPath(new URL('../bin/salience.js', import.meta.url));
const example = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
const folder = temporaryFolder();

function salience(args: string[], input = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    input,
    encoding: 'utf8',
    cwd: folder,
  });
  return { code: status, out: stdout, err: stderr };
}

/** What a command prints, without a process of its own. */
async function printed(args: string[]): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await (await buildProgram(args)).parseAsync(args, { from: 'user' });
    return write.mock.calls.map(([text]) => text).join('');
  } finally {
    write.mockRestore();
  }
}

// A star of four sentences and one that stands alone: of sum 1, the centre has p = 0.305155, a leaf 0.164948, the lone one 1/5.
const article =
  'Apples, pears and plums are sold. Apples grow fast. Pears taste sweet. Plums look blue. Trains run late.';

describe('salience', () => {
  it('says what it can do and how it is called', () => {
    const { code, out } = salience(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('salience keep article.txt --by lexrank --budget 5');
    expect(salience(['keep', '--help']).out).toContain('mass=0.9');
    expect(salience(['--version']).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('lists all 59 systems, those implemented and those planned', () => {
    const { systems, baselines } = JSON.parse(salience(['list', '--json']).out);
    expect(systems).toHaveLength(59);
    const implemented = systems.filter(({ state }: { state: string }) => state === 'implemented');
    expect(implemented.map(({ id }: { id: string }) => id)).toEqual([
      'responsiveness',
      'global-mp',
      'semre-rank',
      'scissorhands',
      'rashomon-fis',
      'kan-select',
      'fifa',
      'vog',
      'quad',
      'lexrank',
      'gblm',
      'shapley-workflow',
      'gais',
    ]);
    expect(implemented.length + baselines.length).toBe(catalogue.length);
    expect(salience(['list']).out).toContain('planned');
  });

  it.each(catalogue.map(({ id }) => id))('shows the card of %s with every parameter', async (id) => {
    const out = await printed(['show', id]);
    const { params, formula } = await catalogue.find((entry) => entry.id === id)!.load();
    expect(out).toContain(formula);
    for (const name of Object.keys(params.shape)) expect(out).toContain(flagOf(name));
    expect(JSON.parse(await printed(['show', id, '--json'])).id).toBe(id);
  });

  it('shows the same card as a process of its own', async () => {
    const { code, out } = salience(['show', 'lexrank']);
    expect(code).toBe(0);
    expect(out).toContain((await catalogue.find(({ id }) => id === 'lexrank')!.load()).formula);
  });

  it('shows the paper of a planned system and says that it is planned', () => {
    expect(salience(['show', 'ist']).out).toMatch(/planned, not implemented yet[\s\S]*arXiv:/);
  });

  it('has no method or subject with a flag that the command itself has', async () => {
    for (const { id, load } of catalogue) {
      const { params, subject } = await load();
      const command = (await buildProgram(['keep'])).commands.find((c) => c.name() === 'keep')!;
      const own = command.options.map(({ long }) => long);
      const added = [...Object.keys(params.shape), ...Object.keys(subject.options.shape)].map(flagOf);
      expect([id, added.filter((flag) => own.includes(flag))]).toEqual([id, []]);
      expect(new Set(added).size).toBe(added.length);
    }
  });

  it.each([
    ['bash', /complete -o default -F _salience salience/],
    ['zsh', /bashcompinit/],
    ['fish', /complete -c salience .*lexrank/],
  ])('completes in %s', (shell, expected) => {
    expect(salience(['completion', shell]).out).toMatch(expected);
  });
});

describe('salience keep', () => {
  it('reads standard input and prints the sentences kept, in order, with their scores', () => {
    const { code, out } = salience(['keep', '-', '--by', 'lexrank', '--budget', '2'], article);
    expect(code).toBe(0);
    const [first, second] = out.trim().split('\n').slice(-2);
    expect([first, second]).toEqual(['1.0000  Apples, pears and plums are sold.', '0.6554  Trains run late.']);
  });

  it('prints JSON that says what was asked and what was kept', () => {
    const result = JSON.parse(salience(['keep', '-', '--by', 'lexrank', '--budget', '40%', '--json'], article).out);
    expect(result).toMatchObject({ method: 'lexrank', unit: 'sentence', of: 5, count: 2, budget: '40%', seed: 0 });
    expect(result.params.threshold).toBe(0.1);
    expect(result.units.map(({ label }: { label: string }) => label)).toEqual([
      'Apples, pears and plums are sold.',
      'Trains run late.',
    ]);
  });

  it('takes a parameter by its flag and by --set alike', () => {
    const by = (...args: string[]) =>
      JSON.parse(salience(['score', '-', '--by', 'lexrank', '--json', ...args], article).out);
    const flag = by('--threshold', '0.3', '--stop-words', 'true');
    expect(flag.params).toMatchObject({ threshold: 0.3, stopWords: true });
    expect(by('--set', 'threshold=0.3', 'stopWords=true')).toEqual(flag);
    expect(by('--set', 'threshold=0.3', '--set', 'stopWords=true')).toEqual(flag);
  });

  it('writes the kept text, and replaces it only with --force', () => {
    writeFileSync(join(folder, 'a.txt'), article);
    const keep = (...more: string[]) =>
      salience(['keep', 'a.txt', '--by', 'lexrank', '--budget', '1', '--out', 'kept.txt', ...more]);
    expect(keep().code).toBe(0);
    expect(readFileSync(join(folder, 'kept.txt'), 'utf8')).toBe('Apples, pears and plums are sold.\n');
    const again = keep();
    expect([again.code, again.err]).toEqual([
      1,
      expect.stringContaining('kept.txt exists already; --force replaces it'),
    ]);
    expect(keep('--force').code).toBe(0);
  });

  it('prunes a checkpoint to the same bytes on one thread and on several', () => {
    const out = (threads: string) => {
      const args = [
        'keep',
        example('digits-mlp'),
        '--by',
        'global-mp',
        '--budget',
        '30%',
        '--out',
        `t${threads}`,
        '--threads',
        threads,
      ];
      const { code, out: text } = salience(args);
      expect([code, text]).toEqual([0, expect.stringContaining('1,940 of 6,464 weights')]);
      return readFileSync(join(folder, `t${threads}`, 'model.safetensors'));
    };
    expect(out('3').equals(out('1'))).toBe(true);
    expect(existsSync(join(folder, 't1', 'config.json'))).toBe(true);
  });

  it('hands ties out alike on one thread and on several, over many chunks', () => {
    const size = 2 ** 21 * 3 + 5;
    const values = Float32Array.from({ length: size }, (_, i) => (i % 7) - 3);
    writeFiles(folder, {
      'ties.safetensors': safetensors([f32('w', [1, size], values), f32('v', [1, 8], values.subarray(0, 8))]),
    });
    const out = (threads: string) => {
      const args = [
        'keep',
        'ties.safetensors',
        '--by',
        'global-mp',
        '--budget',
        '60%',
        '--out',
        `ties${threads}.safetensors`,
        '--threads',
        threads,
      ];
      expect(salience(args).err).toBe('');
      return readFileSync(join(folder, `ties${threads}.safetensors`));
    };
    expect(out('4').equals(out('1'))).toBe(true);
  });

  it('names on several threads too the weight that is not finite', () => {
    writeFiles(folder, { 'bad.safetensors': safetensors([f32('w', [2, 2], [1, 2, Number.NaN, 4])]) });
    const { code, err } = salience([
      'keep',
      'bad.safetensors',
      '--by',
      'global-mp',
      '--budget',
      '1',
      '--out',
      'x.safetensors',
      '--threads',
      '2',
    ]);
    expect([code, err]).toEqual([1, 'salience: w: the score of weight 2 is NaN; scores must be finite\n']);
  });

  it('killed in the middle of a write leaves the old output whole and nothing under a final name', async () => {
    const size = 2 ** 21 * 24;
    const weights = Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    mkdirSync(join(folder, 'large'));
    writeFiles(join(folder, 'large'), { 'model.safetensors': safetensors([f32('w', [1, size], weights)]) });
    mkdirSync(join(folder, 'old'));
    writeFiles(join(folder, 'old'), { 'note.txt': 'what was there' });
    const args = [
      program,
      'keep',
      'large',
      '--by',
      'global-mp',
      '--budget',
      '50%',
      '--out',
      'old',
      '--force',
      '--threads',
      '1',
    ];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
    const partial = () => readdirSync(folder).find((name) => name.startsWith('.old.partial-'));
    while (partial() === undefined && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(child.signalCode).toBe('SIGKILL');
    expect(readdirSync(join(folder, 'old'))).toEqual(['note.txt']);
    expect(partial()).toBeDefined();
    // The next run of the same output tidies up.
    expect(salience(args.slice(1)).code).toBe(0);
    expect(partial()).toBeUndefined();
    expect(readdirSync(join(folder, 'old'))).toEqual(['model.safetensors']);
  });

  it('interrupted removes what it had begun', async () => {
    const args = [program, 'keep', 'large', '--by', 'global-mp', '--budget', '50%', '--out', 'never', '--threads', '2'];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
    const partial = () => readdirSync(folder).find((name) => name.startsWith('.never.partial-'));
    while (partial() === undefined && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(130);
    expect(readdirSync(folder).filter((name) => name.includes('never'))).toEqual([]);
  });

  /** A checkpoint of four shards, large enough to be interrupted in the middle. */
  const sharded = () => {
    const at = join(folder, 'sharded');
    if (existsSync(at)) return 'sharded';
    mkdirSync(at);
    const size = 2 ** 23;
    const names = [0, 1, 2, 3].map((s) => `m-${s}.safetensors`);
    const weights = Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    writeFiles(at, Object.fromEntries(names.map((name, s) => [name, safetensors([f32(`w${s}`, [1, size], weights)])])));
    const map = Object.fromEntries(names.map((name, s) => [`w${s}`, name]));
    writeFiles(at, { 'model.safetensors.index.json': { weight_map: map }, 'config.json': {} });
    return 'sharded';
  };

  it('interrupted while several shards are written removes what it had begun', async () => {
    for (const out of ['cut-a', 'cut-b', 'cut-c']) {
      const args = [program, 'keep', sharded(), '--by', 'global-mp', '--budget', '50%', '--out', out, '--threads', '4'];
      const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
      const begun = () => readdirSync(folder).some((name) => name.startsWith(`.${out}.partial-`));
      while (!begun() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill('SIGINT');
      expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130);
      expect(readdirSync(folder).filter((name) => name.includes(out))).toEqual([]);
    }
  });

  it.skipIf(process.platform === 'win32')(
    'told by the system that a file is too large removes what it had begun (skipped on Windows)',
    () => {
      const command = `ulimit -f 20000; "${process.execPath}" "${program}" keep ${sharded()} --by global-mp --budget 50% --out big --threads 4`;
      const { status, stderr } = spawnSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' });
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^salience: big cannot be written: .+\n$/)]);
      expect(readdirSync(folder).filter((name) => name.includes('big'))).toEqual([]);
    },
  );

  it('makes companions that can be replaced, also of a read-only original', () => {
    chmodSync(join(folder, sharded(), 'config.json'), 0o444);
    expect(salience(['keep', sharded(), '--by', 'global-mp', '--budget', '50%', '--out', 'writable']).code).toBe(0);
    expect(statSync(join(folder, 'writable', 'config.json')).mode & 0o200).toBe(0o200);
  });

  it('reads JSONL from standard input as documents', () => {
    const lines = ['Apples are red.', 'Pears are green.'].map((text) => JSON.stringify({ text })).join('\n');
    const { units } = JSON.parse(salience(['keep', '-', '--by', 'lexrank', '--budget', '2', '--json'], lines).out);
    expect(units.map(({ label }: { label: string }) => label)).toEqual(['Apples are red.', 'Pears are green.']);
    expect(units[1].group).toBe('standard input, line 2');
    expect(salience(['keep', '-', '--by', 'lexrank', '--budget', '1'], `${lines}\n{"x":1}`).err).toMatch(
      /line 3 has no "text"/,
    );
  });

  it.skipIf(!existsSync('/dev/full'))('says that standard output cannot be written (skipped without /dev/full)', () => {
    const { status, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${program}" list > /dev/full`], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^salience: standard output cannot be written: .*\n$/)]);
  });

  it.each<[string, string[], number, RegExp]>([
    [
      'a method that does not exist',
      ['keep', '-', '--by', 'lexrnk', '--budget', '1'],
      2,
      /there is no method "lexrnk"/,
    ],
    ['a planned method', ['keep', '-', '--by', 'ist', '--budget', '1'], 2, /ist \(IST\) is planned/],
    ['no method', ['keep', '-', '--budget', '1'], 2, /--by/],
    ['no budget', ['keep', '-', '--by', 'lexrank'], 2, /--budget/],
    [
      'a budget above 100%',
      ['keep', 'nothing.txt', '--by', 'lexrank', '--budget', '101%'],
      2,
      /budget 101% is above 100%/,
    ],
    ['a budget below 0', ['keep', '-', '--by', 'lexrank', '--budget=-1'], 2, /budget -1 is below 0/],
    ['a budget that is none', ['keep', '-', '--by', 'lexrank', '--budget', 'abc'], 2, /cannot read "abc"/],
    [
      'an unknown parameter',
      ['keep', '-', '--by', 'lexrank', '--budget', '1', '--set', 'x=1'],
      2,
      /lexrank has no parameter "x"/,
    ],
    [
      'a parameter out of range',
      ['keep', '-', '--by', 'lexrank', '--budget', '1', '--threshold', '2'],
      2,
      /parameter threshold = "2"/,
    ],
    [
      'an unknown flag',
      ['keep', '-', '--by', 'lexrank', '--budget', '1', '--thresh', '2'],
      2,
      /unknown option '--thresh'/,
    ],
    [
      'a seed that is no number',
      ['keep', '-', '--by', 'lexrank', '--budget', '1', '--seed', 'x'],
      2,
      /--seed x is not a whole number/,
    ],
    ['a file that is not there', ['keep', 'nothing.txt', '--by', 'lexrank', '--budget', '1'], 1, /nothing\.txt/],
    ['empty text', ['keep', '-', '--by', 'lexrank', '--budget', '1'], 1, /no sentence/],
    ['a checkpoint without an output', ['keep', 'x', '--by', 'global-mp', '--budget', '50%'], 2, /--out/],
    [
      'a subject of another kind',
      ['keep', 'a.txt', '--by', 'global-mp', '--budget', '50%', '--out', 'y'],
      1,
      /a\.txt: a checkpoint is/,
    ],
    ['an unknown command', ['kep'], 2, /unknown command 'kep'/],
    ['a claim of a baseline', ['verify', 'centroid'], 2, /centroid is a baseline/],
    ['a ledger in a folder that is not there', ['verify', '--out', 'nowhere'], 1, /nowhere is no folder/],
    [
      'an output on standard output',
      ['keep', 'a.txt', '--by', 'lexrank', '--budget', '1', '--out', '-'],
      1,
      /"-" names no file/,
    ],
  ])('refuses %s', (_, args, code, message) => {
    const result = salience(args);
    expect([result.code, result.out]).toEqual([code, '']);
    expect(result.err).toMatch(message);
    expect(result.err).not.toMatch(/\n {4}at /);
  });
});

describe('salience score', () => {
  it('of a checkpoint with a budget tells what each tensor keeps', () => {
    const args = ['score', example('digits-mlp'), '--by', 'global-mp', '--budget', '30%'];
    expect(salience(args).out).toMatch(/1,940 of 6,464 weights kept[\s\S]*hidden\.0\.weight +4,096 +1,0/);
    const { groups, cuts, count } = JSON.parse(salience([...args, '--json']).out);
    expect(groups.reduce((sum: number, { kept }: { kept: number }) => sum + kept, 0)).toBe(count);
    expect(cuts).toEqual([{ threshold: expect.any(Number), ties: 'all' }]);
  });

  it('of a checkpoint counts ties as they are shared out', () => {
    const size = 30;
    writeFiles(folder, {
      'even.safetensors': safetensors([
        f32('a', [1, size], Array(size).fill(1)),
        f32('b', [1, size], Array(size).fill(-1)),
      ]),
    });
    const { groups, cuts } = JSON.parse(
      salience(['score', 'even.safetensors', '--by', 'global-mp', '--budget', '40', '--json']).out,
    );
    expect(groups.map(({ kept }: { kept: number }) => kept)).toEqual([30, 10]);
    expect(cuts).toEqual([{ threshold: 1, ties: 40 }]);
  });
});

describe('salience score --plot', () => {
  const args = ['score', example('tables/lending.csv'), '--target', 'good', '--by'];

  it('writes the charts among what was found', () => {
    const { code, out } = salience([...args, 'shap', '--rows', '5', '--plot', 'shap.svg']);
    expect(code).toBe(0);
    expect(out).toContain('11 of 11 features, highest score first');
    expect(readFileSync(join(folder, 'shap.svg'), 'utf8')).toContain('Shapley values of 5 rows');
  });

  it('prints what was found before it says that nothing is drawn', () => {
    const { code, out, err } = salience([...args, 'mutual-information', '--plot', 'none.png']);
    expect(code).toBe(2);
    expect(out).toContain('11 of 11 features, highest score first');
    expect(err).toContain('--plot none.png: mutual-information found nothing to draw here');
    expect(existsSync(join(folder, 'none.png'))).toBe(false);
    const { err: refused } = salience([...args, 'mutual-information', '--plot', 'none.gif']);
    expect(refused).toContain('--plot none.gif: a picture is written as .svg or .png');
  });
});

describe('salience verify', () => {
  it('writes the ledger and keeps the entries of other methods', () => {
    const ledger = join(folder, 'ledger');
    mkdirSync(ledger);
    const { code, out } = salience(['verify', 'global-mp', '--out', 'ledger', '--quiet']);
    expect([code, out]).toEqual([0, expect.stringContaining('verdict')]);
    const claims = JSON.parse(readFileSync(join(ledger, 'claims.json'), 'utf8'));
    expect(claims.claims.map(({ method }: { method: string }) => method)).toEqual(['global-mp']);
    writeFileSync(
      join(ledger, 'claims.json'),
      JSON.stringify({ claims: [{ ...claims.claims[0], method: 'another' }] }),
    );
    salience(['verify', 'global-mp', '--out', 'ledger', '--quiet']);
    expect(readFileSync(join(ledger, 'CLAIMS.md'), 'utf8')).toMatch(/## global-mp[\s\S]*## another/);
    writeFileSync(join(ledger, 'claims.json'), '{}');
    expect(salience(['verify', 'global-mp', '--out', 'ledger', '--quiet']).err).toMatch(/is not a ledger of claims/);
  });

  it('restates the words of claims that were run, without running them, and refuses where the rules are others', () => {
    const ledger = join(folder, 'restated');
    mkdirSync(ledger);
    const restate = (...more: string[]) => salience(['verify', 'global-mp', '--restate', '--out', 'restated', ...more]);
    expect(restate()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/has no entry on global-mp: the claim must be run/),
    });
    salience(['verify', 'global-mp', '--out', 'restated', '--quiet']);
    const file = join(ledger, 'claims.json');
    const written = readFileSync(file, 'utf8');
    expect(restate()).toMatchObject({ code: 0, out: 'global-mp: as it was\n' });
    const { claims } = JSON.parse(written);
    const put = (entry: object) =>
      writeFileSync(file, `${JSON.stringify({ claims: [{ ...claims[0], ...entry }] }, null, 1)}\n`);
    put({ headline: 'Otherwise.' });
    expect(restate()).toMatchObject({ code: 0, out: 'global-mp: headline\n' });
    expect(readFileSync(file, 'utf8')).toBe(written);
    put({ seeds: [1, 2] });
    const before = readFileSync(file, 'utf8');
    expect(restate()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/the seeds were "1, 2".*must be run again/),
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(restate('--seed', '3').err).toMatch(/'--restate' cannot be used with option '--seed/);
  });
});
