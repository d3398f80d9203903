/** @file What a run may be given: by kind of subject the uploads that are taken, and the budget offered first. */

/** Bytes of an upload, and of a pasted text, at the most. */
export const largestUpload = 5_000_000;

/** Rows times columns of a Parquet file at the most: unlike those of a text, its cells can take next to no bytes. */
export const mostCells = 10_000_000;

export interface Accepted {
  /** Endings of the files that are taken; none where only the sample can be run here. */
  readonly endings: readonly string[];
  /** Whether a text may be pasted. */
  readonly pasted: boolean;
  /** What the sample is. */
  readonly sample: string;
  /** A file of the repository on which the command line does the same, and the flags that it needs. */
  readonly bundled: readonly string[];
  /** Where a text is read by the bundled model: how. */
  readonly reading?: Reading;
}

/** How the bundled model reads a text. The model stays the same; a reader's own is one for the command line. */
export interface Reading {
  /** Option of the subject that names the text. */
  readonly option: 'prompt' | 'calibrate';
  /** Folder of the model among the library's examples. */
  readonly model: 'recall';
  /** The text in that folder that shows what the model understands. */
  readonly example: string;
  /** What the text is called. */
  readonly label: string;
  readonly hint: string;
  /** Options that the form begins with, where the sample is read with others than the library's own. */
  readonly options: Readonly<Record<string, string>>;
}

const rows = ['.csv', '.jsonl', '.parquet'];
const examples = 'packages/salience/examples';
const recall = 'a language model of a million weights, trained by us';
const language = 'The model speaks a made-up language of 309 words; any other word reads as <unk>.';

// Folders of models stay on the command line: they are never this small.
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
    endings: ['.txt'],
    pasted: true,
    sample: recall,
    bundled: [
      `${examples}/recall`,
      '--calibrate',
      `${examples}/recall/calibration.txt`,
      '--samples',
      '16',
      '--length',
      '128',
    ],
    reading: {
      option: 'calibrate',
      model: 'recall',
      example: 'calibration.txt',
      label: 'Calibration text',
      hint: `${language} The text is cut into blocks of one length, of which it needs at least one.`,
      options: { samples: '16', length: '128' },
    },
  },
  prompt: {
    endings: ['.txt'],
    pasted: true,
    sample: `${recall}, and a prompt it can answer`,
    bundled: [`${examples}/recall`, '--prompt', `${examples}/recall/prompt.txt`],
    reading: {
      option: 'prompt',
      model: 'recall',
      example: 'prompt.txt',
      label: 'Prompt',
      hint: `${language} It has learnt one task: “note : lantern amber .” states a fact, and after “ask : lantern” it says amber. Prompt and new tokens are 1,024 together at the most.`,
      options: {},
    },
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

/** What a run was given, in words. */
export function inputInWords(
  kind: string,
  input: { readonly kind: 'sample' } | { readonly kind: 'file'; readonly name: string },
) {
  const { sample, reading } = acceptedFor(kind);
  if (input.kind === 'sample') return sample;
  if (!reading) return input.name;
  return reading.option === 'prompt'
    ? `${input.name}, read by ${recall}`
    : `${recall}, with ${input.name} for calibration`;
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
