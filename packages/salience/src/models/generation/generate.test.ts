import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cachedConfig, madeDecoder } from '../../../test/made-decoders.ts';
import { CancelledError, InputError, ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { float32, int32 } from '../../runtime/index.ts';
import { loadWeights, openPretrained } from '../pretrained/open-pretrained.ts';
import { generate } from './generate.ts';
import { negativeLogLikelihood, perplexity } from './perplexity.ts';
import { greedy, sample } from './sampling.ts';

const shared = fileURLToPath(new URL('../../../../../../shared', import.meta.url));
const bard = `${shared}/models/bard`;
const there = existsSync(`${bard}/reference.json`);
const openBard = async () => {
  const pretrained = await openPretrained(bard);
  const model = { config: pretrained.config, weights: await loadWeights(pretrained, new Run()) };
  return { model, pretrained, reference: JSON.parse(readFileSync(`${bard}/reference.json`, 'utf8')) };
};

const model = madeDecoder(cachedConfig);
const prompt = Int32Array.from({ length: 12 }, (_, i) => (7 * i) % 31);

describe('drawing a token', () => {
  const logits = Float32Array.from([0.5, 0.25, 0.15, 0.1], Math.log);
  const shares = (options: object, n = 20000) => {
    const random = new Random(1, 'draws');
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) counts[sample(logits, { temperature: 1, ...options }, random)]++;
    return counts.map((count) => count / n);
  };
  const near = (given: number[], expected: number[]) =>
    given.forEach((share, v) => {
      expect(Math.abs(share - expected[v])).toBeLessThan(4 * Math.sqrt(0.25 / 20000));
    });

  it('at temperature 0 takes the likeliest, the lower one among equals', () => {
    expect(greedy(Float32Array.of(1, 3, 3, 2))).toBe(1);
    expect(sample(Float32Array.of(1, 3, 3, 2), {}, new Random(0))).toBe(1);
  });

  it('follows the softmax, sharpened by a temperature below 1', () => {
    near(shares({}), [0.5, 0.25, 0.15, 0.1]);
    const squares = [0.25, 0.0625, 0.0225, 0.01].map((p) => p / 0.345);
    near(shares({ temperature: 0.5 }), squares);
  });

  it('of top-k keeps the k likeliest in their proportions', () => {
    near(shares({ topK: 2 }), [2 / 3, 1 / 3, 0, 0]);
    expect(shares({ topK: 1 }, 100)).toEqual([1, 0, 0, 0]);
  });

  it('of top-p keeps the fewest that reach p', () => {
    near(shares({ topP: 0.7 }), [2 / 3, 1 / 3, 0, 0]);
    near(shares({ topP: 0.76 }), [0.5 / 0.9, 0.25 / 0.9, 0.15 / 0.9, 0]);
    expect(shares({ topP: 1e-9 }, 100)).toEqual([1, 0, 0, 0]);
  });

  it('applies top-p to what top-k has left', () => {
    near(shares({ topK: 3, topP: 0.6 }), [2 / 3, 1 / 3, 0, 0]);
    expect(shares({ topK: 2, topP: 0.6 }, 100)).toEqual([1, 0, 0, 0]);
  });
});

describe('continuing a text', () => {
  it('writes the likeliest token each time', async () => {
    const { tokens, ended } = await generate(model, prompt, { maxTokens: 8 });
    const all = [...prompt];
    for (const token of tokens) {
      const { tokens: one } = await generate(model, Int32Array.from(all), { maxTokens: 1 });
      expect(one).toEqual([token]);
      all.push(token);
    }
    expect([tokens.length, ended]).toEqual([8, 'length']);
  });

  it('draws the same with the same seed, and otherwise with another', async () => {
    const drawn = async (seed: number) =>
      (await generate(model, prompt, { maxTokens: 20, temperature: 1.5, run: new Run({ seed }) })).tokens;
    expect(await drawn(3)).toEqual(await drawn(3));
    expect(await drawn(3)).not.toEqual(await drawn(4));
  });

  it('ends at an end token, which is not part of it', async () => {
    const { tokens } = await generate(model, prompt, { maxTokens: 8 });
    const end = tokens[5];
    const first = tokens.indexOf(end);
    const made = await generate(model, prompt, { maxTokens: 8, endTokens: [end] });
    expect(made).toMatchObject({ tokens: tokens.slice(0, first), ended: 'end token' });
    expect(
      await generate({ ...model, config: { ...model.config, endTokens: [end] } }, prompt, { maxTokens: 8 }),
    ).toMatchObject({ tokens: made.tokens });
  });

  it('ends at a stop sequence, which is cut off', async () => {
    const { tokens } = await generate(model, prompt, { maxTokens: 12, temperature: 1.5, run: new Run({ seed: 2 }) });
    const [a, b] = tokens.slice(4, 6);
    const first = tokens.findIndex((token, t) => token === a && tokens[t + 1] === b);
    const stop = [
      [99, 98],
      [a, b],
    ];
    const made = await generate(model, prompt, { maxTokens: 12, temperature: 1.5, run: new Run({ seed: 2 }), stop });
    expect(made).toMatchObject({ tokens: tokens.slice(0, first), ended: 'stop sequence' });
  });

  it('ends at the last position of the model', async () => {
    const long = Int32Array.from({ length: 94 }, (_, i) => i % 31);
    const { tokens, ended } = await generate(model, long, { maxTokens: 20 });
    // After the prompt's 94 tokens two more are read, and one is written that none is read after.
    expect([tokens.length, ended]).toEqual([3, 'length']);
  });

  it('tells of each token, and stops when it is cancelled', async () => {
    const told: number[] = [];
    const { tokens } = await generate(model, prompt, { maxTokens: 5, onToken: (token) => told.push(token) });
    expect(told).toEqual(tokens);
    const controller = new AbortController();
    const run = new Run({ signal: controller.signal });
    const going = generate(model, prompt, { maxTokens: 50, run, onToken: () => controller.abort() });
    await expect(going).rejects.toThrow(CancelledError);
  });

  it('refuses what cannot be', async () => {
    await expect(generate(model, new Int32Array(0))).rejects.toThrow(InputError);
    await expect(generate(model, new Int32Array(97))).rejects.toThrow('97 tokens is longer than the 96 positions');
    await expect(generate(model, prompt, { maxTokens: -1 })).rejects.toThrow(ParameterError);
    await expect(generate(model, prompt, { temperature: -1 })).rejects.toThrow('temperature of -1');
    await expect(generate(model, prompt, { topK: 0 })).rejects.toThrow('top-k 0');
    await expect(generate(model, prompt, { topP: 1.5 })).rejects.toThrow('top-p 1.5');
    await expect(generate(model, prompt, { stop: [[]] })).rejects.toThrow('a stop sequence is empty');
  });

  it('names the first point where numbers are not finite', async () => {
    const broken = (name: string) => {
      const { shape, data } = model.weights[name];
      return {
        ...model,
        weights: {
          ...model.weights,
          [name]: float32(
            [...shape],
            data.map(() => Number.NaN),
          ),
        },
      };
    };
    await expect(generate(broken('model.layers.1.self_attn.v_proj.weight'), prompt)).rejects.toThrow(
      /not finite, first at layers\.1\.attention\.values/,
    );
    await expect(generate(broken('lm_head.weight'), prompt)).rejects.toThrow(/not finite, first at its head/);
  });
});

