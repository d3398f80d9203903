/** @file perplexity: how well a decoder predicts a text. */

import { InputError } from '../core/errors.ts';
import type { DecoderConfig } from '../models/decoder/config.ts';
import { availableMemory, checkMemory, type MemoryPurpose, memoryNeeded } from '../models/decoder/memory.ts';
import { perplexity } from '../models/generation/perplexity.ts';
import { loadWeights, openPretrained } from '../models/pretrained/open-pretrained.ts';
import { readText } from '../subjects/reading.ts';
import { wholeNumber } from './choosing.ts';
import { startRun } from './progress.ts';
import { print } from './render.ts';

interface PerplexityFlags {
  text: string;
  window?: string;
  stride?: string;
  json?: true;
  quiet?: true;
}

/** Prints the perplexity of the text under the model in a folder. */
export async function perplexityCommand(folder: string, flags: PerplexityFlags): Promise<void> {
  const window = flags.window === undefined ? undefined : wholeNumber('window', flags.window, 2);
  const stride = flags.stride === undefined ? undefined : wholeNumber('stride', flags.stride, 1);
  const { run, finish } = startRun({ seed: 0, threads: 1, quiet: flags.quiet === true });
  try {
    const model = await openPretrained(folder);
    const { config } = model;
    const tokenizer = await model.tokenizer();
    const ids = await tokenizer.encode(await readText(flags.text, 'the text'), run);
    const purpose = { purpose: 'forward', tokens: Math.min(window ?? config.positions, ids.length) } as const;
    checkWindow(config, purpose);
    const weights = await loadWeights(model, run, purpose);
    const result = await perplexity({ config, weights }, ids, {
      ...(window && { window }),
      ...(stride && { stride }),
      run,
    });
    if (flags.json) {
      process.stdout.write(
        `${JSON.stringify({ model: folder, text: flags.text, tokens: ids.length, ...result }, null, 2)}\n`,
      );
      return;
    }
    print({
      title: `Perplexity of ${flags.text === '-' ? 'standard input' : flags.text} under ${folder}`,
      blocks: [
        {
          kind: 'table',
          columns: ['tokens', 'predicted', 'windows', 'mean nll', 'perplexity'],
          rows: [[ids.length, result.predicted, result.windows, result.meanNll, result.perplexity]],
        },
      ],
    });
  } finally {
    await finish();
  }
}

/**
 * Refuses a window that does not fit into memory.
 * @throws InputError that says so, and where a window of 2 tokens would fit, that a smaller one is the way out.
 */
function checkWindow(config: DecoderConfig, purpose: MemoryPurpose): void {
  try {
    checkMemory(config, purpose);
  } catch (error) {
    if (!(error instanceof InputError) || memoryNeeded(config, { ...purpose, tokens: 2 }) > availableMemory())
      throw error;
    throw new InputError(`${error.message}; a smaller --window needs less`, { cause: error });
  }
}
