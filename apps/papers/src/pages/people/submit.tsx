/** @file A reader submits a paper by its arXiv id or DOI. */

import { Hono } from 'hono';
import { type Fetch, safeFetch } from '../../ingest/safe-fetch.ts';
import { SubmissionError, submitPaper } from '../../ingest/submit.ts';
import { requireRole } from '../../people/roles.ts';
import { count } from '../../security/rate-limit.ts';
import type { Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { CsrfField, page } from '../layout.tsx';
import { fieldOf, personOf, refusing } from './posted.ts';

/** The form, with what was typed and what is wrong with it. */
function submitPage(c: Asked, typed = '', wrong?: string) {
  return page(
    c,
    { title: 'Submit a paper', at: 'you', unlisted: true },
    <>
      <h1>Submit a paper</h1>
      <p class="muted">
        What it is comes from arXiv or, for a DOI, from Crossref. It stands on the day it was posted, and is found by
        search, topics and authors.
      </p>
      <form class="card" method="post" action="/submit">
        <CsrfField c={c} />
        <p class="field">
          <label for="id">arXiv id or DOI</label>
          <input
            id="id"
            name="id"
            value={typed}
            required
            maxlength={300}
            placeholder="2410.11772"
            autocomplete="off"
            aria-describedby={wrong ? 'id-wrong id-help' : 'id-help'}
            aria-invalid={wrong ? 'true' : undefined}
          />
          <span class="muted" id="id-help">
            Or an address at arxiv.org or doi.org.
          </span>
        </p>
        {wrong && (
          <p class="error" id="id-wrong" role="alert">
            {wrong}
          </p>
        )}
        <button type="submit" class="button primary">
          Submit
        </button>
      </form>
    </>,
    wrong ? 400 : 200,
  );
}

/** GET and POST /submit, for who is signed in; `fetch` asks arXiv and Crossref. */
export function submitPageRoutes(site: Site, fetch: Fetch = safeFetch): Hono<AppEnv> {
  const app = refusing(new Hono<AppEnv>());
  app.use('/submit', requireRole('reader'));

  app.get('/submit', (c) => submitPage(c));

  app.post('/submit', async (c) => {
    const { id: by } = personOf(c);
    const typed = (await fieldOf(c, 'id')).trim().slice(0, 300);
    await count(site, 'submit', by);
    try {
      const { id } = await submitPaper(site, typed, { by, fetch, signal: c.req.raw.signal });
      return c.redirect(`/papers/${encodeURIComponent(id)}`, 303);
    } catch (error) {
      if (!(error instanceof SubmissionError)) throw error;
      return submitPage(c, typed, `${error.message[0].toUpperCase()}${error.message.slice(1)}.`);
    }
  });

  return app;
}
