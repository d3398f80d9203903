/** @file Pages that say what is not there, what was wrong, or that something broke. */

import type { Asked } from '../context.ts';
import { page } from '../layout.tsx';

/** A way on from a page that has nothing to show. */
interface WayOn {
  readonly href: string;
  readonly text: string;
}

const usual: readonly WayOn[] = [
  { href: '/', text: 'The latest papers' },
  { href: '/trending', text: 'Trending' },
  { href: '/topics', text: 'Topics' },
];

/** Answers that something cannot be done as asked, says what would be right, and shows ways on. */
export function refusalPage(
  c: Asked,
  {
    status,
    title,
    says,
    ways = usual,
  }: {
    readonly status: 400 | 403 | 404 | 409 | 410 | 413 | 429 | 500;
    readonly title: string;
    readonly says: string;
    readonly ways?: readonly WayOn[];
  },
) {
  return page(
    c,
    { title, unlisted: true },
    <>
      <h1>{title}</h1>
      <p>{says}</p>
      <ul>
        {ways.map(({ href, text }) => (
          <li>
            <a href={href}>{text}</a>
          </li>
        ))}
      </ul>
    </>,
    status,
  );
}

/** Answers that there is no such page. */
export function notFoundPage(c: Asked, says = 'There is nothing at this address. Perhaps the search finds it.') {
  return refusalPage(c, { status: 404, title: 'Not here', says });
}

/** Answers that something broke on our side. */
export function brokenPage(c: Asked) {
  return refusalPage(c, {
    status: 500,
    title: 'Something broke',
    says: 'It is our fault, not yours, and it was logged. Trying again in a moment often helps.',
  });
}
