/** @file The routes of methods, runs and claims. */

import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { streamSSE } from 'hono/streaming';
import { exampleOf } from '../../runs/bundled-model.ts';
import { cardOf, claimsByMethod, type MethodCard } from '../../runs/cards.ts';
import { commandLine } from '../../runs/command-line.ts';
import { acceptedFor, largestUpload } from '../../runs/inputs.ts';
import { cancelRun, queueRun, type RunRow, runOf, TooManyRuns, waitingBefore, whoRuns } from '../../runs/queue.ts';
import { type AskedRun, checkRun } from '../../runs/request.ts';
import { isOver, type Sight, watchRun } from '../../runs/watch.ts';
import { network } from '../../security/address.ts';
import { limited } from '../../security/rate-limit.ts';
import { Refused } from '../../security/refused.ts';
import type { Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { methodPage, methodsPage } from './catalogue-pages.tsx';
import { claimPage, claimsPage } from './claims-pages.tsx';
import { type Picture, pictureOfBlock, pictureOfClaim } from './pictures.ts';
import { picturesOf, resultOf, runPage } from './run-page.tsx';

/** The posts that may be longer than other forms, for `limitBodies`: an upload and the form around it. */
export const longerBodies: readonly (readonly [path: RegExp, bytes: number])[] = [
  [/^\/methods\/[^/]+\/runs$/, largestUpload + 256 * 1024],
];

/** Inputs of a form, more than any method has. */
const mostInputs = 300;

/** Milliseconds between signs of life on a stream, and after which a stream ends and the page asks again. */
const heartbeat = 15_000;
const longestStream = 600_000;
/** Streams that this instance holds open at once, all together and for one reader. */
const mostStreams = 500;
const mostStreamsEach = 12;

const private_ = { 'cache-control': 'private, no-store' };

/** Whether a script asks, which wants JSON for an answer. */
function wantsJson(c: Asked): boolean {
  return /^application\/json\b/.test(c.req.header('accept') ?? '');
}

async function askedRun(c: Asked): Promise<AskedRun> {
  const form = await c.req.formData().catch(() => {
    throw new Refused('What was sent is no form; send multipart/form-data.');
  });
  const fields: Record<string, string> = {};
  let file: AskedRun['file'];
  let inputs = 0;
  for (const [name, value] of form) {
    if (++inputs > mostInputs) throw new Refused(`The form has more than ${mostInputs} inputs.`);
    // Of a switch both are sent, and the last one counts.
    if (typeof value === 'string') fields[name] = value;
    else if (name === 'file') file = { name: value.name, bytes: new Uint8Array(await value.arrayBuffer()) };
  }
  delete fields.csrf;
  return { fields, ...(file && { file }) };
}

/** What is filled in by an address: "?p.threshold=0.2&budget=5"; by "?example" a text that the bundled model understands. */
async function filledBy(c: Asked, { method }: MethodCard) {
  const known = Object.entries(c.req.query()).filter(([name]) => /^([po]\.\w{1,60}|budget|seed)$/.test(name));
  const values = Object.fromEntries(known.map(([name, value]) => [name, value.slice(0, 4000)]));
  const { reading } = acceptedFor(method.subject.kind);
  const text = reading && c.req.query('example') !== undefined ? await exampleOf(reading) : undefined;
  return { values: { ...values, ...(text !== undefined && { text }) }, errors: {} };
}

function svg(c: Asked, picture: Picture | undefined) {
  if (!picture) return c.notFound();
  return c.body(picture.svg, 200, {
    'content-type': 'image/svg+xml; charset=utf-8',
    'cache-control': 'private, max-age=86400, immutable',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  });
}

/** What a stream and a script are told of a run. */
function told({ id, state, error, progress }: Sight) {
  return { id, state, ...(error && { error }), ...(progress && { progress }) };
}

/** The routes of /methods, /runs and /claims. */
export function runRoutes(site: Site): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const streams = new Map<string, number>();

  const mayCancel = (c: Asked, row: RunRow) => row.by === whoRuns(c, site) || c.get('person')?.role === 'admin';

  app.get('/methods', (c) => methodsPage(c));

  app.get('/methods/:id', async (c) => {
    const card = await cardOf(c.req.param('id'));
    if (!card) return c.notFound();
    c.header('cache-control', private_['cache-control']);
    return methodPage(c, site, card, await filledBy(c, card));
  });

  app.post(
    '/methods/:id/runs',
    bodyLimit({
      maxSize: longerBodies[0][1],
      onError: () => {
        throw new Refused(`What was sent is larger than ${largestUpload / 1e6} MB, the most that is taken here.`, 413);
      },
    }),
    limited(site, 'run'),
    async (c) => {
      const card = await cardOf(c.req.param('id'));
      if (!card) return c.notFound();
      const asked = await askedRun(c);
      const refuse = (errors: Readonly<Record<string, string>>, status: 400 | 429) =>
        wantsJson(c)
          ? c.json({ errors }, status, private_)
          : methodPage(c, site, card, { values: asked.fields, errors }, status);
      const checked = await checkRun(card, asked);
      if ('errors' in checked) return refuse(checked.errors, 400);
      try {
        const id = await queueRun(site, { ...checked.run, by: whoRuns(c, site) });
        return wantsJson(c)
          ? c.json({ id, url: `/runs/${id}` }, 201, { ...private_, location: `/runs/${id}` })
          : c.redirect(`/runs/${id}`, 303);
      } catch (error) {
        if (!(error instanceof TooManyRuns)) throw error;
        return refuse({ '': `${error.message[0].toUpperCase()}${error.message.slice(1)}.` }, 429);
      }
    },
  );

  // The panel on pages that all readers share has no token of its own; its script asks for one here.
  app.get('/runs/token', (c) => c.json({ csrf: c.get('csrf') }, 200, private_));

  app.get('/runs/:id', async (c) => {
    const row = await runOf(site, c.req.param('id'));
    const card = row && (await cardOf(row.method));
    if (!row || !card) return c.notFound();
    c.header('cache-control', private_['cache-control']);
    const before = row.state === 'queued' ? await waitingBefore(site, row) : 0;
    return runPage(c, { row, card, before, mayCancel: mayCancel(c, row) });
  });

  app.get('/runs/:id/result.json', async (c) => {
    const row = await runOf(site, c.req.param('id'));
    if (!row) return c.notFound();
    const result = resultOf(row);
    const pictures = result && (await picturesOf(row, result));
    const card = await cardOf(row.method);
    return c.json(
      {
        ...told(row),
        ...(card && { command: commandLine(card, row) }),
        ...(result && { report: result, pictures: result.blocks.map((_, n) => pictures?.(n) ?? null) }),
      },
      200,
      private_,
    );
  });

  app.get('/runs/:id/charts/:file{[0-9]{1,4}\\.svg}', async (c) => {
    const row = await runOf(site, c.req.param('id'));
    const n = Number.parseInt(c.req.param('file'), 10);
    const block = row && resultOf(row)?.blocks[n];
    return svg(c, block && (await pictureOfBlock(`run ${row.id} ${n}`, block)));
  });

  app.get('/runs/:id/events', async (c) => {
    const row = await runOf(site, c.req.param('id'));
    if (!row) return c.notFound();
    const who = network(c.get('address'));
    const all = [...streams.values()].reduce((sum, count) => sum + count, 0);
    const own = streams.get(who) ?? 0;
    if (all >= mostStreams || own >= mostStreamsEach) {
      throw new Refused('Too many pages are watching runs; close some, or refresh this one by hand.', 429, {
        'retry-after': '30',
      });
    }
    streams.set(who, own + 1);
    c.header('cache-control', 'no-store');
    c.header('x-accel-buffering', 'no');
    return streamSSE(c, async (stream) => {
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      const beat = setInterval(() => void stream.write(': still here\n\n').catch(() => ended.abort()), heartbeat);
      const last = setTimeout(() => ended.abort(), longestStream);
      try {
        for await (const sight of watchRun(site, row.id, ended.signal)) {
          await stream.writeSSE({ event: isOver(sight) ? 'over' : 'progress', data: JSON.stringify(told(sight)) });
        }
      } finally {
        clearInterval(beat);
        clearTimeout(last);
        const left = (streams.get(who) ?? 1) - 1;
        if (left > 0) streams.set(who, left);
        else streams.delete(who);
      }
    });
  });

  app.post('/runs/:id/cancel', async (c) => {
    const row = await runOf(site, c.req.param('id'));
    if (!row) return c.notFound();
    if (!mayCancel(c, row)) throw new Refused('This run was begun by somebody else; only they can cancel it.', 403);
    await cancelRun(site, row.id);
    const now = await runOf(site, row.id);
    return wantsJson(c) ? c.json(told(now ?? row), 200, private_) : c.redirect(`/runs/${row.id}`, 303);
  });

  app.get('/claims', (c) => claimsPage(c));

  app.get('/claims/:id', async (c) => {
    const claim = (await claimsByMethod()).get(c.req.param('id'));
    return claim ? claimPage(c, claim) : c.notFound();
  });

  app.get('/claims/:id/chart.svg', async (c) => {
    const claim = (await claimsByMethod()).get(c.req.param('id'));
    return svg(c, claim && (await pictureOfClaim(claim)));
  });

  return app;
}
