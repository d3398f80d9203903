import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import { choose } from '../../keep.ts';
import { greedyDiverse, logNeighbourDistances } from '../../numerics/diversity/neighbour-entropy.ts';
import { datasetInMemory, type PreferencePair } from '../../subjects/dataset/dataset.ts';
import { cappedPerPrompt, fifa, type PairWeights, pairScores } from './fifa.ts';

const weights: PairWeights = { margin: 1, quality: 1, diversity: 1, scale: 'z-score', marginMode: 'signed' };
const winner = [2, 1.5, 0.2, 1, 0.4];
const loser = [0.5, 1.4, 1, 0.3, 0.5];
const quality = [8, 9, 9, 2, 7];
const margin = winner.map((r, i) => r - loser[i]);
const rarity = [0.1, 0.1, 0.2, 0.5, 0.5].map(Math.log);
const orderOf = (scores: ArrayLike<number>) =>
  Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
const close = (scores: ArrayLike<number>, expected: readonly number[]) => {
  expected.forEach((value, i) => {
    expect(scores[i]).toBeCloseTo(value, 4);
  });
};

/** Pairs with a reward, a quality and an embedding each. */
function pairsOf(columns: Record<string, readonly unknown[]>, prompts = ['a', 'b', 'c', 'd', 'e']) {
  const pairs: PreferencePair[] = prompts.map((prompt, i) => ({ prompt, chosen: `good ${i}`, rejected: `bad ${i}` }));
  return datasetInMemory({ pairs, columns });
}

const full = {
  chosen_reward: winner,
  rejected_reward: loser,
  quality,
  embedding: [
    [0, 0],
    [0.1, 0],
    [0, 0.2],
    [3, 4],
    [3, 4.5],
  ],
};

const score = (data: ReturnType<typeof pairsOf>, given: Record<string, unknown> = {}) =>
  fifa.score(data, parseParams(fifa, { neighbours: 1, ...given }), new Run({ seed: 1 }));

describe('scores of preference pairs', () => {
  it('are those of the worked example, raw', () => {
    const scores = pairScores(
      { margin, quality: quality.map((q) => q / 10), rarity },
      { ...weights, quality: 0.5, diversity: 0.5, scale: 'raw' },
    );
    close(scores, [0.7487, -0.6013, -1.1547, 0.4534, -0.0966]);
    expect(orderOf(scores)).toEqual([0, 3, 4, 1, 2]);
  });

  it('are those of the worked example, standardised: the prompt of low quality falls behind', async () => {
    const scores = pairScores({ margin, quality, rarity }, weights);
    close(scores, [0.8715, -0.5501, -0.7492, -0.2291, 0.6569]);
    expect(orderOf(scores)).toEqual([0, 4, 3, 1, 2]);
    close((await score(pairsOf(full))).values, [0.8715, -0.5501, -0.7492, -0.2291, 0.6569]);
  });

  it('let a mislabelled pair rise to the third place where margins count by their size', () => {
    const scores = pairScores(
      { margin, quality: quality.map((q) => q / 10), rarity },
      { ...weights, quality: 0.5, diversity: 0.5, scale: 'raw', marginMode: 'abs' },
    );
    close(scores, [0.7487, -0.6013, 0.4453, 0.4534, 0.1034]);
    expect(orderOf(scores)).toEqual([0, 3, 2, 4, 1]);
  });

  it('stay as they are where all embeddings are scaled, or a prompt’s rewards are all moved', async () => {
    const scaled = { ...full, embedding: full.embedding.map((e) => e.map((x) => 3 * x)) };
    const moved = { ...full, chosen_reward: winner.map((r, i) => r + i), rejected_reward: loser.map((r, i) => r + i) };
    const { values } = await score(pairsOf(full));
    for (const other of [scaled, moved]) close((await score(pairsOf(other))).values, [...values]);
  });

  it('rank by the margin alone where α = γ = 0, by the rarity alone where it outweighs all', async () => {
    expect(orderOf((await score(pairsOf(full), { alpha: 0, gamma: 0 })).values)).toEqual(orderOf(margin));
    expect(
      orderOf((await score(pairsOf(full), { gamma: 1e6 })).values)
        .slice(0, 2)
        .sort(),
    ).toEqual([3, 4]);
  });

  it('give pairs of one prompt the rarity of that prompt, whatever its copies', async () => {
    const same = (i: number) => [...full.embedding, full.embedding[0]][i];
    const columns = {
      chosen_reward: [...winner, 2],
      rejected_reward: [...loser, 0.5],
      quality: [...quality, 8],
      embedding: Array.from({ length: 6 }, (_, i) => same(i)),
    };
    const { values } = await score(pairsOf(columns, ['a', 'b', 'c', 'd', 'e', 'a']));
    expect(values[5]).toBe(values[0]);
    expect(Math.abs(values[0])).toBeLessThan(5);
  });

  it('do not depend on a constant part', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 2, maxLength: 20 }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        (m, q) => {
          const with_ = pairScores({ margin: m, quality: m.map(() => q) }, weights);
          expect(with_).toEqual(pairScores({ margin: m }, weights));
        },
      ),
    );
  });
});

