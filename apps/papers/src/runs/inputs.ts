/** @file What a run may be given: by kind of subject the uploads that are taken, and the budget offered first. */

/** Bytes of an upload, and of a pasted text, at the most. */
export const largestUpload = 5_000_000;

export interface Accepted {
  /** Endings of the files that are taken; none where only the sample can be run here. */
  readonly endings: readonly string[];
  /** Whether a text may be pasted. */
  readonly pasted: boolean;
  /** What the sample is. */
  readonly sample: string;
  /** A file of the repository on which the command line does the same, and the flags that it needs. */
  readonly bundled: readonly string[];
}

const rows = ['.csv', '.jsonl'];
const examples = 'packages/salience/examples';

// Parquet and folders of models stay on the command line: the first is an archive, the second is never this small.
const byKind: Readonly<Record<string, Accepted>> = {
  document: {
    endings: ['.txt', '.md', '.html', '.jsonl'],
    pasted: true,
    sample: 'an article on lighthouses',
    bundled: [`${examples}/lighthouses.txt`],
  },
  checkpoint: {
    endings: ['.safetensors'],
    pasted: false,
    sample: 'a small perceptron that reads digits',
    bundled: [`${examples}/digits-mlp`],
  },
  'language-model': {
    endings: [],
    pasted: false,
    sample: 'a language model of a million weights, trained by us',
    bundled: [
      `${examples}/recall`,
      '--calibrate',
      `${examples}/recall/calibration.txt`,
      '--samples',
      '16',
      '--length',
      '128',
    ],
  },
  prompt: {
    endings: [],
    pasted: false,
    sample: 'a language model of a million weights and a prompt it can answer',
    bundled: [`${examples}/recall`, '--prompt', `${examples}/recall/prompt.txt`],
  },
  table: {
    endings: rows,
    pasted: false,
    sample: 'made-up loans of 400 people',
    bundled: [`${examples}/tables/lending.csv`, '--target', 'good'],
  },
  dataset: {
    endings: rows,
    pasted: false,
    sample: '300 handwritten digits',
    bundled: [`${examples}/tables/digits.csv`, '--target', 'label'],
  },
  preferences: {
    endings: rows,
    pasted: false,
    sample: '200 made-up pairs of answers',
    bundled: [`${examples}/tables/preferences.jsonl`],
  },
};

/** What is taken for a kind of subject; of a kind not known here the sample alone. */
export function acceptedFor(kind: string): Accepted {
  return Object.hasOwn(byKind, kind)
    ? byKind[kind]
    : { endings: [], pasted: false, sample: `a bundled ${kind}`, bundled: [] };
}

/** The budget that a form begins with. */
export function firstBudget({ unit, subject }: { readonly unit: string; readonly subject: { readonly kind: string } }) {
  if (unit === 'sentence') return '5';
  if (unit === 'term') return '15';
  if (subject.kind === 'checkpoint' || subject.kind === 'language-model') return '50%';
  if (subject.kind === 'prompt') return '25%';
  return subject.kind === 'table' ? '5' : '10%';
}

/** What a budget may look like, for the person who writes one. */
export const budgetHelp = 'how much is kept: a count like 5, a share like 30%, mass=0.9, >=0.1 or, of weights, 2:4';
