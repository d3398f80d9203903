/** @file What the routes of people share: fields of a posted form, and the page for what is refused. */

import type { Hono } from 'hono';
import { Refused } from '../../security/refused.ts';
import type { AppEnv, Asked, Person } from '../context.ts';
import { refusalPage } from './refusal.tsx';

/** A text without NUL, which no database takes. */
const storable = (text: string) => text.replaceAll('\0', '');

/** A field of the posted form; empty where it is absent. */
export async function fieldOf(c: Asked, name: string): Promise<string> {
  const value = (await c.req.formData().catch(() => undefined))?.get(name);
  return typeof value === 'string' ? storable(value) : '';
}

/** All fields of this name, in the form's order. */
export async function fieldsOf(c: Asked, name: string): Promise<string[]> {
  const values = (await c.req.formData().catch(() => undefined))?.getAll(name) ?? [];
  return values.filter((value) => typeof value === 'string').map(storable);
}

/** Who is signed in; throws Refused with 401 where nobody is. */
export function personOf(c: Asked): Person {
  const person = c.get('person');
  if (!person) throw new Refused('Sign in first.', 401);
  return person;
}

/** Makes routes answer what is refused with a page. */
export function refusing(app: Hono<AppEnv>): Hono<AppEnv> {
  app.onError((error, c) => refusalPage(c, error));
  return app;
}
