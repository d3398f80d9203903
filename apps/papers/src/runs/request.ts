/** @file A request for a run, checked: from the texts of a form, a pasted text or an uploaded file to what the queue takes. */

import { parseBudget, parseParams } from 'salience';
import { refusedText } from './bundled-model.ts';
import type { MethodCard } from './cards.ts';
import { type FormOf, readForm } from './form.ts';
import { acceptedFor, firstBudget, largestUpload } from './inputs.ts';
import type { NewRun } from './queue.ts';

export interface AskedRun {
  /** Texts by the names of their inputs: "p.threshold", "o.target", "budget", "seed", "text". */
  readonly fields: Readonly<Record<string, string>>;
  readonly file?: { readonly name: string; readonly bytes: Uint8Array };
}

export type CheckedRun =
  | { readonly run: Omit<NewRun, 'by'> }
  /** What is wrong, by the names of the inputs. */
  | { readonly errors: Readonly<Record<string, string>> };

/** The two forms of a method: of its parameters, and of how a file is read. */
export function formsOf({ method, entry }: MethodCard): { params: FormOf; options: FormOf } {
  const { subject } = method;
  return {
    params: { owner: entry.id, prefix: 'p.', schema: method.params },
    options: { owner: subject.kind, prefix: 'o.', schema: subject.options },
  };
}

/** A name as it is shown: its last part, without what is not seen. */
function shownName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  return last.replace(/[\p{C}]/gu, '').slice(-100) || 'upload';
}

/** The file that a run is given, or what is wrong with it. */
function fileOf({ method }: MethodCard, { fields, file }: AskedRun, errors: Record<string, string>): NewRun['file'] {
  const { endings, pasted } = acceptedFor(method.subject.kind);
  const tooLarge = `is larger than ${largestUpload / 1e6} MB, the most that is taken here; the command line has no such limit`;
  if (file && (file.bytes.length > 0 || file.name !== '')) {
    const name = shownName(file.name);
    if (!endings.some((ending) => name.toLowerCase().endsWith(ending))) {
      errors.file =
        endings.length > 0
          ? `${name} is not taken; files that are end in ${endings.join(', ')}`
          : `${method.name} runs on its sample alone here`;
    } else if (file.bytes.length > largestUpload) errors.file = tooLarge;
    else if (file.bytes.length === 0) errors.file = `${name} is empty`;
    return { name, bytes: file.bytes };
  }
  const { text = '' } = fields;
  if (text.trim() === '') return undefined;
  if (!pasted) errors.text = `${method.name} takes no text`;
  const bytes = new TextEncoder().encode(text.replaceAll('\r\n', '\n'));
  if (bytes.length > largestUpload) errors.text = tooLarge;
  return { name: 'pasted.txt', bytes };
}

/** Checks a request whole, so that every mistake is told at once. Options of a file are not looked at where there is none. */
export async function checkRun(card: MethodCard, asked: AskedRun): Promise<CheckedRun> {
  const { fields } = asked;
  const { method, entry } = card;
  const forms = formsOf(card);
  const params = readForm(forms.params, fields);
  const errors: Record<string, string> = { ...params.errors };
  const file = fileOf(card, asked, errors);
  const options = file ? readForm(forms.options, fields) : refuseClosed(forms.options, fields);
  Object.assign(errors, options.errors);
  const { reading } = acceptedFor(method.subject.kind);
  if (file && reading && !errors.file && !errors.text && Object.keys(options.errors).length === 0) {
    const refused = await refusedText(file, method.subject, reading, options.values);
    if (refused) errors[refused.of ?? (asked.file ? 'file' : 'text')] = refused.error;
  }
  const budget = fields.budget?.trim() || firstBudget(method);
  try {
    parseBudget(budget);
  } catch (error) {
    errors.budget = (error as Error).message;
  }
  const seedText = fields.seed?.trim() || '0';
  const seed = Number(seedText);
  if (!/^\d+$/.test(seedText) || seed > 2_147_483_647) errors.seed = 'is a whole number from 0 to 2147483647';
  if (Object.keys(errors).length === 0) {
    try {
      parseParams(method, params.values);
    } catch (error) {
      errors[''] = (error as Error).message;
    }
  }
  if (Object.keys(errors).length > 0) return { errors };
  return {
    run: { method: entry.id, params: params.values, options: options.values, budget, seed, ...(file && { file }) },
  };
}

/** Options that would name a file are refused even where no option counts. */
function refuseClosed(form: FormOf, fields: Readonly<Record<string, string>>) {
  const { errors } = readForm(form, fields);
  const closed = Object.entries(errors).filter(([, message]) => message.includes('not taken from the web'));
  return { values: {}, errors: Object.fromEntries(closed) };
}

/** Parameters or options of a program, as the texts of a form. */
export function asFields(prefix: 'p.' | 'o.', values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [
        `${prefix}${name}`,
        Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value),
      ]),
  );
}
