/** @file The administrators' page: jobs, ingests, mail, abuse, people. */

import { Hono } from 'hono';
import { raw } from 'hono/html';
import { ban, changeRole, type Overview, overview, people, resolveReport, retryIngest } from '../../people/admin.ts';
import { commentHtml } from '../../people/comment-markdown.ts';
import { requireRole, roles } from '../../people/roles.ts';
import { Refused } from '../../security/refused.ts';
import { dayOf, type Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { DataTable } from '../data-table.tsx';
import { CsrfField, counted, page, writtenDay } from '../layout.tsx';
import { fieldOf, personOf, refusing } from './posted.ts';

const moment = (at: Date) => `${writtenDay(dayOf(at))} ${at.toISOString().slice(11, 16)}`;

function Numbers({ rows, none }: { rows: readonly { state: string; count: number }[]; none: string }) {
  return rows.length === 0 ? (
    <p class="muted">{none}</p>
  ) : (
    <ul class="row">
      {rows.map(({ state, count }) => (
        <li>
          {state} <span class="score">{count}</span>
        </li>
      ))}
    </ul>
  );
}

function Jobs({ jobs }: Pick<Overview, 'jobs'>) {
  return (
    <section class="card" aria-labelledby="jobs">
      <h2 id="jobs">Jobs</h2>
      {jobs.length === 0 ? (
        <p class="muted">None.</p>
      ) : (
        <DataTable label="Table of jobs" columns={['Job', 'Waiting', 'At work', 'Failed']}>
          {jobs.map(({ name, waiting, active, failed }) => (
            <tr>
              <th scope="row">{name}</th>
              <td>{waiting}</td>
              <td>{active}</td>
              <td>{failed}</td>
            </tr>
          ))}
        </DataTable>
      )}
    </section>
  );
}

function Ingests({ c, ingests }: { c: Asked } & Pick<Overview, 'ingests'>) {
  return (
    <section class="card" aria-labelledby="ingests">
      <h2 id="ingests">Ingests</h2>
      {ingests.length === 0 ? (
        <p class="muted">None yet.</p>
      ) : (
        <DataTable
          label="Table of ingests"
          columns={['Source', 'State', 'Added', 'Changed', 'Refused', 'Started (UTC)', 'Again']}
        >
          {ingests.map(({ id, source, state, added, changed, refused, started, error }) => (
            <tr>
              <th scope="row">{source}</th>
              <td>
                {state}
                {error && <span class="muted">: {error}</span>}
              </td>
              <td>{added}</td>
              <td>{changed}</td>
              <td>{refused}</td>
              <td>{moment(started)}</td>
              <td>
                {state !== 'running' && /^(arxiv|daily|feed):/.test(source) && (
                  <form method="post" action={`/admin/ingests/${id}/retry`}>
                    <CsrfField c={c} />
                    <button type="submit" class="button" aria-label={`Read ${source} again`}>
                      Again
                    </button>
                  </form>
                )}
              </td>
            </tr>
          ))}
        </DataTable>
      )}
    </section>
  );
}

function Mail({ deliveries, subscribers, troubles }: Pick<Overview, 'deliveries' | 'subscribers' | 'troubles'>) {
  return (
    <section class="card" aria-labelledby="mail">
      <div class="heading">
        <h2 id="mail">Mail</h2>
        <p>
          <a href="/admin/mail">What is in doubt, and sending it again</a>
        </p>
      </div>
      <h3>Subscribers</h3>
      <Numbers rows={subscribers} none="None yet." />
      <h3>Deliveries</h3>
      <Numbers rows={deliveries} none="None yet." />
      {troubles.length > 0 && (
        <DataTable label="Mail that did not go out" columns={['Address', 'Issue of', 'State', 'Attempts', 'Error']}>
          {troubles.map(({ email, day, state, attempts, error }) => (
            <tr>
              <th scope="row">{email}</th>
              <td>{day}</td>
              <td>{state}</td>
              <td>{attempts}</td>
              <td>{error}</td>
            </tr>
          ))}
        </DataTable>
      )}
    </section>
  );
}

function Reports({ c, reports }: { c: Asked } & Pick<Overview, 'reports'>) {
  return (
    <section class="card" aria-labelledby="reports">
      <h2 id="reports">{counted(reports.length, 'report')} of abuse</h2>
      <ul class="list">
        {reports.map(({ id, comment, paper, title, name, body, reason, by, at }) => (
          <li>
            <p class="meta">
              {by ?? 'A former reader'}, {moment(at)}, of a comment by {name || 'a former reader'} on{' '}
              <a href={`/papers/${encodeURIComponent(paper)}#comment-${comment}`}>{title}</a>
            </p>
            <p>
              <strong>{reason}</strong>
            </p>
            <blockquote>{raw(commentHtml(body))}</blockquote>
            <form method="post" action={`/admin/reports/${id}`} class="row">
              <CsrfField c={c} />
              <button type="submit" class="button" name="hide" value="1">
                Remove the comment
              </button>
              <button type="submit" class="button" name="hide" value="0">
                Leave it
              </button>
            </form>
          </li>
        ))}
      </ul>
    </section>
  );
}

function People({ c, found, letters }: { c: Asked; found: Awaited<ReturnType<typeof people>>; letters: string }) {
  const self = personOf(c).id;
  return (
    <section class="card" aria-labelledby="people">
      <h2 id="people">People</h2>
      <form action="/admin#people" class="row">
        <p class="field">
          <label for="letters">Name or address</label>
          <input id="letters" name="people" value={letters} maxlength={100} />
        </p>
        <button type="submit" class="button">
          Find
        </button>
      </form>
      <DataTable label="Table of people" columns={['Name', 'Address', 'Since', 'Role', 'Ban']}>
        {found.map(({ id, name, email, role, banned, since }) => (
          <tr>
            <th scope="row">{name}</th>
            <td>{email}</td>
            <td>{writtenDay(dayOf(since))}</td>
            <td>
              {id === self ? (
                role
              ) : (
                <form method="post" action={`/admin/people/${encodeURIComponent(id)}/role`} class="row">
                  <CsrfField c={c} />
                  <select name="role" aria-label={`Role of ${name}`}>
                    {roles.map((one) => (
                      <option value={one} selected={one === role}>
                        {one}
                      </option>
                    ))}
                  </select>
                  <button type="submit" class="button" aria-label={`Save the role of ${name}`}>
                    Save
                  </button>
                </form>
              )}
            </td>
            <td>
              {id !== self && (
                <form method="post" action={`/admin/people/${encodeURIComponent(id)}/ban`}>
                  <CsrfField c={c} />
                  <input type="hidden" name="banned" value={banned ? '0' : '1'} />
                  <button type="submit" class="button">
                    {banned ? `Let ${name} in again` : `Ban ${name}`}
                  </button>
                </form>
              )}
            </td>
          </tr>
        ))}
      </DataTable>
    </section>
  );
}

/** GET /admin and what is posted from it. */
export function adminRoutes(site: Site): Hono<AppEnv> {
  const app = refusing(new Hono<AppEnv>());
  app.use('/admin', requireRole('admin'));
  app.use('/admin/*', requireRole('admin'));

  app.get('/admin', async (c) => {
    const letters = (c.req.query('people') ?? '').slice(0, 100);
    const [seen, found] = await Promise.all([overview(site), people(site, letters)]);
    return page(
      c,
      { title: 'Administration', at: 'you', unlisted: true },
      <>
        <h1>Administration</h1>
        <Reports c={c} reports={seen.reports} />
        <Jobs jobs={seen.jobs} />
        <Ingests c={c} ingests={seen.ingests} />
        <Mail deliveries={seen.deliveries} subscribers={seen.subscribers} troubles={seen.troubles} />
        <People c={c} found={found} letters={letters} />
      </>,
    );
  });

  app.post('/admin/reports/:id', async (c) => {
    await resolveReport(site, personOf(c), c.req.param('id'), (await fieldOf(c, 'hide')) === '1');
    return c.redirect('/admin#reports', 303);
  });

  app.post('/admin/ingests/:id/retry', async (c) => {
    await retryIngest(site, personOf(c), c.req.param('id'));
    return c.redirect('/admin#ingests', 303);
  });

  app.post('/admin/people/:id/role', async (c) => {
    const asked = await fieldOf(c, 'role');
    const role = roles.find((one) => one === asked);
    if (!role) throw new Refused(`A role is one of ${roles.join(', ')}.`);
    await changeRole(site, personOf(c), c.req.param('id'), role);
    return c.redirect('/admin#people', 303);
  });

  app.post('/admin/people/:id/ban', async (c) => {
    await ban(site, personOf(c), c.req.param('id'), (await fieldOf(c, 'banned')) !== '0');
    return c.redirect('/admin#people', 303);
  });

  return app;
}
