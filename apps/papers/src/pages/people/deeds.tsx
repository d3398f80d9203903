/** @file What readers who are signed in do to papers and comments; each leads back to the page it came from. */

import { Hono } from 'hono';
import { addComment, deleteComment, reportComment } from '../../people/comments.ts';
import { follow } from '../../people/follows.ts';
import { vote } from '../../people/votes.ts';
import { localPath } from '../../security/local-path.ts';
import { limited } from '../../security/rate-limit.ts';
import { Refused } from '../../security/refused.ts';
import type { Site } from '../../site.ts';
import type { AppEnv } from '../context.ts';
import { fieldOf, personOf, refusing } from './posted.ts';

const paperPath = (id: string) => `/papers/${encodeURIComponent(id)}`;

/** POST /papers/:id/vote, /papers/:id/comments, /comments/:id/delete, /comments/:id/report, /follow. */
export function deedRoutes(site: Site): Hono<AppEnv> {
  const app = refusing(new Hono<AppEnv>());

  app.post('/papers/:id/vote', limited(site, 'vote'), async (c) => {
    const id = c.req.param('id');
    await vote(site, personOf(c), id, (await fieldOf(c, 'on')) !== '0');
    return c.redirect(localPath(await fieldOf(c, 'next'), paperPath(id)), 303);
  });

  app.post('/papers/:id/comments', limited(site, 'comment'), async (c) => {
    const id = c.req.param('id');
    const parent = (await fieldOf(c, 'parent')) || undefined;
    const comment = await addComment(site, personOf(c), id, await fieldOf(c, 'body'), parent);
    return c.redirect(`${paperPath(id)}#comment-${comment}`, 303);
  });

  app.post('/comments/:id/delete', async (c) => {
    const paper = await deleteComment(site, personOf(c), c.req.param('id'));
    return c.redirect(`${paperPath(paper)}#comments`, 303);
  });

  app.post('/comments/:id/report', limited(site, 'comment'), async (c) => {
    const id = c.req.param('id');
    const paper = await reportComment(site, personOf(c), id, await fieldOf(c, 'reason'));
    return c.redirect(`${paperPath(paper)}#comment-${id}`, 303);
  });

  app.post('/follow', limited(site, 'vote'), async (c) => {
    const kind = await fieldOf(c, 'kind');
    if (kind !== 'topic' && kind !== 'author' && kind !== 'search') {
      throw new Refused('Topics, authors and searches can be followed.');
    }
    const on = (await fieldOf(c, 'on')) !== '0';
    await follow(site, personOf(c), { kind, value: await fieldOf(c, 'value'), on });
    return c.redirect(localPath(await fieldOf(c, 'next'), '/you'), 303);
  });

  return app;
}
