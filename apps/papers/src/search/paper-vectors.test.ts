/** @file The nearest papers by their vectors: in a loop where there are few, in a thread where there are many. */

import fc from 'fast-check';
import { Random } from 'salience/core';
import { afterEach, describe, expect, it } from 'vitest';
import { Candidates } from './candidates.ts';
import { PaperVectors } from './paper-vectors.ts';
import { cosineOf } from './vector-bytes.ts';

const width = 32;
/** Of two that are equally near the lower slot comes first. */
const lowerFirst = (a: number, b: number) => a < b;

function drawn(random: Random): Float32Array {
  const vector = Float32Array.from({ length: width }, () => random.normal());
  const length = Math.sqrt(cosineOf(vector, vector));
  return vector.map((value) => value / length);
}

/** Vectors of which every tenth is that of slot 0. */
function filled(papers: number): { vectors: PaperVectors; all: Float32Array[]; random: Random } {
  const random = new Random(7);
  const vectors = new PaperVectors(width, lowerFirst);
  const all = Array.from({ length: papers }, () => drawn(random));
  for (let slot = 0; slot < papers; slot += 10) all[slot] = all[0];
  for (const [slot, vector] of all.entries()) vectors.set(slot, vector, `hash ${slot}`);
  return { vectors, all, random };
}

/** By sorting everything. */
function sorted(query: Float32Array, all: readonly Float32Array[], allowed: Uint8Array, most: number) {
  return all
    .map((vector, slot) => ({ slot, cosine: cosineOf(query, vector) }))
    .filter(({ slot, cosine }) => cosine > 0 && allowed[slot] === 1)
    .sort((a, b) => b.cosine - a.cosine || a.slot - b.slot)
    .slice(0, most);
}

let open: PaperVectors | undefined;
afterEach(() => open?.close());

describe.each([
  ['few papers, in a loop', 600],
  ['many papers, in a thread', 90_000],
])('the nearest of %s', (_, papers) => {
  it('are those that sorting everything finds, and of equals the first by the order', async () => {
    const { vectors, all, random } = filled(papers);
    open = vectors;
    const queries = [all[0], ...Array.from({ length: 11 }, () => drawn(random))];
    const whole = new Uint8Array(papers).fill(1);
    const odd = whole.map((_, slot) => slot % 2);
    const found = await Promise.all(queries.map((query, i) => vectors.nearest(query, i % 3 === 2 ? odd : whole, 25)));
    for (const [i, query] of queries.entries()) {
      expect(found[i]).toEqual(sorted(query, all, i % 3 === 2 ? odd : whole, 25));
    }
    // All of the first are the same vector; that more of them are equally near than are asked for does not matter.
    expect(found[0].map(({ slot }) => slot)).toEqual(Array.from({ length: 25 }, (_, i) => 10 * i));
  });

  it('are found among those that came later, and while and after the thread is let go', async () => {
    const { vectors, all, random } = filled(papers);
    open = vectors;
    const query = drawn(random);
    await vectors.nearest(query, new Uint8Array(papers).fill(1), 3);
    for (let slot = papers; slot < papers + 9000; slot++) {
      all.push(slot === papers + 8999 ? query : drawn(random));
      vectors.set(slot, all[slot], `hash ${slot}`);
    }
    const allowed = new Uint8Array(all.length).fill(1);
    expect(await vectors.nearest(query, allowed, 5)).toEqual(sorted(query, all, allowed, 5));
    const waiting = vectors.nearest(query, allowed, 5);
    await vectors.close();
    expect(await waiting).toEqual(sorted(query, all, allowed, 5));
    expect(await vectors.nearest(query, allowed, 5)).toEqual(sorted(query, all, allowed, 5));
  });
});

describe('candidates', () => {
  it('hold the best of the exact cosines, however they were rounded', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 64 }),
        (exact, most, block) => {
          const rounded = Float32Array.from(exact, (cosine, i) => cosine + (i % 3 === 0 ? 1e-6 : -1e-6));
          const candidates = new Candidates(most);
          const allowed = new Uint8Array(exact.length).fill(1);
          for (let first = 0; first < exact.length; first += block) {
            candidates.take(rounded, first, Math.min(block, exact.length - first), first, allowed);
          }
          const slots = new Set(candidates.slots());
          const best = exact.map((cosine, slot) => ({ cosine, slot })).filter(({ cosine }) => cosine > 1e-5);
          best.sort((a, b) => b.cosine - a.cosine);
          for (const { slot } of best.slice(0, most)) expect(slots.has(slot)).toBe(true);
        },
      ),
    );
  });
});
