/** @file Subject: a kind of thing that can be scored. It knows how to load itself from a path, give a sample, and keep a selection. */

import type { z } from 'zod';
import type { Report } from './report.ts';
import type { Run } from './run.ts';
import type { AnyScores, ScoreSequence, ScoreStream, Scores } from './scores.ts';
import type { Selection } from './select.ts';
import type { SequenceSelection } from './select-sequence.ts';
import type { StreamSelection } from './select-stream.ts';

/** Scores and what a budget keeps of them. A sequence's selection is still to be walked when a subject is to keep it. */
export type Kept<Made extends AnyScores = AnyScores> = Made extends ScoreStream
  ? { readonly scores: ScoreStream; readonly selection: StreamSelection }
  : Made extends ScoreSequence
    ? { readonly scores: ScoreSequence; readonly selection: SequenceSelection }
    : { readonly scores: Scores; readonly selection: Selection };

/** Where the kept thing goes. */
export interface Output {
  /** A path; absent where the subject can be shown in the report alone. */
  readonly path?: string;
  /** Replace what is there already. */
  readonly force: boolean;
}

export interface SubjectKind<Subject, Options extends z.ZodObject = z.ZodObject> {
  /** "document", "checkpoint". */
  readonly kind: string;
  /** What a path may name, in words, for help and errors. */
  readonly accepts: string;
  /** How it is loaded; each key is a flag of the command line. */
  readonly options: Options;
  /** Loads from paths ("-" is standard input). */
  load(paths: readonly string[], options: z.infer<Options>, run: Run): Promise<Subject>;
  /** A small bundled subject to try a method on. */
  sample(run: Run): Promise<Subject>;
  /** Whether keeping needs an output path. */
  readonly needsOutput: boolean;
  /** Writes what was kept and tells about it. Nothing is left under the output's name unless all of it was written. */
  keep(subject: Subject, kept: Kept, output: Output, run: Run): Promise<Report>;
}
