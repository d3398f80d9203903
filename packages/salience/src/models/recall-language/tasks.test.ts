import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { markovBatch, markovChain, pairBatch, pairTask, ruleBatch, ruleTask, successorChances } from './index.ts';

describe('the persistent task', () => {
  it('has one rule a row at positions 1 to 15, and after it the answers (⌊symbol / 3⌋ + rule) mod 8', () => {
    const { tokens, targets, weights, length } = ruleBatch(new Random(1), 200);
    const places = new Set<number>();
    for (let row = 0; row < 200; row++) {
      const own = tokens.subarray(row * length, (row + 1) * length);
      const place = own.findIndex((token) => token >= ruleTask.symbols);
      const rule = own[place] - ruleTask.symbols;
      places.add(place);
      expect(own.filter((token) => token >= ruleTask.symbols).length).toBe(1);
      for (let t = 0; t < length; t++) {
        expect(weights[row * length + t]).toBe(t > place ? 1 : 0);
        if (t > place) expect(targets[row * length + t]).toBe((Math.floor(own[t] / 3) + rule) % 8);
      }
    }
    expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
  });

  it('cannot be answered without the rule: each answer is as likely for each symbol', () => {
    const { targets, weights } = ruleBatch(new Random(2), 500);
    const counts = new Array<number>(8).fill(0);
    let n = 0;
    weights.forEach((w, at) => {
      if (w === 0) return;
      counts[targets[at]]++;
      n++;
    });
    for (const count of counts) expect(Math.abs(count / n - 1 / 8)).toBeLessThan(0.01);
  });
});

describe('the non-persistent task', () => {
  const { length, firstQuery, firstFiller, values, vocabulary } = pairTask;

  it('has 8 pairs of different keys in the first half, and queries only for them in the second, answered by their values', () => {
    const { tokens, targets, weights } = pairBatch(new Random(1), 100, { hot: 0.9 });
    let queries = 0;
    for (let row = 0; row < 100; row++) {
      const held = new Map<number, number>();
      for (let t = 0; t < length; t++) {
        const at = row * length + t;
        const token = tokens[at];
        expect(token).toBeLessThan(vocabulary);
        const query = token >= firstQuery && token < firstFiller;
        expect(weights[at]).toBe(query ? 1 : 0);
        if (token < firstQuery) {
          expect(t).toBeLessThan(length / 2);
          held.set(Math.floor(token / values), token % values);
        }
        if (!query) continue;
        queries++;
        expect(t).toBeGreaterThanOrEqual(length / 2);
        expect(targets[at]).toBe(held.get(token - firstQuery));
      }
      expect(held.size).toBe(8);
    }
    expect(Math.abs(queries / 4800 - 0.3)).toBeLessThan(0.03);
  });

  it('asks for two hot keys a row with chance ρ + (1 − ρ) / 4', () => {
    for (const hot of [0, 0.9, 1]) {
      const { tokens } = pairBatch(new Random(3), 400, { hot });
      let [two, all] = [0, 0];
      for (let row = 0; row < 400; row++) {
        const counts = new Map<number, number>();
        for (const token of tokens.subarray(row * length, (row + 1) * length)) {
          if (token >= firstQuery && token < firstFiller) counts.set(token, (counts.get(token) ?? 0) + 1);
        }
        const sorted = [...counts.values()].sort((a, b) => b - a);
        two += sorted.slice(0, 2).reduce((sum, n) => sum + n, 0);
        all += sorted.reduce((sum, n) => sum + n, 0);
      }
      // the two most asked keys of a row, which with ρ = 0 are the luckiest two of eight
      if (hot === 1) expect(two).toBe(all);
      if (hot === 0.9) expect(Math.abs(two / all - 0.925)).toBeLessThan(0.02);
      if (hot === 0) expect(two / all).toBeLessThan(0.55);
    }
  });

  it('refuses a share of hot queries outside [0, 1]', () => {
    expect(() => pairBatch(new Random(0), 1, { hot: 1.5 })).toThrow('in [0, 1], not 1.5');
    expect(() => pairBatch(new Random(0), 1, { hot: Number.NaN })).toThrow('not NaN');
  });
});

describe('the Markov chain', () => {
  it('has four different successors for each context', () => {
    const { successors } = markovChain(new Random(1));
    expect(successors.length).toBe(16 * 16 * 4);
    for (let at = 0; at < successors.length; at += 4) expect(new Set(successors.subarray(at, at + 4)).size).toBe(4);
  });

  it('has an entropy of 1.11 nats a token, which its sequences show', () => {
    const entropy = -successorChances.reduce((sum, p) => sum + p * Math.log(p), 0);
    expect(entropy).toBeCloseTo(1.1097, 4);
    const chain = markovChain(new Random(1));
    const { tokens, targets, length } = markovBatch(new Random(2), chain, 500);
    let [sum, n] = [0, 0];
    for (let row = 0; row < 500; row++) {
      for (let t = 1; t < length; t++) {
        const at = row * length + t;
        const context = (tokens[at - 1] * 16 + tokens[at]) * 4;
        const rank = chain.successors.subarray(context, context + 4).indexOf(targets[at]);
        expect(rank).toBeGreaterThanOrEqual(0);
        sum -= Math.log(successorChances[rank]);
        n++;
      }
    }
    expect(Math.abs(sum / n - entropy)).toBeLessThan(0.03);
  });

  it('has inputs and targets that are one sequence of 32 tokens, shifted by one', () => {
    const { tokens, targets, length, weights } = markovBatch(new Random(4), markovChain(new Random(1)), 10);
    expect(length).toBe(31);
    for (let row = 0; row < 10; row++) {
      const at = row * length;
      expect(targets.subarray(at, at + length - 1)).toEqual(tokens.subarray(at + 1, at + length));
    }
    expect(weights.every((w) => w === 1)).toBe(true);
  });

  it('gives rows whose second half repeats the first where copies are asked for', () => {
    const chain = markovChain(new Random(1));
    const repeats = (copies: number) => {
      const { tokens, targets, length } = markovBatch(new Random(6), chain, 400, { copies });
      let count = 0;
      for (let row = 0; row < 400; row++) {
        const own = [...tokens.subarray(row * length, (row + 1) * length), targets[(row + 1) * length - 1]];
        if (own.slice(0, 16).every((token, t) => token === own[16 + t])) count++;
      }
      return count;
    };
    expect(repeats(1)).toBe(400);
    expect(repeats(0)).toBe(0);
    expect(Math.abs(repeats(0.5) - 200)).toBeLessThan(50);
  });

  it('refuses fewer tokens than successors, and shares of copies outside [0, 1]', () => {
    expect(() => markovChain(new Random(0), 3)).toThrow('4 tokens or more, not 3');
    expect(() => markovBatch(new Random(0), markovChain(new Random(0)), 1, { copies: -1 })).toThrow('not -1');
  });
});
