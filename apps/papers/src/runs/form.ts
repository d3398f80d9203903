/** @file Forms: the fields of a schema, and from a posted form back to what the schema takes. */

import { z } from 'zod';
import { textRules } from './open-texts.ts';

interface Described {
  /** Name of the input, e.g. "p.threshold". */
  readonly input: string;
  /** The parameter's own name. */
  readonly name: string;
  readonly description: string;
  /** The default as it stands in the form; '' where there is none. */
  readonly value: string;
}

export type Field = Described &
  (
    | { readonly kind: 'number'; readonly min?: number; readonly max?: number; readonly step: 1 | 'any' }
    | { readonly kind: 'switch' }
    | { readonly kind: 'choice'; readonly choices: readonly string[] }
    | { readonly kind: 'text' }
    /** Values joined by commas. */
    | { readonly kind: 'list' }
  );

/** What stands before the names of a method's parameters and of a subject's options in a form. */
type Prefix = 'p.' | 'o.';

/** Whose schema it is: a method's id, or the kind of a subject. */
export interface FormOf {
  readonly owner: string;
  readonly prefix: Prefix;
  readonly schema: z.ZodObject;
}

interface Property {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: Property;
}

function propertiesOf(schema: z.ZodObject): [string, Property][] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties as Record<string, Property>);
}

/** A bound that a person could meet; those of the integers themselves are none. */
function bound(value: number | undefined, exclusive: number | undefined, inwards: number): number | undefined {
  const found = value ?? (exclusive === undefined ? undefined : exclusive + inwards);
  return found === undefined || Math.abs(found) >= Number.MAX_SAFE_INTEGER ? undefined : found;
}

const isNumber = (type: string | undefined) => type === 'number' || type === 'integer';

/**
 * The fields of a schema, in its order. Numbers, switches and choices all have one; of texts only those that are known to be
 * harmless on a server (open-texts.ts). What names a file, a folder or an address has none.
 */
export function fieldsOf({ owner, prefix, schema }: FormOf): Field[] {
  return propertiesOf(schema).flatMap(([name, property]): Field[] => {
    const { type, default: preset, description = '', items } = property;
    const rule = textRules(owner, name);
    const value = Array.isArray(preset) ? preset.join(', ') : preset === undefined ? '' : String(preset);
    const field = { input: `${prefix}${name}`, name, description: rule?.description ?? description, value };
    if (property.enum) return [{ ...field, kind: 'choice', choices: property.enum }];
    if (isNumber(type)) {
      const whole = type === 'integer';
      const min = bound(property.minimum, property.exclusiveMinimum, whole ? 1 : 0);
      const max = bound(property.maximum, property.exclusiveMaximum, whole ? -1 : 0);
      const bounds = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
      return [{ ...field, kind: 'number', ...bounds, step: whole ? 1 : 'any' }];
    }
    if (type === 'boolean') return [{ ...field, kind: 'switch' }];
    if (type === 'array' && (rule || isNumber(items?.type))) return [{ ...field, kind: 'list' }];
    if (type !== 'string' || !rule) return [];
    return [rule.choices ? { ...field, kind: 'choice', choices: rule.choices } : { ...field, kind: 'text' }];
  });
}

/** Names in a schema that no form has a field for: they name files, folders or addresses. */
export function closedNames({ owner, prefix, schema }: FormOf): string[] {
  const open = new Set(fieldsOf({ owner, prefix, schema }).map(({ name }) => name));
  return Object.keys(schema.shape).filter((name) => !open.has(name));
}

/** Longest text of a field, in characters; most entries of a list. */
const longest = 4000;
const mostEntries = 200;

/** Text of a field as its type, or undefined for "as the schema has it". */
function read(field: Field, text: string): unknown {
  switch (field.kind) {
    case 'number':
      return text.trim() === '' ? undefined : Number.isNaN(Number(text)) ? text : Number(text);
    case 'switch':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'choice':
      return text === '' ? undefined : text;
    case 'text':
      return text === '' && field.value === '' ? undefined : text;
    case 'list': {
      const entries = text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '');
      return entries.length === 0 && field.value === '' ? undefined : entries;
    }
  }
}

export interface ReadForm {
  /** What differs from the schema's defaults, checked by it. */
  readonly values: Record<string, unknown>;
  /** What is wrong, by the name of the input. */
  readonly errors: Readonly<Record<string, string>>;
}

/**
 * What a posted form gives a schema. Fields that are missing, or empty where the schema has a value of its own, keep it.
 * A name that the form does not offer is an error, not a silence.
 * @param posted texts by the names of their inputs; other prefixes are not looked at.
 */
export function readForm(of: FormOf, posted: Readonly<Record<string, string>>): ReadForm {
  const { owner, prefix, schema } = of;
  const fields = new Map(fieldsOf(of).map((field) => [field.input, field]));
  const given: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const [input, text] of Object.entries(posted)) {
    if (!input.startsWith(prefix)) continue;
    const field = fields.get(input);
    const name = input.slice(prefix.length);
    if (!field) {
      errors[input] = Object.hasOwn(schema.shape, name)
        ? `${name} names a file or an address and is not taken from the web; the command line has it`
        : `${owner} has no ${name}`;
      continue;
    }
    if (text.length > longest) {
      errors[input] = `is ${text.length} characters long; ${longest} are allowed`;
      continue;
    }
    if (/[\0\p{Surrogate}]/u.test(text)) {
      errors[input] = 'has a character that is no text';
      continue;
    }
    const value = read(field, text);
    if (value === undefined) continue;
    if (Array.isArray(value) && value.length > mostEntries) {
      errors[input] = `has ${value.length} entries; ${mostEntries} are allowed`;
      continue;
    }
    const wrong = textRules(owner, name)?.refuse?.(text);
    if (wrong) errors[input] = wrong;
    else given[name] = Array.isArray(value) && !textRules(owner, name) ? value.map(numberOr) : value;
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const input = `${prefix}${String(path[0] ?? '')}`;
      if (path.length === 0 || fields.has(input)) errors[input] ??= message;
    }
  }
  return { values: changed(of, given), errors };
}

function numberOr(entry: unknown): unknown {
  return Number.isNaN(Number(entry)) ? entry : Number(entry);
}

/** Without what only repeats a default. */
function changed({ schema }: FormOf, given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => {
      const preset = (schema.shape[name] as z.ZodType).safeParse(undefined);
      return !(preset.success && JSON.stringify(preset.data) === JSON.stringify(value));
    }),
  );
}
