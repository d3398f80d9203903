import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cachedConfig, madeDecoder } from '../../../test/made-decoders.ts';
import { temporaryFolder } from '../../../test/made-safetensors.ts';
import type { Block } from '../../core/report.ts';
import { Run } from '../../core/run.ts';
import { keep } from '../../keep.ts';
import { fullCache } from '../../methods/attention/full-cache.ts';
import { h2o } from '../../methods/attention/h2o.ts';
import { scissorhands } from '../../methods/attention/scissorhands.ts';
import { snapkv } from '../../methods/attention/snapkv.ts';
import { streamingLlm } from '../../methods/attention/streaming-llm.ts';
import { writeConfig } from '../../models/decoder/read-config.ts';
import { generate } from '../../models/generation/generate.ts';
import { writePretrained } from '../../models/pretrained/write-pretrained.ts';
import { wordLevelTokenizerJson } from '../../models/tokenizer/tokenizer.ts';
import { type Prompt, prompt, promptInMemory } from './prompt.ts';

const words = ['<unk>', ...Array.from({ length: 20 }, (_, i) => `w${i}`)];
const { config, weights } = madeDecoder({ ...cachedConfig, vocab_size: words.length });
const tokens = Int32Array.from({ length: 64 }, (_, i) => (i * i + 3) % words.length);
const made = (more = {}) => promptInMemory({ config, weights }, { tokens }, { tokens: 16, ...more });

const root = temporaryFolder();
const model = join(root, 'model');
const text = join(root, 'long.txt');
const run = new Run();
beforeAll(async () => {
  await writePretrained(
    model,
    { config: writeConfig(config), weights, tokenizer: wordLevelTokenizerJson(words, { unknown: '<unk>' }) },
    run,
  );
  writeFileSync(text, Array.from(tokens, (token) => words[token]).join(' '));
});

const table = (blocks: readonly Block[]) => blocks.find((block) => block.kind === 'table')!.rows;
const strip = (blocks: readonly Block[]) => blocks.find((block) => block.kind === 'strip')!.parts;
const texts = (blocks: readonly Block[]) => blocks.flatMap((block) => (block.kind === 'text' ? [block.text] : []));