describe('a set chosen greedily by the undivided objective', () => {
  it('is that of the scores pair by pair where all prompts are equally far from each other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -99, max: 99 }), { minLength: 4, maxLength: 9 }), (m) => {
        const n = m.length;
        const corners = Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
        const rarity = logNeighbourDistances(corners, n, 2);
        const best = orderOf(pairScores({ margin: m, rarity }, weights)).slice(0, 3);
        const greedy = greedyDiverse(pairScores({ margin: m }, weights), corners, n, { k: 2, count: 3, weight: 1 });
        expect([...greedy]).toEqual(best);
      }),
    );
  });
});

describe('fifa', () => {
  it('counts margins that differ by rounding alone as equal', async () => {
    const rewards = {
      ...full,
      chosen_reward: [100.3, 50.3, 1000.7, 3.7, 0.2],
      rejected_reward: [100.1, 50.1, 1000.5, 3.5, 0],
    };
    const { values } = await score(pairsOf(rewards), { alpha: 0, gamma: 0 });
    expect([...values]).toEqual([0, 0, 0, 0, 0]);
  });

  it('takes a prompt’s quality from whichever row has it, and says where rows differ', async () => {
    const prompts = ['a', 'b', 'a', 'c', 'b'];
    const { values } = await score(pairsOf({ ...full, quality: [null, 9, 8, 2, 9] }, prompts), { gamma: 0 });
    const every = await score(pairsOf({ ...full, quality: [8, 9, 8, 2, 9] }, prompts), { gamma: 0 });
    expect(values).toEqual(every.values);
    expect(JSON.stringify(every.findings)).not.toContain('more than one');
    const differing = await score(pairsOf({ ...full, quality: [8, 9, 7, 2, 9] }, prompts), { gamma: 0 });
    expect(differing.values).toEqual(every.values);
    expect(JSON.stringify(differing.findings)).toContain('1 prompts have more than one');
  });

  it('reads no embedding where rarity does not count', async () => {
    const odd = { ...full, embedding: [1, 'x', null, [], 5] };
    expect((await score(pairsOf(odd), { gamma: 0 })).values).toHaveLength(5);
  });

  it('learns the same margins from chunks as from one piece, with no more pairs at hand than it draws', async () => {
    const random = new Run({ seed: 5 }).random('pairs');
    const pairs = Array.from(
      { length: 300 },
      (_, i): PreferencePair => ({ prompt: `p ${i % 7}`, chosen: `kind ${random.integer(9)}`, rejected: `rude ${i}` }),
    );
    const params = parseParams(fifa, { alpha: 0, gamma: 0, proxySteps: 5 });
    const whole = await fifa.score(datasetInMemory({ pairs }), params, new Run({ seed: 1 }));
    const cut = datasetInMemory({ pairs, chunkLength: 37 });
    expect((await fifa.score(cut, params, new Run({ seed: 1 }))).values).toEqual(whole.values);
  });

  it('takes every pair once at a budget of all, and exactly as many as asked', async () => {
    for (const [budget, count] of [
      ['5', 5],
      ['100%', 5],
      ['40%', 2],
      ['1', 1],
    ] as const) {
      const { selection } = await choose(fifa, pairsOf(full), budget, { params: { neighbours: 1 } });
      expect(new Set(selection.kept).size).toBe(count);
    }
  });

  it('ranks further pairs of a prompt below all others where a prompt is capped', () => {
    const capped = cappedPerPrompt(Float64Array.from([5, 4, 1, 3]), [0, 0, 1, 0], 1);
    expect(orderOf(capped)).toEqual([0, 2, 1, 3]);
  });

  it('learns margins where there are no rewards: wins come first, flipped labels last', async () => {
    const random = new Run({ seed: 4 }).random('pairs');
    const pairs = Array.from({ length: 200 }, (_, i): PreferencePair => {
      const good = { prompt: `p ${random.integer(20)}`, chosen: 'a clear and kind answer', rejected: 'rude noise' };
      return i < 10 ? { prompt: good.prompt, chosen: good.rejected, rejected: good.chosen } : good;
    });
    const run = new Run({ seed: 1 });
    const params = parseParams(fifa, { alpha: 0, gamma: 0, proxySteps: 100 });
    const { values, findings } = await fifa.score(datasetInMemory({ pairs }), params, run);
    expect(
      orderOf(values)
        .slice(-10)
        .every((i) => i < 10),
    ).toBe(true);
    expect(JSON.stringify(findings)).toContain('contradicts the label of 10 of 200 pairs');
  });

  it('asks a judge once a prompt', async () => {
    const asked: string[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { rows } = JSON.parse(body) as { rows: { prompt: string }[] };
      asked.push(...rows.map(({ prompt }) => prompt));
      response.end(JSON.stringify({ predictions: rows.map(({ prompt }) => prompt.charCodeAt(0) % 10) }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const judge = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const { quality: _, ...rest } = full;
      await score(pairsOf(rest, ['a', 'b', 'a', 'c', 'd']), { judge, gamma: 0 });
      // The first rows are asked twice, to see that the answers are alike.
      expect(new Set(asked)).toEqual(new Set(['a', 'b', 'c', 'd']));
    } finally {
      server.close();
    }
  });

  it('drops diversity with a remark where all prompts are one, and works for a single pair', async () => {
    const { findings } = await score(pairsOf(full, ['a', 'a', 'a', 'a', 'a']));
    expect(JSON.stringify(findings)).toContain('all prompts are the same');
    const one = Object.fromEntries(Object.entries(full).map(([name, [first]]) => [name, [first]]));
    expect((await score(pairsOf(one, ['a']))).values).toHaveLength(1);
  });

  it('refuses margins, qualities and embeddings that are not as they must be, naming the pair', async () => {
    const cases: [Record<string, readonly unknown[]>, RegExp][] = [
      [{ ...full, chosen_reward: [1, 2, 'x', 4, 5] }, /pair 2 has "x" in column chosen_reward/],
      [{ ...full, quality: [1, 2, 3, 11, 5] }, /pair 3, column quality: a quality of 11/],
      [{ ...full, quality: [1, 2, null, 4, 5] }, /1 of 5 prompts have no quality, the first "c"/],
      [{ ...full, embedding: [[0, 0], [1], [2, 2], [3, 3], [4, 4]] }, /pair 1 has an embedding of 1 numbers/],
      [
        {
          ...full,
          embedding: [
            [0, 0],
            [1, Number.NaN],
            [2, 2],
            [3, 3],
            [4, 4],
          ],
        },
        /pair 1 has an embedding that is not finite/,
      ],
      [{ ...full, embedding: [1, 2, 3, 4, 5] }, /pair 0 has no list of numbers/],
    ];
    for (const [columns, message] of cases) await expect(score(pairsOf(columns))).rejects.toThrow(message);
    await expect(score(pairsOf(full), { neighbours: 5 })).rejects.toThrow(/of 5 different prompts it is 4/);
    await expect(score(datasetInMemory({ texts: ['no pair'] }))).rejects.toThrow(/no preference pairs/);
    const filled = await score(pairsOf({ ...full, quality: [1, 2, null, 4, 5] }), { missingQuality: 'median' });
    expect(JSON.stringify(filled.findings)).toContain('the median, 3, stands for 1 prompts');
  });

  it('takes a pair whose two answers are alike', async () => {
    const pairs = [
      { prompt: 'a', chosen: 'same', rejected: 'same' },
      { prompt: 'b', chosen: 'good', rejected: 'bad' },
    ];
    const { values } = await score(datasetInMemory({ pairs }), { proxySteps: 20, gamma: 0 });
    expect(values).toHaveLength(2);
  });
});
