/** @file perplexity: how well a decoder predicts a text. */

import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { InputError } from '../core/errors.ts';
import { perplexity } from '../models/generation/perplexity.ts';
import { loadWeights, openPretrained } from '../models/pretrained/open-pretrained.ts';
import { decodeText } from '../subjects/document/decoding.ts';
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
    const ids = await tokenizer.encode(await textOf(flags.text), run);
    const weights = await loadWeights(model, run, { purpose: 'forward', tokens: window ?? config.positions });
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

/** The text of a file, or of standard input for `-`. */
async function textOf(path: string): Promise<string> {
  if (path === '-') return decodeText(await buffer(process.stdin), 'standard input');
  const bytes = await readFile(path).catch((error: Error) => {
    throw new InputError(`${path} cannot be read: ${error.message}`);
  });
  return decodeText(bytes, path);
}
