/** @file Bytes to text, strictly: what is not text is refused and never guessed at. */

import { InputError } from '../../core/errors.ts';

/**
 * Decodes UTF-8, or UTF-16 that begins with a byte order mark; the mark is not part of the text.
 * @param name what the bytes are called in errors.
 * @throws InputError naming the first byte that is wrong, or that makes this no text.
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const mark = bytes.length >= 2 ? (bytes[0] << 8) | bytes[1] : 0;
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    if (encoding !== 'utf-8') throw new InputError(`${name} begins like UTF-16 and is not valid UTF-16`);
    const at = firstInvalid(bytes);
    const byte = bytes[at].toString(16).padStart(2, '0');
    throw new InputError(`${name} is not UTF-8: byte ${at} is 0x${byte}; save it as UTF-8`);
  }
  if (text.includes('\0')) throw new InputError(`${name} is not a text: it has a zero character`);
  return text;
}

/** Offset of the first byte that is not UTF-8: where a lenient decoder puts the first replacement that was not written. */
function firstInvalid(bytes: Uint8Array): number {
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const encoder = new TextEncoder();
  let offset = 0;
  let from = 0;
  for (;;) {
    const at = lenient.indexOf('\ufffd', from);
    if (at === -1) return bytes.length - 1;
    offset += encoder.encode(lenient.slice(from, at)).length;
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) return offset;
    offset += 3;
    from = at + 1;
  }
}
