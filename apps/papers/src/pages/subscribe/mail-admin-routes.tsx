/** @file The administrators' page of mail: how much there is, and what is in doubt, with a button that sends it once more. */

import { Hono } from 'hono';
import { deliveryCounts, sendAgain, type TroubledDelivery, troubledDeliveries } from '../../mail/deliveries.ts';
import { subscriberCounts } from '../../mail/subscribers.ts';
import { requireRole } from '../../people/roles.ts';
import { Refused } from '../../security/refused.ts';
import type { Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { DataTable } from '../data-table.tsx';
import { CsrfField, counted, page } from '../layout.tsx';

function Troubles({ c, troubles }: { c: Asked; troubles: readonly TroubledDelivery[] }) {
  return (
    <DataTable
      label="Table of deliveries in doubt"
      columns={['Address', 'Issue', 'State', 'Why', 'Message-ID', 'Again']}
    >
      {troubles.map(({ issue, subscriber, address, cadence, day, state, error, messageId }) => (
        <tr>
          <th scope="row">{address}</th>
          <td>
            {cadence}, {day}
          </td>
          <td>{state}</td>
          <td>{error}</td>
          <td>{messageId}</td>
          <td>
            <form method="post" action="/admin/mail/again">
              <CsrfField c={c} />
              <input type="hidden" name="issue" value={issue} />
              <input type="hidden" name="subscriber" value={subscriber} />
              <button type="submit" class="button" aria-label={`Send the issue of ${day} to ${address} again`}>
                Send again
              </button>
            </form>
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

async function mailPage(c: Asked, site: Site) {
  const troubles = await troubledDeliveries(site);
  return page(
    c,
    { title: 'Mail', at: 'you', unlisted: true },
    <>
      <h1>Mail</h1>
      <section class="card" aria-labelledby="subscribers">
        <h2 id="subscribers">Subscribers</h2>
        <ul>
          {(await subscriberCounts(site)).map(({ state, cadence, count }) => (
            <li>
              {count.toLocaleString('en-US')} {state}, {cadence}
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="deliveries">
        <h2 id="deliveries">Deliveries</h2>
        <ul>
          {(await deliveryCounts(site)).map(({ state, count }) => (
            <li>
              {count.toLocaleString('en-US')} {state}
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="doubt">
        <h2 id="doubt">{counted(troubles.length, 'delivery', 'deliveries')} in doubt or failed</h2>
        <p class="muted">
          Of an uncertain one nobody knows whether it left. Look for its Message-ID in the mail server's log before you
          send it again.
        </p>
        {troubles.length > 0 && <Troubles c={c} troubles={troubles} />}
      </section>
    </>,
  );
}

/** /admin/mail, for administrators. */
export function mailAdminRoutes(site: Site): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/admin/mail', requireRole('admin'), (c) => mailPage(c, site))
    .post('/admin/mail/again', requireRole('admin'), async (c) => {
      const form = await c.req.formData();
      const [issue, subscriber] = ['issue', 'subscriber'].map((name) => String(form.get(name) ?? ''));
      if (!(await sendAgain(site, issue, subscriber))) {
        throw new Refused(
          'This delivery is neither uncertain nor failed, perhaps because somebody has sent it again.',
          409,
        );
      }
      await site.jobs.send('deliver', {}, { key: 'again' });
      return c.redirect('/admin/mail', 303);
    });
}
