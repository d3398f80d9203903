import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Random } from '../src/core/random.ts';
import { Run } from '../src/core/run.ts';
import { inspect } from '../src/models/decoder/inspect.ts';
import { parameterCount } from '../src/models/decoder/weights.ts';
import { generate } from '../src/models/generation/generate.ts';
import { perplexity } from '../src/models/generation/perplexity.ts';
import { loadWeights, openPretrained } from '../src/models/pretrained/open-pretrained.ts';
import { document, retrieval, textOf } from '../src/models/recall-language/index.ts';
import { int32, numpy as np } from '../src/runtime/index.ts';

const folderOf = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
const opened = async (name: string) => {
  const pretrained = await openPretrained(folderOf(name));
  return { pretrained, model: { config: pretrained.config, weights: await loadWeights(pretrained, new Run()) } };
};

describe.each(['recall', 'recall-moe'])('the shipped model %s', (name) => {
  it('has 1 to 3 million parameters in 6 MB or less', async () => {
    const { pretrained } = await opened(name);
    const count = parameterCount(pretrained.config);
    expect(count).toBeGreaterThan(1e6);
    expect(count).toBeLessThan(3e6);
    expect(statSync(`${folderOf(name)}/model.safetensors`).size).toBeLessThan(6e6);
  });

  it('answers at least 95% of questions about facts far back, at 512 and at 1,024 tokens', async () => {
    const { model } = await opened(name);
    for (const options of [
      { length: 512, facts: 12, questions: 8 },
      { length: 1024, facts: 16, questions: 8 },
    ]) {
      const answered = await retrieval(model, new Random(7, `test/${options.length}`), options, 8);
      expect(answered.filter(({ right }) => right).length / answered.length).toBeGreaterThanOrEqual(0.95);
      expect(Math.min(...answered.map(({ distance }) => distance))).toBeGreaterThan(0.25 * options.length);
    }
  });

  it('answers a question put to it as text, and speaks the language', async () => {
    const { pretrained, model } = await opened(name);
    const tokenizer = await pretrained.tokenizer();
    const { text, questions } = document(new Random(3), { length: 256, facts: 6, questions: 1 });
    const [{ key, value }] = questions;
    const cut = text.slice(0, text.lastIndexOf(`ask : ${key}`) + `ask : ${key}`.length);
    const { tokens } = await generate(model, await tokenizer.encode(cut), { maxTokens: 2 });
    expect(tokenizer.decode(tokens).trim()).toBe(`${value} .`);
    const other = document(new Random(11), { length: 512, facts: 12, questions: 8 });
    const ids = await tokenizer.encode(other.text);
    expect(textOf(ids)).toBe(other.text);
    expect((await perplexity(model, ids, { window: 512 })).perplexity).toBeLessThan(9);
  });
});

it('the experts of recall-moe are all used, two a token', async () => {
  const { model } = await opened('recall-moe');
  const { tokens } = document(new Random(5), { length: 512, facts: 12, questions: 8 });
  const chosen = {
    scope: 'layer' as const,
    reduce: (see: (point: string) => import('../src/runtime/index.ts').JaxArray) =>
      np.greater(see('mlp.router.gates'), 0).astype(np.float32).sum([0, 1]),
  };
  const { observed } = await inspect(model.config, { observe: { chosen } }).run(model.weights, int32([1, 512], tokens));
  for (const layer of observed.chosen) {
    const counts = [...(layer as { data: Float32Array }).data];
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(2 * 512);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  }
});
