/** @file A reader's own pages: the account, and the papers for them. */

import { Hono } from 'hono';
import { deleteAccount, endSession, exportAccount, rename, sessionsOf } from '../../people/accounts.ts';
import { keysOf, makeKey, revokeKey } from '../../people/api-keys.ts';
import { signOut } from '../../people/auth.ts';
import { followsOf } from '../../people/follows.ts';
import { forYou, forYouFormula } from '../../people/for-you.ts';
import { hasRole, requireRole } from '../../people/roles.ts';
import { Refused } from '../../security/refused.ts';
import { dayOf, type Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { CsrfField, page, writtenDay } from '../layout.tsx';
import { listFacts, Pages, PaperList, pageNumber, pageSize } from '../reading/pieces.tsx';
import { FollowForm } from './pieces.tsx';
import { fieldOf, personOf, refusing } from './posted.ts';

function Deed({
  c,
  action,
  label,
  name,
  value,
}: {
  c: Asked;
  action: string;
  label: string;
  name?: string;
  value?: string;
}) {
  return (
    <form method="post" action={action}>
      <CsrfField c={c} />
      {name && <input type="hidden" name={name} value={value} />}
      <button type="submit" class="button">
        {label}
      </button>
    </form>
  );
}

/** GET /you and what is posted from it, GET /for-you. */
export function youRoutes(site: Site): Hono<AppEnv> {
  const app = refusing(new Hono<AppEnv>());
  app.use('/you', requireRole('reader'));
  app.use('/you/*', requireRole('reader'));
  app.use('/for-you', requireRole('reader'));

  /** The account's page; `made` is a key that is shown this once. */
  const account = async (c: Asked, made?: string) => {
    const person = personOf(c);
    const [follows, keys, sessions] = await Promise.all([
      followsOf(site, person),
      keysOf(site, person),
      sessionsOf(site, person),
    ]);
    return page(
      c,
      { title: 'Your account', at: 'you', unlisted: true },
      <>
        <h1>{person.name}</h1>
        <p class="row">
          <a class="button primary" href="/for-you">
            Papers for you
          </a>
          {hasRole(person, 'curator') && (
            <a class="button" href={`/curate/${dayOf(site.clock())}`}>
              Curate today
            </a>
          )}
          {hasRole(person, 'admin') && (
            <a class="button" href="/admin">
              Administration
            </a>
          )}
        </p>
        <section class="card" aria-labelledby="name-title">
          <h2 id="name-title">You</h2>
          <p class="muted">
            Signed in as {person.email}, which nobody else sees; your role is {person.role}.
          </p>
          <Deed c={c} action="/sign-out" label="Sign out" />
          <form method="post" action="/you/name">
            <CsrfField c={c} />
            <p class="field">
              <label for="name">Name on new comments</label>
              <input id="name" name="name" value={person.name} required maxlength={60} autocomplete="nickname" />
            </p>
            <button type="submit" class="button">
              Save
            </button>
          </form>
        </section>
        <section class="card" aria-labelledby="follows-title">
          <h2 id="follows-title">You follow</h2>
          {follows.length === 0 ? (
            <p>
              Nothing yet. <a href="/topics">Topics</a>, authors and searches have a button for it on their pages.
            </p>
          ) : (
            <ul class="list">
              {follows.map(({ kind, value, name, href }) => (
                <li class="row">
                  <span class="tag">{kind}</span> <a href={href}>{name}</a>
                  <FollowForm c={c} kind={kind} value={value} following={true} />
                </li>
              ))}
            </ul>
          )}
        </section>
        <section class="card" aria-labelledby="keys-title">
          <h2 id="keys-title">API keys</h2>
          {made && (
            <p class="notice" role="status">
              Your new key, shown this once: <code>{made}</code>
            </p>
          )}
          {keys.length > 0 && (
            <ul class="list">
              {keys.map(({ id, name, made: at, used }) => (
                <li class="row">
                  <strong>{name}</strong>
                  <span class="muted">
                    made {writtenDay(dayOf(at))}, {used ? `last used ${writtenDay(dayOf(used))}` : 'never used'}
                  </span>
                  <Deed c={c} action="/you/keys/revoke" label={`Revoke ${name}`} name="id" value={id} />
                </li>
              ))}
            </ul>
          )}
          <form method="post" action="/you/keys">
            <CsrfField c={c} />
            <p class="field">
              <label for="key-name">Name of a new key</label>
              <input id="key-name" name="name" required maxlength={60} />
            </p>
            <button type="submit" class="button">
              Make a key
            </button>
          </form>
        </section>
        <section class="card" aria-labelledby="sessions-title">
          <h2 id="sessions-title">Where you are signed in</h2>
          <ul class="list">
            {sessions.map(({ id, since, browser }) => (
              <li class="row">
                <span>{browser || 'An unnamed browser'}</span>
                <span class="muted">since {writtenDay(dayOf(since))}</span>
                {id === c.get('session') ? (
                  <span class="tag">this one</span>
                ) : (
                  <Deed c={c} action="/you/sessions/end" label="End" name="id" value={id} />
                )}
              </li>
            ))}
          </ul>
        </section>
        <section class="card" aria-labelledby="data-title">
          <h2 id="data-title">What is kept of you</h2>
          <p>
            <a class="button" href="/you/export">
              Take it along (JSON)
            </a>
          </p>
          <details>
            <summary>Delete the account</summary>
            <form method="post" action="/you/delete">
              <CsrfField c={c} />
              <p>
                Your comments lose their words, your votes are taken back; follows, keys, sessions and the e-mail
                subscription of {person.email} are gone. This cannot be undone.
              </p>
              <p class="field">
                <label for="sure">Write “delete” to say that you are sure</label>
                <input id="sure" name="sure" required pattern="delete" autocomplete="off" />
              </p>
              <button type="submit" class="button">
                Delete my account
              </button>
            </form>
          </details>
        </section>
      </>,
    );
  };

  app.get('/you', (c) => account(c));

  app.post('/you/name', async (c) => {
    await rename(site, personOf(c), await fieldOf(c, 'name'));
    return c.redirect('/you', 303);
  });

  app.post('/you/keys', async (c) => account(c, await makeKey(site, personOf(c), await fieldOf(c, 'name'))));

  app.post('/you/keys/revoke', async (c) => {
    await revokeKey(site, personOf(c), await fieldOf(c, 'id'));
    return c.redirect('/you', 303);
  });

  app.post('/you/sessions/end', async (c) => {
    await endSession(site, personOf(c), await fieldOf(c, 'id'));
    return c.redirect('/you', 303);
  });

  app.get('/you/export', async (c) => {
    c.header('content-disposition', 'attachment; filename="daily-papers-account.json"');
    return c.json(await exportAccount(site, personOf(c)));
  });

  app.post('/you/delete', async (c) => {
    const person = personOf(c);
    if ((await fieldOf(c, 'sure')) !== 'delete')
      throw new Refused('Write “delete” into the field to delete the account.');
    const cookies = await signOut(site, c.req.raw.headers);
    await deleteAccount(site, person);
    for (const cookie of cookies) c.header('set-cookie', cookie, { append: true });
    return c.redirect('/', 303);
  });

  app.get('/for-you', async (c) => {
    const number = pageNumber(c);
    if (number === undefined || number > 25) throw new Refused('There is no such page of this list.', 404);
    const { papers, total } = await forYou(site, personOf(c), { limit: pageSize, offset: (number - 1) * pageSize });
    return page(
      c,
      { title: 'For you', at: 'you', unlisted: true },
      <>
        <h1>For you</h1>
        <p>
          By what you follow and what is trending, arranged so that no theme fills the list.{' '}
          <a href="/you">What you follow</a>
        </p>
        <PaperList
          c={c}
          papers={papers}
          facts={await listFacts(c, site, papers)}
          firstRank={(number - 1) * pageSize + 1}
        />
        <Pages c={c} page={number} total={Math.min(total, 25 * pageSize)} />
        <details>
          <summary>How this is ranked</summary>
          <p>
            <code>{forYouFormula}</code>
          </p>
          <p>
            T: the weight with which a paper belongs to topics you follow; A: 1 for an author you follow; S: its rank in
            your searches, H: in trending, each as a share of the best one’s. No two readers’ doings are compared.
          </p>
        </details>
      </>,
    );
  });

  return app;
}
