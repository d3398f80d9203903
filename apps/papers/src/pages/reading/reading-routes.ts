/** @file All pages that are read. */

import { Hono } from 'hono';
import type { Site } from '../../site.ts';
import type { AppEnv } from '../context.ts';
import { aboutRoutes } from './about.tsx';
import { listRoutes } from './lists.tsx';
import { paperRoutes } from './paper.tsx';
import { searchRoutes } from './search.tsx';
import { siteFileRoutes } from './site-files.ts';
import { topicRoutes } from './topics.tsx';

/** The pages of the feed, of papers, topics, authors and the search, and the small files beside them. */
export function readingRoutes(site: Site): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .route('/', listRoutes(site))
    .route('/', paperRoutes(site))
    .route('/', topicRoutes(site))
    .route('/', searchRoutes(site))
    .route('/', aboutRoutes(site))
    .route('/', siteFileRoutes(site));
}
