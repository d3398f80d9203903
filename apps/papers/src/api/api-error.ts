/** @file Errors of the API, as JSON. */

import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { InputError, ParameterError } from 'salience';
import type { AppEnv } from '../pages/context.ts';
import { Refused } from '../security/refused.ts';

type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 429 | 500;

/** An answer that is not what was asked for: what is wrong, and which parameter or field. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  readonly field?: string;

  constructor(status: ErrorStatus, message: string, field?: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.field = field;
  }
}

export const errorSchema = z
  .object({
    error: z.object({
      message: z.string().meta({ description: 'What is wrong and what would be right' }),
      field: z.string().optional().meta({ description: 'The parameter or field that is wrong' }),
    }),
  })
  .openapi('Error');

export const plainErrorSchema = z
  .object({
    error: z.string().meta({ description: 'What is wrong and what would be right' }),
    field: z.string().optional().meta({ description: 'The parameter or field that is wrong' }),
  })
  .openapi('PlainError');

/** Paths whose errors are a text, as clients of the original service read them. */
const plain = /^\/api\/(daily_papers|papers)(\/|$)/;

/** A header's value: one line of printable ASCII. */
function headerText(message: string): string {
  return message.replace(/[^\x20-\x7e]+/g, '?').slice(0, 500);
}

/** Answers with an error, in the form that the path's clients read. */
export function errorAnswer(c: Context<AppEnv>, status: ErrorStatus, message: string, field?: string) {
  c.header('X-Error-Message', headerText(message));
  c.header('Cache-Control', 'no-store');
  if (status === 401) c.header('WWW-Authenticate', 'Bearer');
  const where = field === undefined ? {} : { field };
  return plain.test(c.req.path)
    ? c.json({ error: message, ...where }, status)
    : c.json({ error: { message, ...where } }, status);
}

/** Answers for whatever was thrown; an error that is nobody's fault outside is logged and not shown. */
export function answerThrown(c: Context<AppEnv>, error: unknown, log: (message: string) => void) {
  if (error instanceof ApiError) return errorAnswer(c, error.status, error.message, error.field);
  if (error instanceof Refused) {
    for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
    const seconds = error.headers['retry-after'];
    // As IETF's draft "RateLimit header fields for HTTP" writes it, and huggingface_hub reads it before it tries again.
    if (error.status === 429 && seconds) c.header('RateLimit', `"api";r=0;t=${seconds}`);
    return errorAnswer(c, error.status as ErrorStatus, error.message);
  }
  if (error instanceof ParameterError) return errorAnswer(c, 400, error.message, 'params');
  if (error instanceof InputError) return errorAnswer(c, 400, error.message, 'input');
  if (error instanceof HTTPException && error.status === 400) return errorAnswer(c, 400, error.message, 'body');
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return errorAnswer(c, 500, 'Something went wrong here; it has been written down.');
}

/** What is said of a parameter or body that its schema refuses. */
export function refusal(target: string, error: z.ZodError): { message: string; field?: string } {
  const [{ path, message }] = error.issues;
  const field = path.map(String).join('.') || undefined;
  return { message: `${field ?? target}: ${message}`, field };
}
