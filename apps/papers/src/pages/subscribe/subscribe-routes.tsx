/** @file The pages by which mail is asked for, confirmed and ended. They work without scripts, and no link alone changes a thing. */

import { Hono } from 'hono';
import type { PropsWithChildren } from 'hono/jsx';
import {
  awaited,
  confirmSubscription,
  requestSubscription,
  type Subscription,
  unsubscribe,
  unsubscribeTokenFits,
} from '../../mail/subscribers.ts';
import { allTopics } from '../../papers/topics.ts';
import { limited } from '../../security/rate-limit.ts';
import { Refused } from '../../security/refused.ts';
import type { Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { CsrfField, page } from '../layout.tsx';
import { refusalPage } from '../reading/refusals.tsx';
import { mailAdminRoutes } from './mail-admin-routes.tsx';

/** The form as it stands, with what was typed and what was wrong with it. */
interface Filled extends Subscription {
  readonly email: string;
  readonly wrong?: Refused;
}

async function subscribePage(c: Asked, site: Site, { email, cadence, topics: chosen, wrong }: Filled) {
  const topics = await allTopics(site);
  return page(
    c,
    {
      title: 'Subscribe',
      description: 'The papers of the day or of the week by e-mail, on the topics you choose.',
      at: 'subscribe',
    },
    <>
      <h1>Papers by e-mail</h1>
      <p>
        The day's papers every evening (18:00 UTC), or the week's on Sundays; nothing where there is nothing new. Every
        mail has a link that ends it.
      </p>
      {wrong && (
        <p class="error" role="alert" id="wrong">
          {wrong.message}
        </p>
      )}
      <form method="post" action="/subscribe" class="card">
        <CsrfField c={c} />
        <p class="field">
          <label for="email">E-mail address</label>
          <input
            type="email"
            id="email"
            name="email"
            value={email}
            required
            maxlength={254}
            autocomplete="email"
            aria-describedby={wrong ? 'wrong' : undefined}
          />
        </p>
        <fieldset>
          <legend>How often</legend>
          <div class="row">
            <label>
              <input type="radio" name="cadence" value="daily" checked={cadence === 'daily'} /> Daily
            </label>
            <label>
              <input type="radio" name="cadence" value="weekly" checked={cadence === 'weekly'} /> Weekly
            </label>
          </div>
        </fieldset>
        {topics.length > 0 && (
          <fieldset>
            <legend>Topics (all where none is chosen)</legend>
            <div class="row">
              {topics.map(({ id, name }) => (
                <label>
                  <input type="checkbox" name="topic" value={id} checked={chosen.includes(id)} /> {name}
                </label>
              ))}
            </div>
          </fieldset>
        )}
        <p>
          <button type="submit" class="button primary">
            Subscribe
          </button>
        </p>
        <p class="muted">
          You get a mail with a link first; nothing is sent to an address that did not confirm. To change what you get,
          fill this in again with the same address.
        </p>
      </form>
      <p class="muted">
        Rather a feed reader? <a href="/feed.xml">Atom</a> and <a href="/feed.json">JSON feed</a>; every topic, author
        and search has its own.
      </p>
    </>,
    wrong ? (wrong.status === 429 ? 429 : 400) : 200,
  );
}

/** A page that says that something was done. */
function donePage(c: Asked, title: string, content: PropsWithChildren['children']) {
  return page(
    c,
    { title, at: 'subscribe', unlisted: true },
    <>
      <h1>{title}</h1>
      {content}
      <p>
        <a href="/">To today's papers</a>
      </p>
    </>,
  );
}

/** "the daily papers on Pruning, Caches". */
async function described(site: Site, { cadence, topics }: Subscription): Promise<string> {
  const names = (await allTopics(site)).filter(({ id }) => topics.includes(id)).map(({ name }) => name);
  return `the ${cadence} papers${names.length > 0 ? ` on ${names.join(', ')}` : ''}`;
}

function staleLink(c: Asked) {
  return refusalPage(c, {
    status: 410,
    title: 'This link is no longer good',
    says: 'It was used already, is older than 48 hours, or a later mail has a newer one.',
    ways: [{ href: '/subscribe', text: 'Ask for a new mail' }],
  });
}

function foreignLink(c: Asked) {
  return refusalPage(c, {
    status: 404,
    title: 'This link is not whole',
    says: 'Perhaps the mail program broke it in two. Copy all of it from the mail.',
  });
}

/** Subscribing, confirming and unsubscribing; the administrators' page of mail. */
export function subscribeRoutes(site: Site): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .route('/', mailAdminRoutes(site))
    .get('/subscribe', (c) =>
      subscribePage(c, site, {
        email: c.get('person')?.email ?? '',
        cadence: c.req.query('cadence') === 'weekly' ? 'weekly' : 'daily',
        topics: c.req.queries('topic') ?? [],
      }),
    )
    .post('/subscribe', limited(site, 'subscribe'), async (c) => {
      const form = await c.req.formData();
      const text = (name: string) => String(form.get(name) ?? '');
      const asked = {
        email: text('email').slice(0, 300),
        cadence: text('cadence') as Subscription['cadence'],
        topics: form.getAll('topic').map(String),
      };
      try {
        await requestSubscription(site, asked);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return subscribePage(c, site, { ...asked, wrong: error });
      }
      return donePage(
        c,
        'Look into your mailbox',
        <p>
          A mail is on its way to <strong>{asked.email.trim()}</strong>. Follow the link in it within 48 hours, and the
          subscription begins. If nothing comes, look among the spam.
        </p>,
      );
    })
    .get('/subscribe/confirm/:token', async (c) => {
      const found = await awaited(site, c.req.param('token'));
      if (!found) return staleLink(c);
      return page(
        c,
        { title: 'Confirm', at: 'subscribe', unlisted: true },
        <>
          <h1>Confirm your subscription</h1>
          <p>
            Send {await described(site, found.wanted)} to <strong>{found.email}</strong>?
          </p>
          <form method="post">
            <CsrfField c={c} />
            <button type="submit" class="button primary">
              Yes, send them
            </button>
          </form>
        </>,
      );
    })
    .post('/subscribe/confirm/:token', async (c) => {
      const found = await confirmSubscription(site, c.req.param('token'));
      if (!found) return staleLink(c);
      const what = await described(site, found.wanted);
      const next = found.wanted.cadence === 'daily' ? 'at 18:00 UTC' : 'on Sunday';
      return donePage(
        c,
        'Thank you',
        <p>
          You get {what} at <strong>{found.email}</strong>, the next {next}.
        </p>,
      );
    })
    .get('/unsubscribe/:id/:token', (c) => {
      const { id, token } = c.req.param();
      if (!unsubscribeTokenFits(site, id, token)) return foreignLink(c);
      return page(
        c,
        { title: 'Unsubscribe', unlisted: true },
        <>
          <h1>Unsubscribe</h1>
          <p>No more mail will come.</p>
          <form method="post">
            <CsrfField c={c} />
            <button type="submit" class="button primary">
              Unsubscribe
            </button>
          </form>
        </>,
      );
    })
    .post('/unsubscribe/:id/:token', async (c) => {
      const { id, token } = c.req.param();
      if (!(await unsubscribe(site, id, token))) return foreignLink(c);
      return donePage(
        c,
        'You are unsubscribed',
        <p>
          No more mail will come. <a href="/subscribe">Subscribe again</a>
        </p>,
      );
    });
}
