import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { cachedConfig, madeDecoder } from '../../../test/made-decoders.ts';
import { matrix } from '../../../test/matrix.ts';
import { catalogue } from '../../catalogue.ts';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import { select } from '../../core/select.ts';
import { afterCutPrompt } from '../../models/generation/cache-policy.ts';
import { CachedDecoder } from '../../models/generation/cached-decoder.ts';
import { float32 } from '../../runtime/index.ts';
import { type CacheScores, type Prompt, prompt, promptInMemory } from '../../subjects/prompt/prompt.ts';
import { h2oPolicy } from './h2o.ts';
import { snapkvPolicy } from './snapkv.ts';
import { streamingLlmPolicy } from './streaming-llm.ts';

const { config, weights } = madeDecoder({ ...cachedConfig, vocab_size: 29, max_position_embeddings: 128 });
const tokens = Int32Array.from({ length: 61 }, (_, i) => (i * i + 3) % 29);
const made = () => promptInMemory({ config, weights }, { tokens }, { tokens: 8 });

beforeAll(() => {
  vi.spyOn(prompt, 'sample').mockImplementation(async () => made());
});

matrix('attention', [
  {
    what: 'an empty prompt',
    load: async () => promptInMemory({ config, weights }, { tokens: new Int32Array(0) }),
    message: /the prompt is empty/,
  },
  {
    what: 'a weight that is not finite, naming it',
    load: async () => {
      const name = 'model.layers.1.mlp.up_proj.weight';
      const data = weights[name].data.slice();
      data[5] = Number.NaN;
      const broken = { ...weights, [name]: float32(weights[name].shape, data) };
      return promptInMemory({ config, weights: broken }, { tokens });
    },
    message: /layers\.1\.mlp\.up_proj\.weight: weight 5 is NaN/,
  },
]);

describe.each(catalogue.filter(({ family }) => family === 'attention'))('$id', ({ id, load }) => {
  const policyOf = async (entries: number, params: object = {}) => {
    const method = await load();
    const run = new Run({ seed: 1 });
    const parsed = parseParams(method, params as Record<string, unknown>);
    return ((await method.score(made() as Prompt, parsed, run)) as CacheScores).policy(entries);
  };

  it('keeps as many entries in every head, one more or less where the number does not divide', async () => {
    const method = await load();
    const scores = (await method.score(made(), parseParams(method), new Run())) as CacheScores;
    for (const budget of ['25%', '10%', '7', '40 per group']) {
      const { kept } = select(scores, budget, method.allocation?.(parseParams(method)));
      const counts = scores.groups!.names.map(() => 0);
      for (const unit of kept) counts[scores.groups!.of[unit]]++;
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  it('gives a policy that holds less than it was given', async () => {
    const policy = await policyOf(40);
    const most = policy.capacity(0, 2);
    expect(id === 'full-cache' || id === 'snapkv' ? most === Infinity : most === 39).toBe(true);
  });
});

describe('what scores keep of a prompt', () => {
  it.each([
    ['h2o', (entries: number) => h2oPolicy({ entries: entries + 1, recent: 10 })],
    ['streaming-llm', (entries: number) => streamingLlmPolicy({ entries: entries + 1 })],
    ['snapkv', (entries: number) => snapkvPolicy({ entries, window: 32 })],
  ] as const)('by %s is what its policy keeps, and the text goes on bit for bit alike', async (id, own) => {
    const method = await catalogue.find((entry) => entry.id === id)!.load();
    const subject = made();
    const scores = (await method.score(subject, parseParams(method), new Run())) as CacheScores;
    for (const entries of [36, 45]) {
      const { kept } = select(scores, `${entries} per group`, method.allocation?.(parseParams(method)));
      const n = tokens.length;
      const lanes = [0, 1].map((layer) =>
        [0, 1].map((lane) => {
          const first = (2 * layer + lane) * n;
          return Int32Array.from(
            [...kept].filter((unit) => unit >= first && unit < first + n),
            (unit) => unit - first,
          );
        }),
      );
      const bySelection = new CachedDecoder(subject.model, {
        policy: afterCutPrompt(scores.policy(entries + 1), lanes),
      });
      const byPolicy = new CachedDecoder(subject.model, { policy: own(entries) });
      await bySelection.prompt(tokens);
      await byPolicy.prompt(tokens);
      for (let t = 0; t < 12; t++) {
        const token = Int32Array.of((5 * t) % 29);
        expect(await bySelection.next(token)).toEqual(await byPolicy.next(token));
      }
      expect(bySelection.caches.map(({ positions }) => [...positions])).toEqual(
        byPolicy.caches.map(({ positions }) => [...positions]),
      );
    }
  });
});

const recall = fileURLToPath(new URL('../../../examples/recall/model.safetensors', import.meta.url));
it.skipIf(!existsSync(recall))(
  'The sample is a question to the shipped model (skipped where it is not built yet)',
  async () => {
    vi.restoreAllMocks();
    const { pieces, model, continuation } = await prompt.sample(new Run());
    expect(pieces.slice(-3, -1).join('').trim()).toMatch(/^ask\s?:$/);
    expect(pieces.length + continuation.tokens).toBeLessThanOrEqual(model.config.positions);
  },
);
