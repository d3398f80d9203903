/** @file The file that says what people may change: JSON, comments allowed, checked before anything is made of it. */

import { type ParseError, parse, printParseErrorCode, visit } from 'jsonc-parser';
import { z } from 'zod';
import { InputError } from '../../core/errors.ts';

/** Characters of such a file at the most. */
const largest = 2 ** 22;

const value = z.union([z.number(), z.string(), z.boolean()]);
const direction = z.enum(['up', 'down', 'both']);
const features = z.array(z.string()).min(1);
const condition = z.strictObject({
  feature: z.string(),
  is: z.enum(['=', '>=', '<=']).default('='),
  value,
});

const element = z.strictObject({
  actionable: z.boolean().optional(),
  lb: value.optional(),
  ub: value.optional(),
  direction: direction.optional(),
  stepLb: z.number().optional(),
  stepUb: z.number().optional(),
  step: z.number().optional(),
  values: z.array(value).min(1).optional(),
  kind: z.enum(['number', 'integer']).optional(),
});

const constraint = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('oneHot'),
    features,
    limit: z.int().positive().default(1),
    sense: z.enum(['equal', 'max']).default('equal'),
  }),
  z.strictObject({
    type: z.literal('ordinal'),
    features,
    exhaustive: z.boolean().default(true),
    direction: direction.default('both'),
  }),
  z.strictObject({ type: z.literal('thermometer'), features, direction: direction.default('both') }),
  z.strictObject({
    type: z.literal('directionalLinkage'),
    source: z.string(),
    targets: z.record(z.string(), z.number()),
    keepBounds: z.boolean().default(false),
  }),
  // biome-ignore lint/suspicious/noThenProperty: the file's word; nothing awaits it
  z.strictObject({ type: z.literal('ifThen'), if: condition, then: condition }),
  z.strictObject({
    type: z.literal('mutabilitySwitch'),
    switch: z.string(),
    on: value.default(1),
    targets: features,
  }),
  z.strictObject({
    type: z.literal('reachability'),
    features,
    values: z.array(z.array(value)).min(1),
    reachable: z.array(z.array(z.union([z.literal(0), z.literal(1)]))).optional(),
  }),
  z.strictObject({
    type: z.literal('linear'),
    weights: z.record(z.string(), z.number()),
    sense: z.enum(['<=', '=', '>=']).default('<='),
    bound: z.number(),
  }),
]);

const schema = z.strictObject({
  about: z.string().optional(),
  /** Whether features that are not named may change. */
  others: z.enum(['actionable', 'fixed']).default('actionable'),
  /** Features that cannot change. */
  fixed: z.array(z.string()).default([]),
  features: z.record(z.string(), element).default({}),
  constraints: z.array(constraint).default([]),
});

/** What people may change, by the names of columns and levels. */
export type ActionFile = z.infer<typeof schema>;

/** What an action file says of one feature. */
export type ActionFileElement = z.infer<typeof element>;

/** What an action file says of a tie. */
export type ActionFileConstraint = z.infer<typeof constraint>;

/**
 * An action file from its text.
 * @param name how errors call it: its path.
 * @throws InputError with line and column if it is no JSON, and with the place in it and what would be right if it is not as it must be.
 */
export function parseActionFile(text: string, name: string): ActionFile {
  if (text.length > largest)
    throw new InputError(`${name}: has more than ${largest} characters, too many for an action set`);
  let parsed: unknown;
  try {
    refuseRepeats(text, name);
    const errors: ParseError[] = [];
    parsed = parse(text, errors, { allowTrailingComma: true });
    if (errors.length > 0) {
      const { offset, error } = errors[0];
      const before = text.slice(0, offset).split('\n');
      throw new InputError(
        `${name}: line ${before.length}, column ${before.at(-1)!.length + 1}: is no JSON (${printParseErrorCode(error)})`,
      );
    }
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(`${name}: is JSON nested too deeply`);
    throw error;
  }
  const checked = schema.safeParse(parsed);
  if (checked.success) return checked.data;
  const { path, message } = checked.error.issues[0];
  throw new InputError(`${name}: ${placeIn(parsed, path)}: ${message}`);
}

/** A place in the file in words: `constraints[2] (thermometer).direction`. */
function placeIn(root: unknown, path: readonly PropertyKey[]): string {
  let at = root;
  let place = '';
  for (const key of path) {
    at = (at as Record<PropertyKey, unknown> | undefined)?.[key];
    if (typeof key === 'number') {
      const type = (at as { type?: unknown } | undefined)?.type;
      place += `[${key}]${typeof type === 'string' ? ` (${type})` : ''}`;
    } else place += `${place === '' ? '' : '.'}${String(key)}`;
  }
  return place === '' ? 'the whole' : place;
}

/** @throws InputError for a name that an object has twice, or one that JavaScript gives a meaning. */
function refuseRepeats(text: string, name: string): void {
  const seen: Set<string>[] = [];
  visit(
    text,
    {
      onObjectBegin: () => {
        seen.push(new Set());
      },
      onObjectEnd: () => {
        seen.pop();
      },
      onObjectProperty: (property) => {
        const names = seen.at(-1);
        if (property === '__proto__') throw new InputError(`${name}: "__proto__" is no name`);
        if (names?.has(property)) throw new InputError(`${name}: names "${property}" twice`);
        names?.add(property);
      },
    },
    { allowTrailingComma: true },
  );
}