describe('keeping part of a prompt’s cache', () => {
  it('at 25% holds a quarter of the bytes, after the prompt and at the end', async () => {
    const { report } = await keep(h2o, made(), '25%');
    const bytes = (entries: number) => 2 * 4 * config.layers * config.keyValueHeads * config.headSize * entries;
    expect(table(report.blocks)).toEqual([
      ['entries after the prompt of 64 tokens', bytes(64), bytes(16), '25.00%'],
      ['entries after 16 new tokens', bytes(79), bytes(20), '25.32%'], // the last token is not read any more
      ['arrays, with free places', bytes(80), bytes(20), '25.00%'],
    ]);
    expect(report.title).toBe('16 of 64 entries kept in each of 4 heads (budget 25%)');
  });

  it('of a policy that lets the cache grow again holds what was kept and the new tokens', async () => {
    const { report } = await keep(snapkv, made(), '25%', { params: { window: 4 } });
    expect(table(report.blocks)[1][3]).toBe('39.24%'); // (16 + 15) / 79
    expect(table(report.blocks)[2][3]).toBe('40.00%'); // (16 + 16) / 80
  });

  it('says between how many entries heads keep, and counts the bytes of just those', async () => {
    const { report } = await keep(h2o, made(), '66');
    const entry = 8 * config.headSize;
    expect(report.title).toBe('16 to 17 of 64 entries kept in each of 4 heads (budget 66)');
    expect(table(report.blocks)[0]).toEqual([
      'entries after the prompt of 64 tokens',
      entry * 4 * 64,
      entry * 66,
      `${((100 * 66) / (4 * 64)).toFixed(2)}%`,
    ]);
  });

  it.each(['99999', '1000000000000 per group'])('with a count above all entries keeps all: %s', async (budget) => {
    const { report } = await keep(h2o, made(), budget);
    expect(texts(report.blocks)[1]).toBe('With the full cache the text is the same.');
    expect(table(report.blocks).map((row) => row[3])).toEqual(['100.00%', '100.00%', '100.00%']);
  });

  it('names the tokens that each side wrote where one ends early', async () => {
    const { tokens: full } = await generate({ config, weights }, tokens, { maxTokens: 16 });
    const subject = made();
    const { report: plain } = await keep(streamingLlm, subject, '10%');
    const cut = texts(plain.blocks)[0].split('\n')[1].trim().split(' ').map(Number);
    // A token that ends the text where only the one with the cut cache writes it.
    const end = cut.find((token) => !full.includes(token))!;
    const at = cut.indexOf(end);
    expect(at).toBeGreaterThan(0);
    const ended = promptInMemory({ config: { ...config, endTokens: [end] }, weights }, { tokens }, { tokens: 16 });
    const { report } = await keep(streamingLlm, ended, '10%');
    const [after, before] = [table(report.blocks)[1], table(report.blocks)[0]];
    expect(after[0]).toBe(`entries after 16 new tokens, cut ${at}`);
    expect(after[1]).toBe((Number(before[1]) * 79) / 64);
  });

  it('of rounded keys and values says what they would take, and that the arrays are float32', async () => {
    const { report } = await keep(scissorhands, made(), '50%', { params: { bits: 4 } });
    expect(texts(report.blocks)[2]).toBe(
      `Numbers that stay are rounded to 4 bits; the arrays are float32 still. In 4 bits the entries after the prompt would take ${(2 * 4 * 32 * config.headSize * 4) / 8} bytes, without their scales.`,
    );
    const { report: plain } = await keep(scissorhands, made(), '50%');
    expect(texts(plain.blocks)).toHaveLength(2);
  });

  it('says how many more entries a policy drops once it goes on', async () => {
    const { report } = await keep(scissorhands, made(), '50%', { params: { funnel: true } });
    const dropped = Number(/drops (\d+) more at once/.exec(texts(report.blocks)[2])?.[1]);
    expect(dropped).toBeGreaterThan(0);
    expect(table(report.blocks)[0][2]).toBe(8 * config.headSize * (4 * 32 - dropped));
  });

  it('is the same for any length of the blocks the prompt is read in', async () => {
    const [one, all] = await Promise.all([1, 256].map((block) => keep(h2o, made({ block }), '50%')));
    expect(one.report.title).toBe(all.report.title);
    expect(table(one.report.blocks)).toEqual(table(all.report.blocks));
    expect(texts(one.report.blocks)).toEqual(texts(all.report.blocks));
  });

  it('shows the share of heads that keep each token, which add up to what is kept', async () => {
    const { report, selection } = await keep(h2o, made(), '25%');
    const parts = strip(report.blocks);
    expect(parts).toHaveLength(64);
    expect(4 * parts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(
      (selection as { kept: Uint32Array }).kept.length,
    );
    expect(parts.slice(-10).every(({ share }) => share === 1)).toBe(true); // the recent ones
  });

  it.each([
    ['scissorhands', scissorhands],
    ['h2o', h2o],
    ['streaming-llm', streamingLlm],
    ['snapkv', snapkv],
    ['full-cache', fullCache],
  ] as const)('at 100% %s writes what the full cache does', async (_, method) => {
    const { report } = await keep(method as typeof h2o, made({ temperature: 1 }), '100%');
    expect(texts(report.blocks)[1]).toBe('With the full cache the text is the same.');
    expect(table(report.blocks)[1][3]).toBe('100.00%');
  });

  it('tells where the text parts from that of the full cache', async () => {
    const { report } = await keep(streamingLlm, made(), '10%');
    const { tokens: full } = await generate({ config, weights }, tokens, { maxTokens: 16 });
    const told = texts(report.blocks);
    expect(told[1]).toMatch(/^With the full cache, which writes another token \d+:/);
    expect(told[1].split('\n')[1]).toBe(full.map((id) => ` ${id}`).join(''));
  });

  it('reads a model and a text from disk, and writes the continuation', async () => {
    const subject = await prompt.load([model], { prompt: text, tokens: 12, temperature: 0, block: 256 }, run);
    expect(subject.tokens).toEqual(tokens);
    const out = join(root, 'continuation.txt');
    await keep(scissorhands, subject, '50%', { output: { path: out, force: false } });
    expect(readFileSync(out, 'utf8').trim().split(/\s+/)).toHaveLength(12);
  });

  it('keeps the pieces of the text as they stand in it', async () => {
    const subject = await prompt.load([model], { prompt: text, tokens: 12, temperature: 0, block: 256 }, run);
    expect(subject.pieces.join('')).toBe(readFileSync(text, 'utf8'));
  });
});

describe('bad input', () => {
  const load = (path: string, folder = model) =>
    prompt.load([folder], { prompt: path, tokens: 48, temperature: 0, block: 256 }, run);

  it('is refused: a prompt longer than the positions, with both numbers', async () => {
    await expect(load(text)).rejects.toThrow(
      'the prompt has 64 tokens, and with 48 new ones 112; the model has 96 positions',
    );
  });

  it('is refused: an empty prompt, a missing one, and none at all', async () => {
    const empty = join(root, 'empty.txt');
    writeFileSync(empty, '');
    await expect(load(empty)).rejects.toThrow('the prompt is empty');
    await expect(load(join(root, 'missing.txt'))).rejects.toThrow('missing.txt: no such file');
    expect(prompt.options.safeParse({}).error?.issues[0].message).toMatch(/--prompt/);
  });

  it('is refused: a model without a tokenizer', async () => {
    const bare = join(root, 'bare');
    await writePretrained(bare, { config: writeConfig(config), weights }, run);
    await expect(load(text, bare)).rejects.toThrow('bare: has no tokenizer.json');
  });

  it('is refused: a budget that leaves fewer entries than are protected', async () => {
    await expect(keep(scissorhands, made(), '5%')).rejects.toThrow(
      /budget 5% leaves each of 4 heads 3 to 4 of 64 entries: a cache of 5 entries is too small: with 10 protected it needs 11/,
    );
    await expect(keep(h2o, made(), '1')).rejects.toThrow(/budget 1 leaves each of 4 heads 0 to 1 of 64 entries: /);
    await expect(keep(h2o, made(), '0%')).rejects.toThrow(/leaves each of 4 heads 0 of 64 entries/);
  });

  it('is refused: a budget that is neither a share nor a count', async () => {
    await expect(keep(h2o, made(), '>=0.1')).rejects.toThrow(/a cache is cut to a share or a number/);
  });

  it('is refused: scores of something else', async () => {
    const subject: Prompt = made();
    const scores = { unit: 'sentence', values: new Float32Array(1) };
    const selection = {
      unit: 'sentence',
      of: 1,
      kept: new Uint32Array(1),
      threshold: 0,
      budget: { amount: { kind: 'count', count: 1 }, within: 'all', floor: 0 },
    } as const;
    await expect(prompt.keep(subject, { scores, selection }, { force: false }, run)).rejects.toThrow(/not sentences/);
  });
});
