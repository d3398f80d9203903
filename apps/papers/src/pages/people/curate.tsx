/** @file Curators choose and order the papers of a day, by plain forms. */

import { Hono } from 'hono';
import { dayList, paperById } from '../../papers/lists.ts';
import { setPicks } from '../../people/curate.ts';
import { requireRole } from '../../people/roles.ts';
import { Refused } from '../../security/refused.ts';
import { dayOf, type Site } from '../../site.ts';
import type { AppEnv } from '../context.ts';
import { DataTable } from '../data-table.tsx';
import { CsrfField, counted, page, writtenDay } from '../layout.tsx';
import { fieldOf, fieldsOf, personOf, refusing } from './posted.ts';

/** Papers of a day that the form shows. */
const shown = 300;

function dayFrom(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || new Date(`${text}T00:00Z`).toJSON()?.slice(0, 10) !== text) {
    throw new Refused(`${text} is no day; one looks like 2025-10-28.`, 404);
  }
  return text;
}

const neighbour = (day: string, days: number) => dayOf(new Date(Date.parse(day) + days * 86_400_000));

/** GET /curate, GET and POST /curate/:day. */
export function curateRoutes(site: Site): Hono<AppEnv> {
  const app = refusing(new Hono<AppEnv>());
  app.use('/curate', requireRole('curator'));
  app.use('/curate/*', requireRole('curator'));

  app.get('/curate', (c) => c.redirect(`/curate/${dayOf(site.clock())}`, 303));

  app.get('/curate/:day', async (c) => {
    const day = dayFrom(c.req.param('day'));
    const { papers, total } = await dayList(site, day);
    return page(
      c,
      { title: `Curate ${writtenDay(day)}`, at: 'you', unlisted: true },
      <>
        <h1>Curate {writtenDay(day)}</h1>
        <p class="row">
          <a href={`/curate/${neighbour(day, -1)}`}>The day before</a>
          <a href={`/curate/${neighbour(day, 1)}`}>The day after</a>
        </p>
        <p>
          Papers with a number come first, in its order; those without follow by discussion. {counted(total, 'paper')}{' '}
          on this day.
        </p>
        <form method="post" action={`/curate/${day}`}>
          <CsrfField c={c} />
          {papers.length > 0 && (
            <DataTable label="Table of papers" columns={['Place', 'Paper', 'Picked by']}>
              {papers.slice(0, shown).map(({ id, title, pick }, i) => (
                <tr>
                  <td>
                    <input type="hidden" name="paper" value={id} />
                    <input
                      type="number"
                      name="place"
                      min={1}
                      max={999}
                      value={pick ? String(pick.place + 1) : ''}
                      aria-labelledby={`paper-${i}`}
                    />
                  </td>
                  <td id={`paper-${i}`}>
                    <a href={`/papers/${encodeURIComponent(id)}`}>{title}</a>
                  </td>
                  <td>{pick?.curatorName}</td>
                </tr>
              ))}
            </DataTable>
          )}
          <p class="field">
            <label for="more">Papers of other days, an id or arXiv address a line; they come last</label>
            <textarea id="more" name="more" rows={3} maxlength={5000} />
          </p>
          <button type="submit" class="button primary">
            Save the list
          </button>
        </form>
      </>,
    );
  });

  app.post('/curate/:day', async (c) => {
    const day = dayFrom(c.req.param('day'));
    const papers = await fieldsOf(c, 'paper');
    const places = await fieldsOf(c, 'place');
    if (papers.length !== places.length) throw new Refused('The form is not whole; load the page again.');
    const chosen = papers.flatMap((id, i) => {
      const place = places[i].trim();
      if (place === '') return [];
      if (!/^\d{1,3}$/.test(place)) throw new Refused(`“${place.slice(0, 20)}” is no place; 1 is the first.`);
      return [{ id, place: Number(place) }];
    });
    const ids = chosen.sort((a, b) => a.place - b.place).map(({ id }) => id);
    for (const line of (await fieldOf(c, 'more')).split(/\s+/).filter(Boolean).slice(0, 100)) {
      const paper = await paperById(site, line.slice(0, 300));
      if (!paper) throw new Refused(`There is no paper “${line.slice(0, 100)}”.`, 404);
      if (!ids.includes(paper.id)) ids.push(paper.id);
    }
    await setPicks(site, personOf(c), day, ids);
    return c.redirect(`/curate/${day}`, 303);
  });

  return app;
}
