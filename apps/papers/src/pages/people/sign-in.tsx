/** @file Signing in: an address, a mail with a link, a button; and signing out. */

import { Hono } from 'hono';
import { sendMail } from '../../mail/mailer.ts';
import { messageOfSignIn } from '../../mail/messages.tsx';
import { emailAddress, linkLives, signInBy, signInToken, signOut } from '../../people/auth.ts';
import { localPath } from '../../security/local-path.ts';
import { count, limited } from '../../security/rate-limit.ts';
import { Refused } from '../../security/refused.ts';
import type { Site } from '../../site.ts';
import type { AppEnv } from '../context.ts';
import { CsrfField, page } from '../layout.tsx';
import { fieldOf, refusing } from './posted.ts';

/** GET and POST /sign-in, /sign-in/sent, /sign-in/confirm, POST /sign-out. */
export function signInRoutes(site: Site): Hono<AppEnv> {
  const app = refusing(new Hono<AppEnv>());

  app.get('/sign-in', (c) => {
    const next = localPath(c.req.query('next'), '/');
    if (c.get('person')) return c.redirect(next, 303);
    return page(
      c,
      { title: 'Sign in', at: 'you', unlisted: true },
      <section class="card">
        <h1>Sign in</h1>
        <p>We send you a link; there is no password. Your first sign-in makes your account.</p>
        <p class="muted">
          Two cookies, no others: one for this form, one while you are signed in. Everything can be read without.
        </p>
        <form method="post" action="/sign-in">
          <CsrfField c={c} />
          <input type="hidden" name="next" value={next} />
          <p class="field">
            <label for="email">E-mail address</label>
            <input id="email" type="email" name="email" required maxlength={254} autocomplete="email" />
          </p>
          <button type="submit" class="button primary">
            Send me a link
          </button>
        </form>
      </section>,
    );
  });

  app.post('/sign-in', limited(site, 'sign-in'), async (c) => {
    const email = emailAddress(await fieldOf(c, 'email'));
    const next = localPath(await fieldOf(c, 'next'), '/');
    await count(site, 'sign-in mail', email);
    const token = await signInToken(site, email);
    const link = `${site.config.url}/sign-in/confirm?${new URLSearchParams({ token, next })}`;
    try {
      await sendMail(site, messageOfSignIn({ to: email, link, minutes: linkLives / 60 }));
    } catch (error) {
      // Nor does the answer tell whether the mailbox is one.
      site.log.error('sign-in mail was not sent', { error: (error as Error).message });
    }
    return c.redirect('/sign-in/sent', 303);
  });

  app.get('/sign-in/sent', (c) =>
    page(
      c,
      { title: 'Look into your mail', at: 'you', unlisted: true },
      <section class="card">
        <h1>Look into your mail</h1>
        <p class="notice" role="status">
          A link is on its way to the address you gave. It works once, for {linkLives / 60} minutes.
        </p>
        {!site.config.smtpUrl && (
          <p>This site has no mail server: it writes its mail into the outbox folder of its data. The link is there.</p>
        )}
        <p>
          Nothing came? Look among the unwanted mail, or <a href="/sign-in">ask again</a>.
        </p>
      </section>,
    ),
  );

  // Programs that look through mail open links; so the link shows a button, and the button signs in.
  app.get('/sign-in/confirm', (c) =>
    page(
      c,
      { title: 'Sign in', at: 'you', unlisted: true },
      <section class="card">
        <h1>Sign in</h1>
        <form method="post" action="/sign-in/confirm">
          <CsrfField c={c} />
          <input type="hidden" name="token" value={c.req.query('token')?.slice(0, 200)} />
          <input type="hidden" name="next" value={localPath(c.req.query('next'), '/')} />
          <p>One click more, and you are in.</p>
          <button type="submit" class="button primary">
            Sign in
          </button>
        </form>
      </section>,
    ),
  );

  app.post('/sign-in/confirm', limited(site, 'sign-in'), async (c) => {
    const token = await fieldOf(c, 'token');
    if (!token) throw new Refused('This link is not whole. Copy all of it from the mail.');
    for (const cookie of await signInBy(site, token, c.req.header('user-agent'))) {
      c.header('set-cookie', cookie, { append: true });
    }
    return c.redirect(localPath(await fieldOf(c, 'next'), '/'), 303);
  });

  app.post('/sign-out', async (c) => {
    for (const cookie of await signOut(site, c.req.raw.headers)) c.header('set-cookie', cookie, { append: true });
    return c.redirect('/', 303);
  });

  return app;
}
