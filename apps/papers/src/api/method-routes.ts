/** @file Methods and claims: what is implemented, with which parameters, and what was found of it. */

import { createRoute, z } from '@hono/zod-openapi';
import { type LedgerEntry, ledgerEntrySchema, verdictInWords } from 'salience';
import { z as zod } from 'zod';
import { cardOf, claimsByMethod, methodsByFamily } from '../runs/cards.ts';
import { closedNames } from '../runs/form.ts';
import { acceptedFor, firstBudget, largestUpload } from '../runs/inputs.ts';
import type { Site } from '../site.ts';
import { type Api, failures, json, notFound, tags } from './api.ts';
import { ApiError } from './api-error.ts';

const listedMethodSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    family: z.string(),
    summary: z.string(),
    implemented: z.boolean(),
    verdict: z.string().optional().meta({ description: 'In words, where the claim was verified' }),
    arxiv: z.string().optional(),
  })
  .openapi('ListedMethod');

const claimSchema = z
  .object({
    url: z.string(),
    verdict: z.string().meta({ description: 'On the headline, in words' }),
    ...ledgerEntrySchema.shape,
    repeat: z.string().meta({ description: 'The command line that runs it again' }),
  })
  .openapi('Claim');

const jsonSchema = z.looseObject({}).meta({ description: 'A JSON Schema (2020-12)' });

const methodSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    family: z.string(),
    summary: z.string(),
    source: z.string().meta({ description: 'Where it was published' }),
    unit: z.string().meta({ description: 'What is scored, in the singular' }),
    subject: z.string().meta({ description: 'Kind of what it is given' }),
    formula: z.string(),
    cost: z.string(),
    url: z.string(),
    paper: z.string().optional().meta({ description: 'arXiv id of its paper' }),
    params: jsonSchema,
    options: jsonSchema,
    closed: z.array(z.string()).meta({
      description: 'Parameters that name files or addresses, which only the command line takes',
    }),
    input: z.object({
      sample: z.string().meta({ description: 'What the sample is' }),
      text: z.boolean().meta({ description: 'Whether a text may be sent' }),
      largestText: z.int().meta({ description: 'In bytes of UTF-8' }),
    }),
    firstBudget: z.string(),
    claim: claimSchema.optional(),
  })
  .openapi('Method');

/** A claim of the ledger as it is told. */
function toldClaim(entry: LedgerEntry, url: string): z.infer<typeof claimSchema> {
  return {
    ...entry,
    url: `${url}/claims#${entry.method}`,
    verdict: verdictInWords(entry),
    repeat: `salience verify ${entry.method}`,
  };
}

/** What the API tells of a method; nothing for an unknown or planned one. */
export async function toldMethod(id: string, url: string): Promise<z.infer<typeof methodSchema> | undefined> {
  const card = await cardOf(id);
  if (!card) return undefined;
  const { method, entry, paper, claim } = card;
  const { subject } = method;
  const asJson = (schema: zod.ZodType) =>
    zod.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
  const accepted = acceptedFor(subject.kind);
  return {
    id: method.id,
    name: method.name,
    family: entry.family,
    summary: method.summary,
    source: method.source,
    unit: method.unit,
    subject: subject.kind,
    formula: method.formula,
    cost: method.cost,
    url: `${url}/methods/${method.id}`,
    ...(paper?.arxiv && { paper: paper.arxiv }),
    params: asJson(method.params),
    options: asJson(subject.options),
    closed: [
      ...closedNames({ owner: method.id, prefix: 'p.', schema: method.params }),
      ...closedNames({ owner: subject.kind, prefix: 'o.', schema: subject.options }),
    ],
    input: { sample: accepted.sample, text: accepted.pasted, largestText: largestUpload },
    firstBudget: firstBudget(method),
    ...(claim && { claim: toldClaim(claim, url) }),
  };
}

/** Methods as a list, families as the catalogue orders them. */
export async function listedMethods(): Promise<z.infer<typeof listedMethodSchema>[]> {
  return [...(await methodsByFamily())].flatMap(([family, methods]) => methods.map((one) => ({ ...one, family })));
}

/** Registers /api/methods and /api/claims. */
export function methodRoutes(app: Api, site: Site): void {
  const { url } = site.config;
  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/methods',
      tags: [tags.methods],
      operationId: 'listMethods',
      summary: 'All methods, implemented and planned',
      request: {
        query: z.object({
          family: z.string().max(40).optional().meta({ description: 'Only of this family, e.g. "text"' }),
          implemented: z.enum(['true', 'false']).optional().meta({ description: 'Only those that run, or do not yet' }),
        }),
      },
      responses: { 200: json(z.array(listedMethodSchema), 'By family, the implemented ones first'), ...failures },
    }),
    async (c) => {
      const { family, implemented } = c.req.valid('query');
      const listed = (await listedMethods()).filter(
        (one) =>
          (family === undefined || one.family === family) &&
          (implemented === undefined || String(one.implemented) === implemented),
      );
      return c.json(listed, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/methods/{id}',
      tags: [tags.methods],
      operationId: 'readMethod',
      summary: 'One method: formula, cost, parameters as JSON Schema, claim',
      request: { params: z.object({ id: z.string().max(80).meta({ description: 'Id, e.g. "lexrank"' }) }) },
      responses: { 200: json(methodSchema, 'The method'), ...failures, ...notFound },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const method = await toldMethod(id, url);
      if (!method) throw new ApiError(404, `There is no method "${id}" that runs; /api/methods lists them.`, 'id');
      return c.json(method, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/claims',
      tags: [tags.methods],
      operationId: 'listClaims',
      summary:
        'Every claim that was verified, with our numbers, the paper’s where one was found, the rule and the verdict',
      responses: { 200: json(z.array(claimSchema), 'In the order of the ledger'), ...failures },
    }),
    async (c) =>
      c.json(
        [...(await claimsByMethod()).values()].map((entry) => toldClaim(entry, url)),
        200,
      ),
  );
}
