/** @file The page that says why something was not done. */

import { HTTPException } from 'hono/http-exception';
import { Refused } from '../../security/refused.ts';
import type { Asked } from '../context.ts';
import { page } from '../layout.tsx';
import { signInPath } from './pieces.tsx';

type Status = NonNullable<Parameters<typeof page>[3]>;

const titles: Record<number, string> = {
  400: 'That did not work',
  401: 'Sign in first',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Not now',
  410: 'No longer valid',
  413: 'Too long',
  429: 'Too many requests',
};

/** The page for a Refused, with its status and headers; whatever else was thrown is thrown on. */
export async function refusalPage(c: Asked, error: unknown): Promise<Response> {
  if (!(error instanceof HTTPException) || !(error.status in titles)) throw error;
  for (const [name, value] of Object.entries(error instanceof Refused ? error.headers : {})) c.header(name, value);
  c.header('cache-control', 'no-store');
  const title = titles[error.status];
  const status = (error.status === 401 ? 403 : error.status) as Status;
  return page(
    c,
    { title, unlisted: true },
    <section class="card">
      <h1>{title}</h1>
      <p class="error" role="alert">
        {error.message}
      </p>
      {error.status === 401 && (
        <p>
          <a class="button primary" href={signInPath('/')}>
            Sign in
          </a>
        </p>
      )}
      {error.status === 410 && (
        <p>
          <a class="button primary" href="/sign-in">
            Ask for another link
          </a>
        </p>
      )}
      <p>
        <a href="/">Today’s papers</a>
      </p>
    </section>,
    status,
  );
}
