import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { Run } from '../src/core/run.ts';
import { perplexity } from '../src/models/generation/perplexity.ts';
import { loadWeights, openPretrained } from '../src/models/pretrained/open-pretrained.ts';
import { writePretrained } from '../src/models/pretrained/write-pretrained.ts';
import { wordLevelTokenizerJson } from '../src/models/tokenizer/tokenizer.ts';
import { float32 } from '../src/runtime/index.ts';
import { madeConfigs, madeDecoder } from './made-decoders.ts';
import { temporaryFolder } from './made-safetensors.ts';

// These run the built program, as a user does: npm test builds it first.
const program = fileURLToPath(new URL('../bin/salience.js', import.meta.url));
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

function salience(args: string[], input = ''): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'perplexity', ...args], {
    input,
    encoding: 'utf8',
    cwd: folder,
  });
  return { code: status, out: stdout, err: stderr };
}

const words = ['<unk>', ...'abcdefghijkl'];
const json = madeConfigs['dense, tied'];
const text = 'a b c d e f g h i j k l a c e g i k b d';

beforeAll(async () => {
  const tokenizer = wordLevelTokenizerJson(words, { unknown: '<unk>' });
  const { weights } = madeDecoder(json);
  await writePretrained(at('model'), { config: json, weights, tokenizer }, new Run());
  // Embeddings of 0 and a tied head: every token is as likely as any other.
  const even = {
    ...weights,
    'model.embed_tokens.weight': float32([13, 16], new Float32Array(13 * 16)),
  };
  await writePretrained(at('even'), { config: json, weights: even, tokenizer }, new Run());
  writeFileSync(at('t.txt'), text);
});

describe('salience perplexity', () => {
  it('of a model that knows nothing is the number of its tokens', () => {
    const result = JSON.parse(salience(['even', '--text', 't.txt', '--json']).out);
    expect(result).toMatchObject({ model: 'even', text: 't.txt', tokens: 20, predicted: 19, windows: 1 });
    expect(result.perplexity).toBeCloseTo(13, 4);
    expect(result.meanNll).toBeCloseTo(Math.log(13), 6);
  });

  it('is what the library gives, for any window and stride, from a file and from standard input', async () => {
    const model = await openPretrained(at('model'));
    const weights = await loadWeights(model, new Run());
    const ids = Int32Array.from(text.split(' '), (word) => words.indexOf(word));
    const expected = await perplexity({ config: model.config, weights }, ids, { window: 8, stride: 4 });
    const { code, out } = salience(['model', '--text', '-', '--window', '8', '--stride', '4', '--json'], text);
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ predicted: 19, windows: expected.windows });
    expect(result.perplexity).toBeCloseTo(expected.perplexity, 4);
    expect(JSON.parse(salience(['model', '--text', 't.txt', '--window', '8', '--json']).out)).toMatchObject({
      // Windows of 8, 8 and 4; the first token of each is not predicted.
      predicted: 17,
      windows: 3,
    });
  });

  it('prints a table, and nothing on standard error', () => {
    const { code, out, err } = salience(['even', '--text', 't.txt']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(
      [
        'Perplexity of t.txt under even',
        '',
        'tokens  predicted  windows  mean nll  perplexity',
        '    20         19        1     2.565          13',
        '',
      ].join('\n'),
    );
  });

  it.each([
    [['model'], 2, "required option '--text <file>' not specified"],
    [['model', '--text', 'none.txt'], 1, 'none.txt: no such file'],
    [['model', '--text', '.'], 1, '.: is a folder; the text is a text file'],
    [['nowhere', '--text', 't.txt'], 1, 'nowhere: no such folder'],
    [['model', '--text', 't.txt', '--window', 'x'], 2, '--window x is not a whole number of 2 or more'],
    [
      ['model', '--text', 't.txt', '--window', '65'],
      2,
      "a window of 65 tokens is not between 2 and the model's 64 positions",
    ],
    [
      ['model', '--text', 't.txt', '--window', '8', '--stride', '9'],
      2,
      "a stride of 9 is not between 1 and the window's 8 tokens",
    ],
    [['model', '--text', '-'], 1, 'a text of 0 tokens has none to predict; it needs 2 or more'],
  ])('%j ends with %i and says what is wrong', (args, code, message) => {
    const made = salience(args);
    expect([made.code, made.out]).toEqual([code, '']);
    expect(made.err).toContain(message);
  });

  it('takes memory for the text it has, not for all positions, and says what to do about a text too long', async () => {
    const long = { ...json, max_position_embeddings: 131_072 };
    const tokenizer = wordLevelTokenizerJson(words, { unknown: '<unk>' });
    await writePretrained(at('long'), { config: long, weights: madeDecoder(json).weights, tokenizer }, new Run());
    const { code, out, err } = salience(['long', '--text', 't.txt', '--json']);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      ...JSON.parse(salience(['model', '--text', 't.txt', '--json']).out),
      model: 'long',
    });
    // Attention of 131,072 by 131,072 tokens, twice, in 4 heads: 550 GB.
    const refused = salience(['long', '--text', '-'], 'a '.repeat(140_000));
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toMatch(
      /on 1 × 131072 tokens needs about \d+\.\d GB of memory; \S+ .B are available; a smaller --window needs less/,
    );
  });

  it('refuses bytes that are no text, and a model without a tokenizer', async () => {
    writeFileSync(at('bytes'), Uint8Array.of(0x61, 0xff));
    expect(salience(['model', '--text', 'bytes']).err).toContain('bytes is not UTF-8: byte 1 is 0xff');
    await writePretrained(at('mute'), { config: json, weights: madeDecoder(json).weights }, new Run());
    expect(salience(['mute', '--text', 't.txt']).err).toContain('has no tokenizer.json');
    rmSync(at('mute'), { recursive: true });
  });
});

const shared = (name: string) => fileURLToPath(new URL(`../../../../shared/${name}`, import.meta.url));
const present = existsSync(shared('models/bard')) && existsSync(shared('data/text/tiny-shakespeare.txt'));

describe('salience perplexity of bard', () => {
  it.skipIf(!present)(
    `on the last 5% of its text is PyTorch’s to 5 digits${present ? '' : ' (skipped without ../shared)'}`,
    async () => {
      const { perplexity: expected } = JSON.parse(readFileSync(shared('models/bard/reference.json'), 'utf8'));
      const whole = readFileSync(shared('data/text/tiny-shakespeare.txt'), 'utf8');
      // PyTorch left out what fills no window; the text that the whole windows decode to is of the same tokens.
      const tokenizer = await (await openPretrained(shared('models/bard'))).tokenizer();
      const ids = await tokenizer.encode(whole.slice(Math.floor(0.95 * whole.length)));
      const kept = ids.subarray(0, expected.windows * 256);
      expect(ids.length).toBe(expected.ids);
      expect([...kept.subarray(0, 16)]).toEqual(expected.first_ids);
      const cut = tokenizer.decode(kept);
      expect(await tokenizer.encode(cut)).toEqual(kept);
      const { code, out } = salience(
        [shared('models/bard'), '--text', '-', '--window', '256', '--json', '--quiet'],
        cut,
      );
      expect(code).toBe(0);
      const result = JSON.parse(out);
      expect(result).toMatchObject({ tokens: kept.length, predicted: expected.predicted, windows: expected.windows });
      expect(Math.abs(result.meanNll - expected.mean_nll)).toBeLessThan(1e-5);
      expect(Math.abs(result.perplexity / expected.perplexity - 1)).toBeLessThan(1e-5);
    },
  );
});
