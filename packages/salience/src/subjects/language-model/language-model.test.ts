import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { madeConfig, madeLanguageModel } from '../../../test/made-language-model.ts';
import { temporaryFolder } from '../../../test/made-safetensors.ts';
import type { AnyMethod } from '../../catalogue.ts';
import { BudgetError, CancelledError, InputError, ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { keep } from '../../keep.ts';
import { magnitudePruning } from '../../methods/weights/magnitude.ts';
import { sparseGpt } from '../../methods/weights/sparsegpt.ts';
import { wanda } from '../../methods/weights/wanda.ts';
import { readTensors } from '../../models/checkpoint/read-tensors.ts';
import { openPretrained } from '../../models/pretrained/open-pretrained.ts';
import { calibrationBlocks } from './calibration.ts';
import { languageModel } from './language-model.ts';
import { ResumableWalk } from './resumable-walk.ts';

const root = temporaryFolder();
let made = 0;
const fresh = () => join(root, String(made++));
const four = { ...madeConfig, num_hidden_layers: 4 };
const sound = madeLanguageModel(fresh(), { config: four });
const bytesOf = (folder: string) => readFileSync(join(folder, 'model.safetensors'));

interface Given {
  method?: unknown;
  budget?: string;
  resume?: string;
  run?: Run;
  out?: string;
  calibrated?: boolean;
  length?: number;
}

async function pruned({
  method = wanda,
  budget = '50%',
  resume,
  run = new Run(),
  out = fresh(),
  calibrated = true,
  length = 16,
}: Given = {}) {
  const { path, text } = await sound;
  const options = { samples: 6, length, ...(calibrated && { calibrate: text }), ...(resume && { resume }) };
  const subject = await languageModel.load([path], options, run);
  const kept = await keep(method as AnyMethod, subject, budget, { run, output: { path: out, force: false } });
  return { out, ...kept };
}

/** A run that is cancelled when progress of this name is reported for the n-th time. */
function cancelledAt(what: RegExp, n: number): Run {
  const abort = new AbortController();
  let seen = 0;
  return new Run({
    signal: abort.signal,
    onProgress: (progress) => {
      if (what.test(progress.what) && ++seen === n) abort.abort();
    },
  });
}

describe('keeping the weights of a language model', () => {
  it('writes the same folder with zeros: kept weights, embeddings and norms bit for bit, half of each row zero', async () => {
    const { path } = await sound;
    const { out, report, selection } = await pruned();
    expect(readdirSync(out).sort()).toEqual(readdirSync(path).sort());
    const [before, after] = [await openPretrained(path), await openPretrained(out)];
    const names = before.checkpoint.tensors.map(({ name }) => name);
    const [old, now] = await Promise.all(
      [before, after].map(({ checkpoint }) => readTensors(checkpoint, names, new Run())),
    );
    let zeros = 0;
    for (const name of names) {
      const changed = now[name].data.filter((value, i) => value !== old[name].data[i]);
      expect(changed.every((value) => value === 0)).toBe(true);
      if (!name.includes('_proj')) expect(changed).toHaveLength(0);
      zeros += changed.length;
    }
    const weights = 4 * (16 * 16 * 2 + 8 * 16 * 2 + 3 * 16 * 24);
    expect([zeros, (selection as { count: number }).count]).toEqual([weights / 2, weights / 2]);
    expect(report.title).toContain(
      `${(weights / 2).toLocaleString('en-US')} of ${weights.toLocaleString('en-US')} weights`,
    );
  });

  it.each(['BF16', 'F16'] as const)(
    'reads and writes %s in its own format, values that change rounded to it',
    async (dtype) => {
      const { path, text } = await madeLanguageModel(fresh(), { dtype });
      for (const method of [wanda, sparseGpt]) {
        const subject = await languageModel.load([path], { calibrate: text, samples: 4, length: 16 }, new Run());
        const out = fresh();
        await keep(method as unknown as AnyMethod, subject, '2:4', { output: { path: out, force: false } });
        const { checkpoint } = await openPretrained(out);
        expect(new Set(checkpoint.tensors.map((tensor) => tensor.dtype))).toEqual(new Set([dtype]));
        const name = 'model.layers.1.mlp.down_proj.weight';
        const { [name]: tensor } = await readTensors(checkpoint, [name], new Run());
        for (let i = 0; i < tensor.data.length; i += 4)
          expect(tensor.data.slice(i, i + 4).filter((value) => value === 0).length).toBeGreaterThanOrEqual(2);
      }
    },
  );

  it('refuses budgets that are neither a share nor N:M, and 2:5 of 16 columns', async () => {
    await expect(pruned({ budget: '3' })).rejects.toThrow(BudgetError);
    await expect(pruned({ budget: '2:5' })).rejects.toThrow(/needs a multiple of 5 columns; 16 is none/);
  });

  it('refuses to be calibrated without a text, by one shorter than a block, and by blocks longer than the model’s positions', async () => {
    const out = fresh();
    await expect(pruned({ calibrated: false, out })).rejects.toThrow(
      /reads a calibration text; name one with --calibrate/,
    );
    expect(existsSync(out)).toBe(false);
    await expect(pruned({ length: 33 })).rejects.toThrow(
      /blocks of 33 tokens are longer than the model's 32 positions/,
    );
    const { path } = await sound;
    const few = join(root, 'few.txt');
    writeFileSync(few, 'a b c');
    await expect(languageModel.load([path], { calibrate: few, samples: 4, length: 16 }, new Run())).rejects.toThrow(
      /has 3 tokens, fewer than one block of 16/,
    );
    await expect(languageModel.load([path], { calibrate: join(root, 'none'), samples: 4 }, new Run())).rejects.toThrow(
      InputError,
    );
  });

  it('needs no text for magnitudes', async () => {
    const { selection } = await pruned({ method: magnitudePruning, calibrated: false });
    expect((selection as { count: number }).count).toBe((selection.of as number) / 2);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const out = fresh();
    const before = readdirSync(root);
    await expect(pruned({ out, run: cancelledAt(/layer 3/, 1) })).rejects.toThrow(CancelledError);
    expect(readdirSync(root)).toEqual(before);
  });
});

describe('the shipped sample', () => {
  it('is the model of the recall language with a text to be calibrated on', async () => {
    const { pretrained, ...subject } = await languageModel.sample(new Run());
    expect(pretrained!.config.vocabulary).toBeGreaterThan(0);
    expect(subject.blocks().shape).toEqual([16, 128]);
    expect(subject.walk).toBeUndefined();
  });
});

describe('going on after a walk that was cut off', () => {
  it.each([
    ['while the checkpoint is copied', /copying/, 1],
    ['in the first layer', /layer 1 of/, 1],
    ['between two layers', /layer 2 of 4, onwards/, 1],
    ['in the last layer', /layer 4 of 4/, 1],
  ] as const)('gives the bytes of one that was not: %s', async (_, what, n) => {
    const whole = await pruned();
    const resume = fresh();
    const out = fresh();
    await expect(pruned({ resume, out, run: cancelledAt(what, n) })).rejects.toThrow(CancelledError);
    expect(existsSync(out)).toBe(false);
    const walked: string[] = [];
    const again = await pruned({ resume, out, run: new Run({ onProgress: (progress) => walked.push(progress.what) }) });
    expect(bytesOf(out).equals(bytesOf(whole.out))).toBe(true);
    expect(again.report.blocks[0]).toEqual(whole.report.blocks[0]);
    expect(existsSync(resume)).toBe(false);
    if (/layer 4/.test(what.source)) expect(walked.some((step) => /layer [123] of/.test(step))).toBe(false);
  });

  it('holds for methods that read no text and for those that change weights', async () => {
    for (const [method, what] of [
      [magnitudePruning, /^layers$/],
      [sparseGpt, /layer 3 of 4/],
    ] as const) {
      const whole = await pruned({ method });
      const resume = fresh();
      await expect(pruned({ method, resume, run: cancelledAt(what, 1) })).rejects.toThrow(CancelledError);
      const log: string[] = [];
      const { out } = await pruned({ method, resume, run: new Run({ onLog: (message) => log.push(message) }) });
      expect(log.join()).toMatch(/goes on after (7|14) matrices that are done/);
      expect(bytesOf(out).equals(bytesOf(whole.out))).toBe(true);
    }
  });

  it('starts over where the output was moved away just before the end', async () => {
    const resume = fresh();
    await expect(pruned({ resume, run: cancelledAt(/layer 4/, 1) })).rejects.toThrow(CancelledError);
    const { rmSync } = await import('node:fs');
    rmSync(join(resume, 'output'), { recursive: true });
    expect(bytesOf((await pruned({ resume })).out).equals(bytesOf((await pruned()).out))).toBe(true);
  });

  it('refuses the folder of another walk, another folder, and a state that is not whole', async () => {
    const resume = fresh();
    await expect(pruned({ resume, run: cancelledAt(/layer 3/, 1) })).rejects.toThrow(CancelledError);
    await expect(pruned({ resume, budget: '40%' })).rejects.toThrow(/holds another walk .*50%.* than this one .*40%/);
    await expect(pruned({ resume, method: sparseGpt })).rejects.toThrow(/holds another walk/);
    const { path } = await sound;
    const text = join(root, 'another.txt');
    writeFileSync(text, 'a b c '.repeat(60));
    const run = new Run();
    const changed = await languageModel.load([path], { calibrate: text, samples: 6, length: 16, resume }, run);
    await expect(
      keep(wanda as unknown as AnyMethod, changed, '50%', { run, output: { path: fresh(), force: false } }),
    ).rejects.toThrow(/holds another walk/);
    const other = fresh();
    mkdirSync(other);
    await expect(pruned({ resume: other })).rejects.toThrow(/exists and holds no walk to resume/);
    writeFileSync(join(resume, 'hidden-2.f32'), 'short');
    await expect(pruned({ resume })).rejects.toThrow(/the hidden states of layer 2 are not whole/);
    writeFileSync(join(resume, 'walk.json'), '{');
    await expect(ResumableWalk.open(resume)).rejects.toThrow(/walk\.json cannot be read/);
  });

  it('refuses an output that lies in the folder of the state, or the other way round, or is the same', async () => {
    const overlap = /lie in each other; name two folders apart/;
    const [fresh1, fresh2, begun] = [fresh(), fresh(), fresh()];
    await expect(pruned({ resume: fresh1, out: fresh1 })).rejects.toThrow(overlap);
    await expect(pruned({ resume: join(fresh2, 'inside'), out: fresh2 })).rejects.toThrow(overlap);
    await expect(pruned({ resume: begun, run: cancelledAt(/layer 3/, 1) })).rejects.toThrow(CancelledError);
    await expect(pruned({ resume: begun, out: join(begun, 'inside') })).rejects.toThrow(overlap);
    expect([existsSync(fresh1), existsSync(fresh2), existsSync(join(begun, 'walk.json'))]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('refuses an output in progress in which a file is short, changed, missing or too many', async () => {
    const stopped = async () => {
      const resume = fresh();
      await expect(pruned({ resume, run: cancelledAt(/layer 3/, 1) })).rejects.toThrow(CancelledError);
      return resume;
    };
    const damages: [(output: string) => void, RegExp][] = [
      [
        (output) => truncateSync(join(output, 'model.safetensors'), 3000),
        /model\.safetensors has 3,000 of [\d,]+ bytes/,
      ],
      [(output) => rmSync(join(output, 'config.json')), /config\.json is missing/],
      [(output) => writeFileSync(join(output, 'config.json'), '{}'), /config\.json was changed/],
      [(output) => writeFileSync(join(output, 'more.json'), '{}'), /more\.json does not belong there/],
      [
        (output) => {
          const bytes = readFileSync(join(output, 'model.safetensors'));
          bytes[9] ^= 1;
          writeFileSync(join(output, 'model.safetensors'), bytes);
        },
        /the header of model\.safetensors was changed/,
      ],
    ];
    for (const [damage, message] of damages) {
      const resume = await stopped();
      damage(join(resume, 'output'));
      await expect(pruned({ resume })).rejects.toThrow(message);
    }
  });

  it('refuses an output in progress in which a matrix that is settled or a tensor that is not pruned was changed', async () => {
    const { tensors } = (await openPretrained((await sound).path)).checkpoint;
    const resume = fresh();
    await expect(pruned({ resume, run: cancelledAt(/layer 3/, 1) })).rejects.toThrow(CancelledError);
    const output = join(resume, 'output', 'model.safetensors');
    const whole = readFileSync(output);
    for (const name of [
      'model.layers.0.mlp.up_proj.weight',
      'model.embed_tokens.weight',
      'model.norm.weight',
      'model.layers.0.input_layernorm.weight',
      'model.layers.3.post_attention_layernorm.weight',
    ]) {
      const { offset, bytes: size } = tensors.find((tensor) => tensor.name === name)!;
      for (const at of [offset, offset + size - 1]) {
        const bytes = Buffer.from(whole);
        bytes[at] ^= 1;
        writeFileSync(output, bytes);
        await expect(pruned({ resume })).rejects.toThrow(`the output in progress is not whole (${name} was changed)`);
      }
    }
    // A matrix that is yet to be pruned is written anew.
    const { offset } = tensors.find(({ name }) => name === 'model.layers.3.mlp.up_proj.weight')!;
    const bytes = Buffer.from(whole);
    bytes[offset] ^= 1;
    writeFileSync(output, bytes);
    expect(bytesOf((await pruned({ resume })).out).equals(bytesOf((await pruned()).out))).toBe(true);
  });

  it('removes only what it made, and not a folder that merely looks like its own', async () => {
    const mine = fresh();
    mkdirSync(mine);
    writeFileSync(join(mine, 'begun'), '');
    await expect(pruned({ resume: mine })).rejects.toThrow(/holds no walk to resume/);
    const resume = fresh();
    await expect(pruned({ resume, run: cancelledAt(/layer 3/, 1) })).rejects.toThrow(CancelledError);
    writeFileSync(join(resume, 'notes.txt'), 'keep me');
    await pruned({ resume });
    expect(readdirSync(resume)).toEqual(['notes.txt']);
  });

  it('is refused while another process, or another walk of this one, is at it', async () => {
    const resume = fresh();
    await expect(pruned({ resume, run: cancelledAt(/layer 3/, 1) })).rejects.toThrow(CancelledError);
    writeFileSync(join(resume, 'lock'), String(process.ppid));
    await expect(pruned({ resume })).rejects.toThrow(`is in use by process ${process.ppid}`);
    writeFileSync(join(resume, 'lock'), '999999999');
    const [first, second] = await Promise.allSettled([pruned({ resume }), pruned({ resume })]);
    expect([first.status, second.status].sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('goes on after a lock that a process that is gone has left', async () => {
    const resume = fresh();
    await expect(pruned({ resume, run: cancelledAt(/layer 3/, 1) })).rejects.toThrow(CancelledError);
    writeFileSync(join(resume, 'lock'), '999999999');
    await pruned({ resume });
    expect(existsSync(resume)).toBe(false);
  });

  it('refuses a folder that cannot be made', async () => {
    await expect(pruned({ resume: join(root, 'nowhere', 'state') })).rejects.toThrow(
      /cannot be made: there is no folder/,
    );
    writeFileSync(join(root, 'a-file'), '');
    await expect(pruned({ resume: join(root, 'a-file', 'state') })).rejects.toThrow(/there is no folder/);
  });

  it('does not touch the folder when nothing is kept', async () => {
    const { path, text } = await sound;
    const resume = fresh();
    const run = new Run();
    const subject = await languageModel.load([path], { calibrate: text, samples: 4, length: 16, resume }, run);
    const { choose } = await import('../../keep.ts');
    await choose(wanda as unknown as AnyMethod, subject, '50%', { run });
    expect(existsSync(resume)).toBe(false);
  });

  const program = fileURLToPath(new URL('../../../bin/salience.js', import.meta.url));
  const built = existsSync(fileURLToPath(new URL('../../../dist/methods/weights/wanda.js', import.meta.url)));
  it.skipIf(!built)(
    'holds for a process that was killed (skipped before npm run build)',
    async () => {
      const config = { ...madeConfig, num_hidden_layers: 12, hidden_size: 256, intermediate_size: 512 };
      const { path, text } = await madeLanguageModel(fresh(), { config });
      const command = (out: string, resume: string) => {
        const options = ['--budget', '50%', '--samples', '6', '--length', '32', '--threads', '1', '--quiet'];
        return spawn(
          process.execPath,
          [program, 'keep', path, '--by', 'wanda', '--calibrate', text, '--resume', resume, '--out', out, ...options],
          { stdio: 'ignore', env: { ...process.env, SALIENCE_THREADS: '1' } },
        );
      };
      const ended = (child: ReturnType<typeof command>) =>
        new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
      const [whole, out, resume] = [fresh(), fresh(), fresh()];
      expect(await ended(command(whole, fresh()))).toBe(0);
      const child = command(out, resume);
      const end = ended(child);
      while (child.exitCode === null && !existsSync(join(resume, 'walk.json')))
        await new Promise((next) => setTimeout(next, 1));
      child.kill('SIGKILL');
      await end;
      expect([existsSync(out), existsSync(join(resume, 'walk.json'))]).toEqual([false, true]);
      expect(await ended(command(out, resume))).toBe(0);
      expect(bytesOf(out).equals(bytesOf(whole))).toBe(true);
    },
    60_000,
  );
});

describe('calibration blocks', () => {
  const tokens = Int32Array.from({ length: 10 }, (_, i) => i);
  it('are the text from its beginning, without what is left over', () => {
    const { shape, data } = calibrationBlocks(tokens, { samples: 9, length: 3, random: new Random(0) });
    expect([shape, [...data]]).toEqual([
      [3, 3],
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    ]);
  });
  it('are drawn in the order of the text where there are more than are asked for', () => {
    const { shape, data } = calibrationBlocks(tokens, { samples: 2, length: 2, random: new Random(3) });
    expect(shape).toEqual([2, 2]);
    expect(data[0] % 2).toBe(0);
    expect(data[1]).toBe(data[0] + 1);
    expect(data[2]).toBeGreaterThan(data[1]);
  });
  it('refuse a length or a number below 1', () => {
    for (const [samples, length] of [
      [0, 2],
      [2, 0],
      [1.5, 2],
    ])
      expect(() => calibrationBlocks(tokens, { samples, length, random: new Random(0) })).toThrow(ParameterError);
  });
});
