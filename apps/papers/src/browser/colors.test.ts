import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('./colors.css', import.meta.url), 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name,
    [light, dark],
  ]),
);

/** Relative luminance of WCAG 2. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('in %s colours', (_, scheme) => {
  const of = (name: string) => tokens.get(name)![scheme];

  it('every text colour reaches 4.5 : 1 on every ground', () => {
    for (const text of ['ink', 'muted', 'accent', 'good', 'bad', 'open']) {
      for (const ground of ['ground', 'surface', 'sunk']) {
        expect(contrast(of(text), of(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    expect(contrast(of('on-accent'), of('accent'))).toBeGreaterThanOrEqual(4.5);
  });

  it('ink is read on every heat, and hotter differs from cooler', () => {
    for (let k = 0; k <= 10; k++) {
      expect(contrast(of('ink'), of(`heat-${k}`)), `heat-${k}`).toBeGreaterThanOrEqual(4.5);
      if (k > 0)
        expect(contrast(of(`heat-${k}`), of('heat-0'))).toBeGreaterThan(contrast(of(`heat-${k - 1}`), of('heat-0')));
    }
  });

  it('edges of fields and the mark of focus reach 3 : 1', () => {
    for (const ground of ['ground', 'surface', 'sunk']) {
      expect(contrast(of('edge'), of(ground)), ground).toBeGreaterThanOrEqual(3);
      expect(contrast(of('accent'), of(ground)), ground).toBeGreaterThanOrEqual(3);
    }
  });
});
