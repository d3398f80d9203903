/** @file Descriptors: a method scores the units of a subject; a study runs something that scores nothing. */

import { z } from 'zod';
import { ParameterError } from './errors.ts';
import type { Report } from './report.ts';
import type { Run } from './run.ts';
import { type AnyScores, checkScores, isSequence, isStream } from './scores.ts';
import type { Allocate } from './select-stream.ts';
import type { SubjectKind } from './subject.ts';

interface Described<Params extends z.ZodObject> {
  readonly id: string;
  readonly name: string;
  /** Where it was published: "arXiv:1109.2128" or "doi:10.1007/s007999900023"; a baseline without a source says "baseline". */
  readonly source: string;
  /** One sentence: what it does. */
  readonly summary: string;
  /** Every parameter with its default and a description; also the source of flags, forms and docs. */
  readonly params: Params;
}

export interface Method<Subject = never, Params extends z.ZodObject = z.ZodObject, Made extends AnyScores = AnyScores>
  extends Described<Params> {
  readonly type: 'method';
  /** What is scored, in the singular. */
  readonly unit: string;
  readonly subject: SubjectKind<Subject>;
  /** The score, in words and symbols. */
  readonly formula: string;
  /** What it costs, e.g. "O(nnz) a step". */
  readonly cost: string;
  score(subject: Subject, params: z.infer<Params>, run: Run): Promise<Made>;
  /**
   * A rule of the method's own for how many units each group keeps, made from its parameters; nothing where the budget's
   * own counts stand.
   */
  allocation?(params: z.infer<Params>): Allocate | undefined;
}

export interface Study<Params extends z.ZodObject = z.ZodObject> extends Described<Params> {
  readonly type: 'study';
  run(params: z.infer<Params>, run: Run): Promise<Report>;
}

type Spec<T extends { type: string }> = Omit<T, 'type'>;

/** Declares a method. Its scores are checked on the way out: one finite number a unit, at least one unit. */
export function method<Subject, Params extends z.ZodObject, Made extends AnyScores>(
  spec: Spec<Method<Subject, Params, Made>>,
): Method<Subject, Params, Made> {
  return {
    ...spec,
    type: 'method',
    async score(subject, params, run) {
      const scores = await spec.score(subject, params, run);
      if (!isStream(scores) && !isSequence(scores)) checkScores(scores);
      return scores;
    },
  };
}

/** Declares a study: a system of the seeds that scores nothing, such as a benchmark. */
export function study<Params extends z.ZodObject>(spec: Spec<Study<Params>>): Study<Params> {
  return { ...spec, type: 'study' };
}

/** Text as typed on a command line, as the type its parameter has. */
function typed(text: string, schema: z.ZodType | undefined): unknown {
  const inner = schema instanceof z.ZodDefault || schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (inner instanceof z.ZodDefault || inner instanceof z.ZodOptional) return typed(text, inner as z.ZodType);
  if (inner instanceof z.ZodNumber) return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
  if (inner instanceof z.ZodBoolean) return text === 'true' ? true : text === 'false' ? false : text;
  if (inner instanceof z.ZodArray) return text === '' ? [] : text.split(',');
  return text;
}

/**
 * Parameters from what a caller gives; text is read as the type the schema asks for.
 * @throws ParameterError naming the parameter, what it was and what it may be.
 */
export function parseParams<Params extends z.ZodObject>(
  of: { readonly id: string; readonly params: Params },
  given: Readonly<Record<string, unknown>> = {},
): z.infer<Params> {
  const shape = of.params.shape as Record<string, z.ZodType>;
  for (const key of Object.keys(given)) {
    if (!(key in shape)) {
      const known = Object.keys(shape);
      throw new ParameterError(
        `${of.id} has no parameter "${key}"; it has ${known.length > 0 ? known.join(', ') : 'none'}`,
      );
    }
  }
  const parsed = of.params.safeParse(
    Object.fromEntries(Object.entries(given).map(([k, v]) => [k, typeof v === 'string' ? typed(v, shape[k]) : v])),
  );
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  const key = String(path[0] ?? '');
  throw new ParameterError(`${of.id}: parameter ${key} = ${JSON.stringify(given[key])}: ${message}`);
}
