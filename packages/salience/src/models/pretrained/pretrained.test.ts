import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { f32, safetensors, temporaryFolder, writeFiles } from '../../../test/made-safetensors.ts';
import { CancelledError, InputError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { readConfig, writeConfig } from '../decoder/read-config.ts';
import { initialWeights } from '../decoder/weights.ts';
import { wordLevelTokenizerJson } from '../tokenizer/tokenizer.ts';
import { readGeneration } from './generation.ts';
import { loadWeights, openPretrained } from './open-pretrained.ts';
import { tokenizerFiles, writePretrained } from './write-pretrained.ts';

const root = temporaryFolder();
let made = 0;
const fresh = () => join(root, String(made++));
const run = new Run();

const configJson = {
  model_type: 'llama',
  vocab_size: 4,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
};
const config = readConfig(configJson, 'config.json');
const weights = initialWeights(config, new Random(0));
const tokenizer = wordLevelTokenizerJson(['<unk>', 'a', 'b', 'c'], { unknown: '<unk>' });
const tensors = Object.entries(weights).map(([name, { shape, data }]) => f32(name, [...shape], data));

/** A folder as published, with some files changed or, where undefined, left out. */
function published(change: Readonly<Record<string, Uint8Array | string | object | undefined>> = {}): string {
  const folder = fresh();
  mkdirSync(folder);
  const files: Record<string, Uint8Array | string | object | undefined> = {
    'config.json': configJson,
    'model.safetensors': safetensors(tensors),
    'tokenizer.json': tokenizer,
    ...change,
  };
  for (const [name, content] of Object.entries(files))
    if (content !== undefined) writeFiles(folder, { [name]: content });
  return folder;
}

describe('a published folder', () => {
  it('opens with its config, tensors, tokenizer and ends', async () => {
    const model = await openPretrained(published());
    expect(model.config).toEqual(config);
    expect(model.generation).toEqual({ beginToken: 1, endTokens: [2], temperature: 0 });
    expect(model.hasTokenizer).toBe(true);
    const opened = await model.tokenizer();
    expect([...(await opened.encode('a c'))]).toEqual([1, 3]);
    expect(await model.tokenizer()).toBe(opened);
    expect(await loadWeights(model, run)).toEqual(weights);
  });

  it('may lack a tokenizer until it is asked for', async () => {
    const model = await openPretrained(published({ 'tokenizer.json': undefined }));
    expect(model.hasTokenizer).toBe(false);
    await expect(model.tokenizer()).rejects.toThrow(/has no tokenizer\.json/);
  });

  it('may hold a head beside a tied embedding, which is not loaded', async () => {
    const head = f32('lm_head.weight', [4, 4], Array(16).fill(1));
    const model = await openPretrained(published({ 'model.safetensors': safetensors([...tensors, head]) }));
    expect(Object.keys(await loadWeights(model, run))).toEqual(Object.keys(weights));
  });
});

describe('generation defaults', () => {
  const read = (json: object) => readGeneration(json as Record<string, unknown>, config, 'g.json');

  it('take the likeliest token unless tokens are drawn, then of the 50 likeliest unless it says otherwise', () => {
    expect(read({ temperature: 0.6, top_k: 20, top_p: 0.9 })).toEqual({
      beginToken: 1,
      endTokens: [2],
      temperature: 0,
    });
    expect(read({ do_sample: true })).toMatchObject({ temperature: 1, topK: 50 });
    expect(read({ do_sample: true, temperature: 0.6, top_k: 20, top_p: 0.9 })).toMatchObject({
      temperature: 0.6,
      topK: 20,
      topP: 0.9,
    });
    expect(read({ do_sample: true, top_k: 0, top_p: 1 })).toEqual({ beginToken: 1, endTokens: [2], temperature: 1 });
  });

  it('name their own ends, one or several', () => {
    expect(read({ eos_token_id: 3 }).endTokens).toEqual([3]);
    expect(read({ eos_token_id: [0, 3], bos_token_id: 2 })).toMatchObject({ endTokens: [0, 3], beginToken: 2 });
  });

  it.each<[object, RegExp]>([
    [{ eos_token_id: 4 }, /g\.json: "eos_token_id" is 4; it should be a token below 4/],
    [{ eos_token_id: 'x' }, /"eos_token_id"/],
    [{ bos_token_id: [1] }, /"bos_token_id"/],
    [{ do_sample: 'yes' }, /"do_sample" is "yes"; it should be true or false/],
    [{ temperature: -1 }, /"temperature"/],
    [{ top_k: 0.5 }, /"top_k"/],
    [{ top_p: 1.5 }, /"top_p" is 1\.5/],
  ])('are refused where they are %j', (json, message) => {
    expect(() => read(json)).toThrow(InputError);
    expect(() => read(json)).toThrow(message);
  });
});

describe('a folder that is written', () => {
  it('opens with the same config, weights and tokenizer', async () => {
    const folder = fresh();
    const generation = { do_sample: true, top_p: 0.5 };
    await writePretrained(folder, { config: writeConfig(config), weights, tokenizer, generation }, run);
    const model = await openPretrained(folder);
    expect(model.config).toEqual(config);
    expect(model.configJson).toMatchObject({ architectures: ['LlamaForCausalLM'], torch_dtype: 'float32' });
    expect(model.generation).toMatchObject({ topP: 0.5, temperature: 1 });
    expect(await loadWeights(model, run)).toEqual(weights);
    expect((await model.tokenizer()).decode([1, 2])).toBe('a b');
  });

  it('keeps keys of the config that we do not know, and copies tokenizer files as they are', async () => {
    const from = published({ 'tokenizer_config.json': '{ "x" : 1 }', 'README.md': 'no' });
    const model = await openPretrained(from);
    const folder = fresh();
    const copies = await tokenizerFiles(from);
    await writePretrained(folder, { config: { ...model.configJson, mystery: 5 }, weights, copies }, run);
    expect(readdirSync(folder).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8')).toBe('{ "x" : 1 }');
    expect((await openPretrained(folder)).configJson.mystery).toBe(5);
  });

  it('holds 16-bit weights and shards where asked', async () => {
    const folder = fresh();
    await writePretrained(folder, { config: writeConfig(config), weights, dtype: 'BF16', maxShard: 100 }, run);
    const model = await openPretrained(folder);
    expect(model.checkpoint.files.length).toBeGreaterThan(1);
    expect(new Set(model.checkpoint.tensors.map(({ dtype }) => dtype))).toEqual(new Set(['BF16']));
    expect(model.configJson.torch_dtype).toBe('bfloat16');
    const read = await loadWeights(model, run);
    for (const [name, { data }] of Object.entries(weights)) {
      for (const [i, w] of data.entries())
        expect(Math.abs(read[name].data[i] - w)).toBeLessThanOrEqual(Math.abs(w) / 256);
    }
  });

  it('is refused when the weights are not those of the config, or a copy would replace what is written', async () => {
    const { 'model.norm.weight': _, ...lacking } = weights;
    const write = (files: object) => writePretrained(fresh(), { config: writeConfig(config), weights, ...files }, run);
    await expect(write({ weights: lacking })).rejects.toThrow(/the weights: lacks tensor "model\.norm\.weight"/);
    await expect(write({ tokenizer, copies: ['/x/tokenizer.json'] })).rejects.toThrow(
      /"tokenizer\.json" is written anew/,
    );
    await expect(write({ copies: ['/x/model.safetensors'] })).rejects.toThrow(InputError);
    await expect(write({ config: { model_type: 'gpt2' } })).rejects.toThrow(/known decoders/);
    const stopped = new Run({ signal: AbortSignal.abort() });
    await expect(writePretrained(fresh(), { config: writeConfig(config), weights }, stopped)).rejects.toThrow(
      CancelledError,
    );
  });
});

describe('a folder that is wrong', () => {
  it.each<[string, Parameters<typeof published>[0], RegExp]>([
    ['has no config', { 'config.json': undefined }, /has no config\.json, which says how/],
    ['has a config that is not JSON', { 'config.json': '{"model_type":' }, /config\.json: is not valid JSON/],
    ['has a config with a key twice', { 'config.json': '{"a":1,"a":2}' }, /names "a" twice/],
    ['has an unknown architecture', { 'config.json': { ...configJson, model_type: 'bert' } }, /"model_type" is "bert"/],
    ['has no weights', { 'model.safetensors': undefined }, /holds no \.safetensors file/],
    [
      'has a config of another width',
      { 'config.json': { ...configJson, hidden_size: 8 } },
      /tensor "model\.embed_tokens\.weight" has shape \[4, 4\]; by the config it should be \[4, 8\]/,
    ],
    [
      'has fewer layers than its config',
      { 'config.json': { ...configJson, num_hidden_layers: 2 } },
      /lacks tensor "model\.layers\.1\.input_layernorm\.weight"/,
    ],
    [
      'has tensors its config does not call for',
      { 'model.safetensors': safetensors([...tensors, f32('extra', [1], [0])]) },
      /holds tensor "extra"/,
    ],
    ['has generation defaults that are not JSON', { 'generation_config.json': 'x' }, /generation_config\.json: is not/],
    ['has hostile keys', { 'config.json': '{"__proto__": {"model_type": "llama"}}' }, /"model_type" is missing/],
    [
      'has a number beyond all bounds',
      { 'config.json': JSON.stringify(configJson).replace('6', '1e999') },
      /"intermediate_size" is/,
    ],
  ])('%s', async (_, change, message) => {
    const opened = openPretrained(published(change));
    await expect(opened).rejects.toThrow(InputError);
    await expect(opened).rejects.toThrow(message);
  });

  it('is not there, or is a file', async () => {
    await expect(openPretrained(join(root, 'nowhere'))).rejects.toThrow(/no such folder/);
    const file = join(published(), 'model.safetensors');
    await expect(openPretrained(file)).rejects.toThrow(/is a file; a model is a folder/);
  });

  it('has a tokenizer with more tokens than the model', async () => {
    const large = wordLevelTokenizerJson(['<unk>', 'a', 'b', 'c', 'd'], { unknown: '<unk>' });
    const model = await openPretrained(published({ 'tokenizer.json': large }));
    await expect(model.tokenizer()).rejects.toThrow(/a vocabulary of 5; the model's has 4/);
  });

  it('is refused before any weight is read where memory would not do', async () => {
    const progress: number[] = [];
    const model = await openPretrained(published());
    const watched = new Run({ onProgress: ({ done }) => progress.push(done) });
    const load = loadWeights(model, watched, { purpose: 'train', batch: 8, tokens: 512, available: 1e6 });
    await expect(load).rejects.toThrow(/to train this llama decoder .* needs about \d.* 1\.0 MB are available/);
    expect(progress).toEqual([]);
  });
});

const bard = fileURLToPath(new URL('../../../../../../shared/models/bard', import.meta.url));

describe.skipIf(!existsSync(bard))('bard (needs shared/models)', () => {
  it('opens, is written again in full and half the size, and opens', async () => {
    const model = await openPretrained(bard);
    expect(model.config).toMatchObject({ family: 'llama', layers: 6, heads: 6, keyValueHeads: 2, headSize: 32 });
    expect(model.generation).toEqual({ beginToken: 1022, endTokens: [1023], temperature: 0 });
    const weights = await loadWeights(model, run);
    for (const dtype of ['F32', 'F16'] as const) {
      const folder = fresh();
      const copies = await tokenizerFiles(bard);
      await writePretrained(folder, { config: model.configJson, weights, dtype, copies }, run);
      const again = await openPretrained(folder);
      expect(again.config).toEqual(model.config);
      expect((await again.tokenizer()).vocabularySize).toBe(1024);
      const read = await loadWeights(again, run);
      if (dtype === 'F32') {
        for (const name of Object.keys(weights))
          expect(Buffer.from(read[name].data.buffer).equals(Buffer.from(weights[name].data.buffer))).toBe(true);
      } else {
        expect(again.checkpoint.files[0].size).toBeLessThan(0.51 * model.checkpoint.files[0].size);
      }
    }
  });
});
