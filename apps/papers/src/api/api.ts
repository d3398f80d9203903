/** @file What the groups of routes share: the application they are registered with, and how their answers are described. */

import type { OpenAPIHono } from '@hono/zod-openapi';
import type { z } from 'zod';
import type { AppEnv } from '../pages/context.ts';
import { errorSchema, plainErrorSchema } from './api-error.ts';

export type Api = OpenAPIHono<AppEnv>;

/** An answer in JSON, for a route's description. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** What every route may answer with besides what it is for. */
export const failures = {
  400: json(errorSchema, 'A parameter or field is wrong'),
  429: json(errorSchema, 'Too many calls'),
};

export const notFound = { 404: json(errorSchema, 'There is no such thing') };

export const keyNeeded = { 401: json(errorSchema, 'The key is missing or not known') };

/** The same for routes that clients of the original service call. */
export const plainFailures = {
  400: json(plainErrorSchema, 'A parameter is wrong'),
  429: json(plainErrorSchema, 'Too many calls'),
};

export const plainNotFound = { 404: json(plainErrorSchema, 'There is no such paper') };

/** What a route that needs a key says of itself. */
export const withKey = [{ key: [] }];

/** Tags, which are the chapters of the documentation. */
export const tags = {
  original: 'Papers, as the original service gives them',
  reading: 'Papers, our own',
  methods: 'Methods and claims',
  runs: 'Runs',
} as const;
