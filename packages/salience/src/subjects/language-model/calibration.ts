/** @file Calibration texts: blocks of tokens that a language model reads while it is scored. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import type { Tokenizer } from '../../models/tokenizer/tokenizer.ts';
import { int32, type Tensor } from '../../runtime/index.ts';
import { readText } from '../reading.ts';

/**
 * A text file ("-": standard input) as token ids.
 * @throws InputError if it is missing, no file, too large, or not UTF-8.
 */
export async function readTokens(path: string, tokenizer: Tokenizer, run: Run): Promise<Int32Array> {
  return tokenizer.encode(await readText(path, 'the calibration text'), run);
}

/**
 * Blocks of a text: it is cut into blocks of one length from its beginning, what is left over goes, and where there are more than
 * `samples` so many are drawn, in the order of the text.
 * @returns int32, shape [blocks, length].
 * @throws InputError if the text is shorter than one block; ParameterError for a length or a number of samples below 1.
 */
export function calibrationBlocks(
  tokens: Int32Array,
  { samples, length, random }: { samples: number; length: number; random: Random },
): Tensor<'int32'> {
  for (const [name, value] of Object.entries({ samples, length })) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new ParameterError(`${name} = ${value} is not a whole number of 1 or more`);
  }
  const there = Math.floor(tokens.length / length);
  if (there === 0) {
    throw new InputError(
      `the calibration text has ${tokens.length} tokens, fewer than one block of ${length}; give a longer text or a smaller length`,
    );
  }
  const count = Math.min(samples, there);
  const chosen = count === there ? undefined : random.permutation(there).subarray(0, count).sort();
  const ids = new Int32Array(count * length);
  for (let b = 0; b < count; b++) {
    const at = (chosen ? chosen[b] : b) * length;
    ids.set(tokens.subarray(at, at + length), b * length);
  }
  return int32([count, length], ids);
}