describe('perplexity', () => {
  const text = Int32Array.from({ length: 50 }, (_, i) => (i * i + 1) % 31);
  const nllOf = async (from: number, to: number) => [
    ...(await negativeLogLikelihood(model, int32([1, to - from], text.slice(from, to)))).data,
  ];
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  it('of one window is that of its tokens but the first', async () => {
    const { predicted, windows, meanNll, perplexity: p } = await perplexity(model, text);
    expect([predicted, windows]).toEqual([49, 1]);
    expect(meanNll).toBeCloseTo(mean(await nllOf(0, 50)), 5);
    expect(p).toBeCloseTo(Math.exp(meanNll), 8);
  });

  it('of windows side by side is the mean over their tokens, the last one shorter', async () => {
    const { predicted, windows, meanNll } = await perplexity(model, text, { window: 20 });
    const direct = [...(await nllOf(0, 20)), ...(await nllOf(20, 40)), ...(await nllOf(40, 50))];
    expect([predicted, windows]).toEqual([19 + 19 + 9, 3]);
    expect(meanNll).toBeCloseTo(mean(direct), 5);
  });

  it('with a stride predicts each token once, from what its window holds before it', async () => {
    const { predicted, meanNll } = await perplexity(model, text, { window: 20, stride: 8 });
    const direct = await nllOf(0, 20);
    for (let start = 8, done = 20; done < 50; start += 8) {
      const end = Math.min(start + 20, 50);
      direct.push(...(await nllOf(start, end)).slice(done - start - 1));
      done = end;
    }
    expect(predicted).toBe(49);
    expect(meanNll).toBeCloseTo(mean(direct), 5);
  });

  it('refuses windows and strides that cannot be, and a text of one token', async () => {
    await expect(perplexity(model, text, { window: 1 })).rejects.toThrow('a window of 1 tokens');
    await expect(perplexity(model, text, { window: 97 })).rejects.toThrow('96 positions');
    await expect(perplexity(model, text, { window: 8, stride: 9 })).rejects.toThrow('a stride of 9');
    await expect(perplexity(model, text.slice(0, 1))).rejects.toThrow(InputError);
  });
});

describe.skipIf(!there)('bard, as PyTorch computed it (skipped where shared/models/bard is missing)', () => {
  it('continues its prompts with just the same tokens', async () => {
    const { model, pretrained, reference } = await openBard();
    const tokenizer = await pretrained.tokenizer();
    for (const { text, ids, greedy_32 } of reference.prompts) {
      expect([...(await tokenizer.encode(text))]).toEqual(ids);
      const { tokens } = await generate(model, Int32Array.from(ids), { maxTokens: 32, endTokens: [] });
      expect(tokens).toEqual(greedy_32);
    }
  });

  it('has the reference’s perplexity over windows of 256', async () => {
    const { model, pretrained, reference } = await openBard();
    const text = readFileSync(`${shared}/data/text/tiny-shakespeare.txt`, 'utf8');
    const ids = await (await pretrained.tokenizer()).encode(text.slice(Math.floor(0.95 * text.length)));
    expect(ids.length).toBe(reference.perplexity.ids);
    const whole = ids.subarray(0, Math.floor(ids.length / 256) * 256);
    const made = await perplexity(model, whole, { window: 256 });
    expect([made.windows, made.predicted]).toEqual([reference.perplexity.windows, reference.perplexity.predicted]);
    expect(made.perplexity).toBeCloseTo(reference.perplexity.perplexity, 3);
  });
});
