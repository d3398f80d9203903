/** @file All pages of people. */

import { Hono } from 'hono';
import type { Site } from '../../site.ts';
import type { AppEnv } from '../context.ts';
import { adminRoutes } from './admin.tsx';
import { curateRoutes } from './curate.tsx';
import { deedRoutes } from './deeds.tsx';
import { signInRoutes } from './sign-in.tsx';
import { submitPageRoutes } from './submit.tsx';
import { youRoutes } from './you.tsx';

/** Signing in, the account, for you, votes, comments, follows, submitting, curating, administration. */
export function peopleRoutes(site: Site): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const routes of [signInRoutes, youRoutes, deedRoutes, curateRoutes, adminRoutes]) app.route('/', routes(site));
  app.route('/', submitPageRoutes(site));
  return app;
}
