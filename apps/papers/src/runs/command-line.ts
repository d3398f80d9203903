/** @file A run as a line for the terminal. */

import { acceptedFor, type Reading } from './inputs.ts';

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) && !word.startsWith('~') ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** stopWords → --stop-words */
function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function written(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** A run as the line needs it; written out here, since the reader's browser writes lines too. */
interface LineOf {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly budget: string | null;
  readonly seed: number;
  readonly input: { readonly kind: 'sample' } | { readonly kind: 'file'; readonly name: string };
}

/** The words by which a file is given: by its name alone, or the bundled model's folder and the text that it reads. */
function given(name: string, [model]: readonly string[], reading: Reading | undefined): readonly string[] {
  const file = name.startsWith('-') ? `./${name}` : name;
  return reading ? [model, flag(reading.option), file] : [file];
}

/** The same run on the command line; where the sample is made in memory, on a bundled file of its kind. */
export function commandLine(
  {
    method: { subject },
  }: { readonly method: { readonly subject: { readonly kind: string; readonly needsOutput?: boolean } } },
  run: LineOf,
): string {
  const { input, params, options } = run;
  const { bundled, reading } = acceptedFor(subject.kind);
  const [path = '-', ...needed] = input.kind === 'file' ? given(input.name, bundled, reading) : bundled;
  const words = ['npx', 'salience', 'keep', path, '--by', run.method, '--budget', run.budget ?? '10%', ...needed];
  for (const [name, value] of Object.entries(input.kind === 'file' ? options : {}))
    words.push(flag(name), written(value));
  for (const [name, value] of Object.entries(params)) words.push('--set', `${name}=${written(value)}`);
  if (run.seed !== 0) words.push('--seed', String(run.seed));
  if (subject.needsOutput)
    words.push(
      '--out',
      `kept${input.kind === 'file' ? (/\.[a-z]+$/i.exec(path)?.[0] ?? '') : subject.kind === 'dataset' ? '.csv' : subject.kind === 'preferences' ? '.jsonl' : ''}`,
    );
  return words.map(quoted).join(' ');
}
