import { Readable } from 'node:stream';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { parseDeliveryStatus, recordBounceMail } from './bounces.ts';

/** A notification as Postfix writes it. */
function notification({
  recipient = 'rfc822; ada@example.org',
  original = '',
  action = 'failed',
  status = '5.1.1',
  returned = 'Message-ID: <20251208T180000Z.daily.1@papers.test>',
} = {}): string {
  return `Return-Path: <>
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: papers@papers.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B1/mx.example.org"

This is a MIME-encapsulated message.

--B1/mx.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

The mail system
Final-Recipient: rfc822; eve@example.org
Action: failed
Status: 5.1.1

--B1/mx.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Mon, 8 Dec 2025 18:00:01 +0000

Final-Recipient: ${recipient}
${original && `Original-Recipient: ${original}\n`}Action: ${action}
Status: ${status}
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>:
    user unknown

--B1/mx.example.org
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Subject: Papers
${returned}

--B1/mx.example.org--
`;
}

describe('a delivery status notification', () => {
  it('tells whom it is about, and which mail came back', () => {
    expect(parseDeliveryStatus(notification())).toEqual({
      statuses: [{ address: 'ada@example.org', kind: 'hard', status: '5.1.1' }],
      messageId: '20251208T180000Z.daily.1@papers.test',
    });
  });

  it('is read with line ends of either kind', () => {
    expect(parseDeliveryStatus(notification().replaceAll('\n', '\r\n'))).toEqual(parseDeliveryStatus(notification()));
  });

  it.each([
    ['4.2.2', 'soft'],
    ['5.2.2', 'soft'],
    ['5.7.1', 'soft'],
    ['5.1.1', 'hard'],
    ['5.4.4', 'hard'],
  ])('of status %s is a %s bounce', (status, kind) => {
    expect(parseDeliveryStatus(notification({ status })).statuses[0].kind).toBe(kind);
  });

  it('of a delay, of a success or without an address changes nothing', () => {
    for (const over of [
      { action: 'delayed', status: '4.4.1' },
      { action: 'delivered', status: '2.0.0' },
      { recipient: 'x400; c=us' },
    ]) {
      expect(parseDeliveryStatus(notification(over)).statuses).toEqual([]);
    }
  });

  it('is about the address it was sent to, not where that forwards to', () => {
    const forwarded = notification({ recipient: 'rfc822; ada@elsewhere.example', original: 'rfc822;Ada@example.org' });
    expect(parseDeliveryStatus(forwarded).statuses[0].address).toBe('ada@example.org');
  });

  it('is refused where it is none', () => {
    for (const mail of [
      '',
      'Subject: Hello\n\nAction: failed',
      notification().replace('multipart/report', 'multipart/mixed'),
    ]) {
      expect(() => parseDeliveryStatus(mail)).toThrow('no part of the type message/delivery-status');
    }
  });
});

describe('papers bounce', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
    await site.database.rows(sql`
      WITH s AS (INSERT INTO subscribers (email, address, state, cadence, made)
        SELECT a, a, 'active', 'daily', now() FROM unnest(ARRAY['ada@example.org', 'bob@example.org']) a RETURNING id, address),
      i AS (INSERT INTO issues (cadence, day, papers, made) VALUES ('daily', '2025-12-08', '{}', now()) RETURNING id)
      INSERT INTO deliveries (issue, subscriber, state, due, message_id)
      SELECT i.id, s.id, 'sent', now(), '20251208T180000Z.daily.bob@papers.test' FROM i, s WHERE s.address LIKE 'bob%'`);
  }, 60_000);
  afterAll(() => site.close());
  const states = async () =>
    (await site.database.rows<{ state: string }>(sql`SELECT state FROM subscribers ORDER BY address`)).map(
      ({ state }) => state,
    );

  it('ends the subscription of the address that failed', async () => {
    const said = await recordBounceMail(site, Readable.from([Buffer.from(notification())]));
    expect(said).toBe('ada@example.org: 5.1.1, hard; now bounced');
    expect(await states()).toEqual(['bounced', 'active']);
  });

  it('knows the subscriber by the mail that came back, even if it had been forwarded', async () => {
    const returned = 'Message-ID: <20251208T180000Z.daily.bob@papers.test>';
    const mail = notification({ recipient: 'rfc822; robert@elsewhere.example', returned });
    expect(await recordBounceMail(site, Readable.from([mail]))).toBe('bob@example.org: 5.1.1, hard; now bounced');
    expect(await states()).toEqual(['bounced', 'bounced']);
  });

  it('says where there is no such subscriber, and takes no more than 4 MiB', async () => {
    const mail = notification({ recipient: 'rfc822; nobody@example.org' });
    expect(await recordBounceMail(site, Readable.from([mail]))).toContain('no subscriber');
    const long = Readable.from(Array.from({ length: 5 }, () => Buffer.alloc(1024 * 1024)));
    await expect(recordBounceMail(site, long)).rejects.toThrow('4 MiB');
  });
});
