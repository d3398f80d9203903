/** @file Who somebody is and what they may do. */

import type { user } from '../database/schema.ts';

export type Role = (typeof user.$inferSelect)['role'];

/** What people's functions need to know of the one who asks; a page's Person is one. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
}
