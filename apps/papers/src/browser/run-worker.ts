/** @file A light method at work in the reader's browser, on a thread of its own. */

import { browserMethods, type Collection, collect, keep, parseBudget, type Report, Run } from 'salience/browser';
import sample from 'salience/examples/lighthouses.txt?url';
import { z } from 'zod';
import { commandLine } from '../runs/command-line.ts';
import { readForm } from '../runs/form.ts';
import type { Progress } from '../runs/order.ts';
import { type ScoredUnits, shadedSentences, tidy } from '../runs/result.ts';

export interface FromPanel {
  readonly method: string;
  /** Of the text; '' for the sample. */
  readonly name: string;
  readonly text: string;
  /** Texts by the names of their inputs. */
  readonly fields: Readonly<Record<string, string>>;
}

export type FromWorker =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'wrong'; readonly errors: Readonly<Record<string, string>> }
  | { readonly type: 'failed'; readonly message: string }
  | {
      readonly type: 'done';
      readonly report: Report & { readonly remarks: readonly string[] };
      readonly command: string;
    };

// The page's policy lets no code be made of texts, which zod would try for speed.
z.config({ jitless: true });

const tell = (message: FromWorker) => postMessage(message);

async function work({ method: id, name, text, fields }: FromPanel): Promise<FromWorker> {
  const method = await browserMethods[id]();
  const params = readForm({ owner: id, prefix: 'p.', schema: method.params }, fields);
  const options = readForm({ owner: 'document', prefix: 'o.', schema: method.subject.options }, fields);
  const errors: Record<string, string> = { ...params.errors, ...options.errors };
  const { budget = '', seed = '0' } = fields;
  try {
    parseBudget(budget);
  } catch (error) {
    errors.budget = (error as Error).message;
  }
  if (!/^\d{1,10}$/.test(seed.trim() || '0')) errors.seed = 'is a whole number from 0 to 2147483647';
  if (Object.keys(errors).length > 0) return { type: 'wrong', errors };
  const remarks: string[] = [];
  let told = 0;
  const run = new Run({
    seed: Number(seed),
    onLog: (message) => remarks.push(message),
    onProgress(progress) {
      if (performance.now() - told < 100) return;
      told = performance.now();
      tell({ type: 'progress', progress });
    },
  });
  const document = name === '' ? { name: 'lighthouses.txt', text: await (await fetch(sample)).text() } : { name, text };
  const language = String(options.values.language ?? 'en');
  const collection: Collection = collect([document], { language });
  const { report, scores } = await keep(method, collection, budget, { params: params.values, run });
  const { unit, values } = scores as ScoredUnits;
  const shaded = unit === 'sentence' ? shadedSentences(collection.sentences, values) : [];
  const command = commandLine(
    { method },
    {
      method: id,
      params: params.values,
      options: options.values,
      budget,
      seed: Number(seed),
      input: name === '' ? { kind: 'sample' } : { kind: 'file', name },
    },
  );
  return {
    type: 'done',
    report: tidy({ title: report.title, blocks: [...report.blocks, ...shaded], remarks }),
    command,
  };
}

addEventListener('message', ({ data }: MessageEvent<FromPanel>) => {
  work(data)
    .catch((error: Error): FromWorker => ({ type: 'failed', message: error.message }))
    .then(tell);
});
