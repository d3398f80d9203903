/** @file Generated images of digits, 8 × 8 pixels from 0 to 16: glyphs that are shifted, slanted, blurred, thickened and noisy. */

import type { Random } from '../../core/random.ts';
import { type Dataset, datasetInMemory } from './dataset.ts';

/** The ten digits in 5 columns and 7 rows. */
const glyphs = [
  '.###. #...# #...# #...# #...# #...# .###.',
  '..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.',
  '.###. #...# ....# ...#. ..#.. .#... #####',
  '.###. #...# ....# ..##. ....# #...# .###.',
  '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  '##### #.... ####. ....# ....# #...# .###.',
  '.###. #.... #.... ####. #...# #...# .###.',
  '##### ....# ...#. ..#.. ..#.. .#... .#...',
  '.###. #...# #...# .###. #...# #...# .###.',
  '.###. #...# #...# .#### ....# ....# .###.',
].map((glyph) => glyph.split(' '));

/** Ink of a glyph at a point between its cells, 0 to 1, bilinear. */
function inkAt(glyph: readonly string[], x: number, y: number): number {
  const cell = (c: number, r: number) => (glyph[r]?.[c] === '#' ? 1 : 0);
  const c = Math.floor(x);
  const r = Math.floor(y);
  const u = x - c;
  const v = y - r;
  return (
    (1 - u) * (1 - v) * cell(c, r) +
    u * (1 - v) * cell(c + 1, r) +
    (1 - u) * v * cell(c, r + 1) +
    u * v * cell(c + 1, r + 1)
  );
}

/**
 * Images of digits with their classes, each digit about as often; pixels are whole numbers from 0 to 16, features `p0` to `p63` row by row.
 * @param noise deviation of the noise of a pixel, of 16.
 */
export function digitImages(examples: number, random: Random, noise = 1.5): Dataset {
  const values = new Float32Array(examples * 64);
  const of = Uint32Array.from({ length: examples }, (_, i) => i % 10);
  random.shuffle(of);
  for (let i = 0; i < examples; i++) {
    const glyph = glyphs[of[i]];
    const scale = 0.85 + 0.3 * random.uniform();
    const slant = 0.5 * (random.uniform() - 0.5);
    const dx = 1.6 * (random.uniform() - 0.5);
    const dy = 1.2 * (random.uniform() - 0.5);
    const ink = 12 + 6 * random.uniform();
    for (let r = 0; r < 8; r++) {
      for (let c = 0; c < 8; c++) {
        const y = (r - 3.5 - dy) / scale + 3;
        const x = (c - 3.5 - dx - slant * (r - 3.5)) / scale + 2;
        const value = ink * inkAt(glyph, x, y) + noise * random.normal();
        values[i * 64 + r * 8 + c] = Math.min(16, Math.max(0, Math.round(value)));
      }
    }
  }
  return datasetInMemory({
    name: 'digits',
    features: Array.from({ length: 64 }, (_, p) => `p${p}`),
    values,
    labels: { classes: Array.from({ length: 10 }, (_, k) => String(k)), of },
  });
}
