import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { decodeText } from './decoding.ts';

const bytes = (...parts: (number[] | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

describe('decodeText', () => {
  it('reads UTF-8 with and without a byte order mark', () => {
    expect(decodeText(bytes('Añb 😀'), 'a.txt')).toBe('Añb 😀');
    expect(decodeText(bytes([0xef, 0xbb, 0xbf], 'Añb'), 'a.txt')).toBe('Añb');
    expect(decodeText(bytes(), 'a.txt')).toBe('');
  });

  it('reads UTF-16 of either order with a byte order mark', () => {
    expect(decodeText(bytes([0xff, 0xfe, 0x41, 0, 0xf1, 0]), 'a.txt')).toBe('Añ');
    expect(decodeText(bytes([0xfe, 0xff, 0, 0x41, 0, 0xf1]), 'a.txt')).toBe('Añ');
  });

  it.each<[string, number, Buffer]>([
    ['a byte that begins nothing', 3, bytes('abc', [0xff], 'def')],
    ['Latin-1', 3, bytes('caf', [0xe9], ' au lait')],
    ['a character that is cut short at the end', 5, bytes('añ\ufffd'.slice(0, 2), 'xy', [0xe2, 0x82])],
    ['an overlong form', 1, bytes('a', [0xc0, 0xaf])],
    ['half a surrogate pair', 2, bytes('ab', [0xed, 0xa0, 0x80])],
    ['a wrong byte behind a written replacement character', 7, bytes('\ufffd\ufffdx', [0x80])],
    ['a wrong byte behind a byte order mark', 4, bytes('\ufeffa', [0x80])],
  ])('names the place of %s: byte %i', (_, at, wrong) => {
    expect(() => decodeText(wrong, 'a.txt')).toThrow(InputError);
    expect(() => decodeText(wrong, 'a.txt')).toThrow(`a.txt is not UTF-8: byte ${at} is`);
  });

  it('refuses UTF-16 that ends in the middle, and what has a zero character', () => {
    expect(() => decodeText(bytes([0xff, 0xfe, 0x41]), 'a.txt')).toThrow('not valid UTF-16');
    expect(() => decodeText(bytes('PK\0\0'), 'a.txt')).toThrow('a.txt is not a text');
  });

  it('gives back every text that was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.includes('\0') && !text.startsWith('\ufeff'));
        expect(decodeText(new TextEncoder().encode(text), 'a.txt')).toBe(text);
      }),
    );
  });
});
