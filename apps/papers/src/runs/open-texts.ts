/**
 * @file Which texts of the catalogue's schemas a form may carry. Whatever is not listed here is closed: a text may be a path or an
 * address, and a form must reach neither the server's files nor its network.
 */

export interface TextRule {
  /** Offered instead of a free text. */
  readonly choices?: readonly string[];
  /** Said instead of the schema's description, where that speaks of files. */
  readonly description?: string;
  /** What is wrong with a text, if anything is. */
  refuse?(text: string): string | undefined;
}

const free: TextRule = {};

/** The predictors that are trained on the table itself; the command line also takes .onnx files and addresses. */
const predictors = [
  'logistic',
  'lasso',
  'tree',
  'forest',
  'boosting',
  'neighbours',
  'svm',
  'linear-svm',
  'perceptron',
] as const;

const known = (name: string) => (predictors as readonly string[]).includes(name);

const predictor: TextRule = {
  choices: predictors,
  description: 'what is explained, trained on the training rows',
  refuse: (text) => (known(text) ? undefined : `is none of ${predictors.join(', ')}`),
};

const severalPredictors: TextRule = {
  description: `models it is compared with, joined by commas, of ${predictors.join(', ')}; empty for none`,
  refuse: (text) => {
    const strange = text.split(',').find((name) => name !== '' && !known(name));
    return strange === undefined ? undefined : `${strange} is none of ${predictors.join(', ')}`;
  },
};

/** Terms; an entry "@file" would be read from the disk. */
const terms: TextRule = {
  description: 'terms known to be right, joined by commas; without them all z terms seed, unverified',
  refuse: (text) =>
    text.split(',').some((entry) => entry.trim().startsWith('@'))
      ? 'an entry that begins with @ names a file; write the terms themselves'
      : undefined,
};

const patch: TextRule = {
  refuse: (text) => (/^(\d{1,4}x\d{1,4}\/\d{1,4}x\d{1,4})?$/.test(text) ? undefined : 'write it like 8x8/2x2'),
};

/** By owner (a method's id or a subject's kind) and name. */
const open: Readonly<Record<string, TextRule>> = {
  'lexrank query': free,
  'semre-rank seeds': terms,
  // Patterns held against the names of tensors.
  'global-mp exclude': free,
  'global-mp include': free,
  'random-pruning exclude': free,
  'random-pruning include': free,
  'responsiveness model': predictor,
  'rashomon-fis model': predictor,
  'shapley-workflow model': predictor,
  'shap model': predictor,
  'lime model': predictor,
  'permutation-importance model': predictor,
  // Classes of the target.
  'responsiveness positive': free,
  'rashomon-fis positive': free,
  'shapley-workflow positive': free,
  'shap positive': free,
  'lime positive': free,
  'permutation-importance positive': free,
  'shapley-workflow compare': severalPredictors,
  'rashomon-fis patch': patch,
  // Columns of the uploaded file.
  'shapley-workflow select': free,
  'fifa chosenReward': free,
  'fifa rejectedReward': free,
  'fifa quality': free,
  'fifa embedding': free,
  'quad embedding': free,
  'influence embedding': free,
  'table target': free,
  'table types': free,
  'table missing': free,
  'table separator': free,
  'table drop': free,
  'dataset target': free,
  'dataset text': free,
  'dataset features': free,
  'dataset types': free,
  'dataset missing': free,
  'dataset separator': free,
  'preferences prompt': free,
  'preferences chosen': free,
  'preferences rejected': free,
  'preferences features': free,
  'preferences types': free,
  'preferences missing': free,
  'preferences separator': free,
  'document language': free,
};

/** The rule of a text, or nothing where it is closed. */
export function textRules(owner: string, name: string): TextRule | undefined {
  const key = `${owner} ${name}`;
  return Object.hasOwn(open, key) ? open[key] : undefined;
}
