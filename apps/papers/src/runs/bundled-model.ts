/** @file Texts that the bundled model reads: where it lies, what it can take, and what it made of a text. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InputError, parseParams } from 'salience';
import type { LanguageModel, Prompt } from 'salience/subjects';
import type { MethodCard } from './cards.ts';
import type { Reading } from './inputs.ts';

/** Folder of the library, whose samples are told by their place in it. */
export const library = dirname(dirname(createRequire(import.meta.url).resolve('salience')));

/** Folder of the model. */
export function folderOf({ model }: Reading): string {
  return join(library, 'examples', model);
}

/** A text that shows what the model understands. */
export function exampleOf(reading: Reading): Promise<string> {
  return readFile(join(folderOf(reading), reading.example), 'utf8');
}

/** Characters of which tokens are counted before a run: more than any prompt has, and done at once. */
const counted = 100_000;

const opened = new Map<string, ReturnType<typeof open>>();

/** The model's tokenizer and positions; the library's part for models is only loaded where somebody sends a text. */
async function open(folder: string) {
  const { openPretrained } = await import('salience/models');
  const pretrained = await openPretrained(folder);
  return { tokenizer: await pretrained.tokenizer(), positions: pretrained.config.positions };
}

function openOnce(folder: string): ReturnType<typeof open> {
  let model = opened.get(folder);
  if (!model) {
    model = open(folder);
    opened.set(folder, model);
    model.catch(() => opened.delete(folder));
  }
  return model;
}

/** A text that the model cannot take: what is wrong, and with which input, where it is not the text itself. */
interface Refused {
  readonly error: string;
  readonly of?: string;
}

const words = (n: number) => n.toLocaleString('en-US');

/**
 * What is wrong with a text before the model reads it, if anything is.
 * @param options of the subject, as far as they were given.
 */
export async function refusedText(
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
  { kind, options: schema }: MethodCard['method']['subject'],
  reading: Reading,
  options: Readonly<Record<string, unknown>>,
): Promise<Refused | undefined> {
  const [{ decodeText }, { tokenizer, positions }] = await Promise.all([
    import('salience/subjects'),
    openOnce(folderOf(reading)),
  ]);
  let text: string;
  try {
    text = decodeText(bytes, name);
  } catch (error) {
    if (error instanceof InputError) return { error: error.message };
    throw error;
  }
  const whole = text.length <= counted;
  const { length: tokens } = await tokenizer.encode(text.slice(0, counted));
  const said = `has ${whole ? '' : 'more than '}${words(tokens)} token${tokens === 1 ? '' : 's'}`;
  const given = parseParams({ id: kind, params: schema }, { ...options, [reading.option]: name }) as {
    readonly tokens?: number;
    readonly length?: number;
  };
  if (reading.option === 'prompt') {
    const { tokens: more = 0 } = given;
    if (whole && tokens === 0) return { error: `${said}; there is nothing to continue` };
    if (tokens + more <= positions) return undefined;
    const all = whole ? `, with ${words(more)} new ones ${words(tokens + more)}` : ` before ${words(more)} new ones`;
    return { error: `${said}${all}; the model has ${words(positions)} positions` };
  }
  const { length = positions } = given;
  if (length > positions) {
    return { of: 'o.length', error: `is above ${words(positions)}, the positions of the model` };
  }
  if (!whole || tokens >= length) return undefined;
  return { error: `${said}, fewer than one block of ${words(length)}; give a longer text or a smaller length` };
}

/** What the model read, in words. */
export async function readingInWords(subject: Prompt | LanguageModel, reading: Reading): Promise<string[]> {
  const { tokenizer } = await openOnce(folderOf(reading));
  const ids = 'tokens' in subject ? subject.tokens : subject.blocks().data;
  const unknown = tokenizer.idOf('<unk>');
  const strange = ids.reduce((count, id) => count + (id === unknown ? 1 : 0), 0);
  return [
    ...('calibration' in subject ? [`calibration text: ${subject.calibration}`] : []),
    ...(strange > 0
      ? [`${words(strange)} of ${words(ids.length)} tokens are words that the model does not know, read as <unk>`]
      : []),
  ];
}
