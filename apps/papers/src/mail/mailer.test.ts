import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { type TestSmtp, testSmtp } from '../../test/smtp.ts';
import { type Mail, MailError, newMessageId, outboxFolder, sendMail, tidyOutbox } from './mailer.ts';

const mail: Mail = { to: 'ada@example.org', subject: 'Ünïcode', text: 'plain', html: '<p>rich</p>' };

async function failure(sending: Promise<void>): Promise<string> {
  return sending.then(
    () => 'sent',
    (error) => {
      if (!(error instanceof MailError)) throw error;
      return error.failure;
    },
  );
}

describe('the outbox', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
  }, 60_000);
  afterAll(() => site.close());

  it('keeps a mail as one .eml file that a mail program reads', async () => {
    const messageId = newMessageId(site, 'test', { key: 'one' });
    await sendMail(site, { ...mail, messageId, headers: { 'List-Id': '<daily.papers.test>' } });
    expect(await readdir(outboxFolder(site))).toEqual(['20251210T120000Z.test.one@papers.test.eml']);
    const parsed = await simpleParser(await readFile(join(outboxFolder(site), `${messageId}.eml`)));
    expect(parsed.subject).toBe('Ünïcode');
    expect(parsed.messageId).toBe(`<${messageId}>`);
    expect(parsed.date).toEqual(site.now);
    expect(parsed.text?.trim()).toBe('plain');
    expect(parsed.html).toContain('<p>rich</p>');
    expect(parsed.headers.get('list')).toMatchObject({ id: { name: 'daily.papers.test' } });
  });

  it('takes the same message id once, also from two at the same time, and keeps the first', async () => {
    const messageId = newMessageId(site, 'test', { key: 'twice' });
    const before = (await readdir(outboxFolder(site))).length;
    await sendMail(site, { ...mail, messageId });
    await Promise.all([1, 2, 3].map((n) => sendMail(site, { ...mail, messageId, text: `again ${n}` })));
    expect((await readdir(outboxFolder(site))).length).toBe(before + 1);
    expect(await readFile(join(outboxFolder(site), `${messageId}.eml`), 'utf8')).toContain('plain');
  });

  it('loses what a killed process left half-written, after an hour', async () => {
    const partial = join(outboxFolder(site), '.00.partial');
    await writeFile(partial, 'half');
    await utimes(partial, site.now, new Date(site.now.getTime() - 60_000));
    await tidyOutbox(site);
    expect(await readdir(outboxFolder(site))).toContain('.00.partial');
    await utimes(partial, site.now, new Date(site.now.getTime() - 3_700_000));
    await tidyOutbox(site);
    expect(await readdir(outboxFolder(site))).not.toContain('.00.partial');
  });

  it.each([
    ['two addresses', { to: 'a@example.org, b@example.org' }],
    ['a line break in the address', { to: 'a@example.org\r\nBcc: b@example.org' }],
    ['a name with the address', { to: 'Ada <a@example.org>' }],
    ['a line break in the subject', { subject: 'Hello\nBcc: b@example.org' }],
    ['a line break in a header', { headers: { 'List-Id': 'x\r\nBcc: b@example.org' } }],
    ['a colon in a header name', { headers: { 'X: y\r\nBcc': 'b@example.org' } }],
    ['a path in the message id', { messageId: '../../evil@papers.test' }],
    ['a line break in the message id', { messageId: 'a@b>\r\nBcc: c' }],
  ])('refuses %s', async (_what, over) => {
    const before = await readdir(outboxFolder(site));
    expect(await failure(sendMail(site, { ...mail, ...over }))).toBe('refused');
    expect(await readdir(outboxFolder(site))).toEqual(before);
  });
});

describe('mail through SMTP', () => {
  let smtp: TestSmtp;
  let site: TestSite;
  beforeAll(async () => {
    smtp = await testSmtp();
    site = await testSite({ smtpUrl: smtp.url });
  }, 60_000);
  afterAll(async () => {
    await site.close();
    await smtp.close();
  });
  beforeEach(() => {
    smtp.received.length = 0;
    smtp.answer = {};
  });

  it('arrives whole', async () => {
    await sendMail(site, { ...mail, text: '.\r\n..\r\n', messageId: newMessageId(site, 'test', { key: 'smtp' }) });
    expect(smtp.received).toHaveLength(1);
    expect(smtp.received[0].messageId).toBe('<20251210T120000Z.test.smtp@papers.test>');
    expect(smtp.received[0].from?.text).toBe('"Daily Papers" <papers@localhost>');
    expect(smtp.received[0].text?.trim()).toBe('.\n..');
  });

  it.each([
    ['450 at the recipient', { recipient: '450 4.2.1 busy' }, 'temporary'],
    ['550 5.1.1 at the recipient', { recipient: '550 5.1.1 no such user' }, 'bounce'],
    ['550 without more', { recipient: '550 unknown user' }, 'bounce'],
    ['550 5.7.1, relaying denied', { recipient: '550 5.7.1 relaying denied' }, 'refused'],
    ['451 after the message', { message: '451 4.3.0 later' }, 'temporary'],
    ['554 after the message', { message: '554 5.6.0 spam' }, 'refused'],
    ['a connection that breaks at the recipient', { recipient: 'drop' }, 'unreachable'],
    ['a connection that breaks after the message', { message: 'drop' }, 'uncertain'],
  ])('%s: %j is %s', async (_what, answer, expected) => {
    smtp.answer = answer;
    expect(await failure(sendMail(site, mail))).toBe(expected);
  });

  it('finds no server unreachable', async () => {
    const nowhere = { ...site, config: { ...site.config, smtpUrl: 'smtp://127.0.0.1:1' } };
    expect(await failure(sendMail(nowhere, mail))).toBe('unreachable');
  });
});
