/** @file Runs asked for by programs: what may be asked, put into the queue, and waited for. */

import { z } from '@hono/zod-openapi';
import { cardOf } from '../runs/cards.ts';
import { acceptedFor, largestUpload } from '../runs/inputs.ts';
import type { Progress } from '../runs/order.ts';
import { queueRun, type RunRow, runOf, TooManyRuns } from '../runs/queue.ts';
import { asFields, checkRun } from '../runs/request.ts';
import { watchRun } from '../runs/watch.ts';
import type { Site } from '../site.ts';
import { ApiError } from './api-error.ts';

const value = z.union([
  z.string().max(4000),
  z.number(),
  z.boolean(),
  z.array(z.union([z.string().max(4000), z.number()])).max(200),
]);

const runInputSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sample') }),
  z.object({
    kind: z.literal('text'),
    text: z.string().min(1).max(largestUpload).meta({
      description:
        'At most 5 MB of UTF-8: the document; or the prompt or the calibration text that the bundled model reads',
    }),
  }),
]);

export const newRunSchema = z
  .object({
    method: z.string().min(1).max(80).meta({ description: 'Id of a method, e.g. "lexrank"' }),
    params: z
      .record(z.string().max(80), value)
      .optional()
      .meta({ description: 'As the schema of the method has them' }),
    options: z
      .record(z.string().max(80), value)
      .optional()
      .meta({ description: 'How the input is read, as the schema of its kind has them' }),
    budget: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .meta({ description: 'How much is kept: a count like "5", a share like "30%", "mass=0.9", ">=0.1"' }),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .optional()
      .meta({ description: 'Rules all randomness; default 0' }),
    input: runInputSchema.optional().meta({ description: 'Default: the sample' }),
  })
  .strict()
  .openapi('NewRun');

export type AskedRun = z.infer<typeof newRunSchema>;

/** The field of a body that an input of the form stands for. */
function fieldOf(input: string): string {
  if (input === 'text' || input === 'file') return 'input.text';
  return input.replace(/^p\./, 'params.').replace(/^o\./, 'options.');
}

/**
 * Checks what is asked, by the rules of the form, and puts it into the queue.
 * @param by who is served, as `whoRuns` gives it.
 * @returns the run's id.
 * @throws ApiError that names the field.
 */
export async function startRun(site: Site, by: string, asked: AskedRun): Promise<string> {
  const card = await cardOf(asked.method);
  if (!card) {
    throw new ApiError(
      400,
      `method: there is no method "${asked.method}" that runs; /api/methods lists them`,
      'method',
    );
  }
  const { kind } = card.method.subject;
  const input = asked.input ?? { kind: 'sample' };
  if (input.kind === 'text' && !acceptedFor(kind).pasted) {
    throw new ApiError(
      400,
      `input.kind: ${asked.method} scores a ${kind}, which is no text; use "sample"`,
      'input.kind',
    );
  }
  if (input.kind === 'text' && input.text.trim() === '') {
    throw new ApiError(400, 'input.text: the text is empty', 'input.text');
  }
  const checked = await checkRun(card, {
    fields: {
      ...asFields('p.', asked.params ?? {}),
      ...asFields('o.', asked.options ?? {}),
      ...(asked.budget !== undefined && { budget: asked.budget }),
      ...(asked.seed !== undefined && { seed: String(asked.seed) }),
      ...(input.kind === 'text' && { text: input.text }),
    },
  });
  if ('errors' in checked) {
    const [[name, message]] = Object.entries(checked.errors);
    const field = name === '' ? 'params' : fieldOf(name);
    throw new ApiError(400, `${field}: ${message}`, field);
  }
  try {
    return await queueRun(site, { ...checked.run, by });
  } catch (error) {
    if (error instanceof TooManyRuns) throw new ApiError(429, error.message);
    throw error;
  }
}

/**
 * Waits until a run is over or the signal ends the waiting, whichever comes first.
 * @returns the run as it then is.
 */
export async function waitForRun(
  site: Site,
  id: string,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<RunRow | undefined> {
  for await (const { progress } of watchRun(site, id, signal)) if (progress) onProgress(progress);
  return runOf(site, id);
}
