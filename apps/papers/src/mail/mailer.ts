/** @file Sending one mail: through SMTP where it is configured, else as an .eml file in the outbox folder. */

import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Site } from '../site.ts';

export interface Mail {
  /** One address, without a name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** As `newMessageId` makes it; the same one again is the same mail. */
  readonly messageId?: string;
}

/**
 * Why a mail was not sent: `unreachable`, there is no server to give it to, or it does not let us in; `temporary`, it will not
 * have this one now; `bounce`, there is no such mailbox; `refused`, the server will not have it from us; `uncertain`, the server
 * was given the mail and did not say whether it took it.
 */
export type MailFailure = 'unreachable' | 'temporary' | 'bounce' | 'refused' | 'uncertain';

export class MailError extends Error {
  override readonly name = 'MailError';
  readonly failure: MailFailure;

  constructor(failure: MailFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** Folder of the .eml files. */
export function outboxFolder(site: Pick<Site, 'config'>): string {
  return join(site.config.data, 'outbox');
}

/**
 * A message id, "20251210T120000Z.daily.4f…@papers.example".
 * @param what names the kind of mail, in letters.
 * @param options.key what makes it one of its kind; default 64 random bits. The same key and moment give the same id.
 * @param options.moment default now.
 */
export function newMessageId(
  site: Pick<Site, 'clock' | 'config'>,
  what: string,
  { key = randomBytes(8).toString('hex'), moment = site.clock() }: { key?: string; moment?: Date } = {},
): string {
  const time = moment.toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}.${what}.${key}@${new URL(site.config.url).hostname.replace(/[^a-z0-9.-]/gi, '')}`;
}

const addressForm = /^[^\s@<>(),;:"\\[\]\p{Cc}]{1,64}@[^\s@<>(),;:"\\[\]\p{Cc}]{1,189}$/u;
const idForm = /^[a-z0-9][a-z0-9._+-]{0,150}@[a-z0-9][a-z0-9.-]{0,90}$/i;
const headerForm = /^[a-z][a-z0-9-]{0,60}$/i;
/** Line ends and other control characters, with which a header could be smuggled in. */
const control = /[\p{Cc}\u2028\u2029]/u;

function refuse(what: string, value: string, right: string): never {
  throw new MailError('refused', `mail: ${what} ${JSON.stringify(value.slice(0, 100))} ${right}`);
}

/** The mail as it goes out, RFC 5322; refuses what would put headers into it. */
async function compose(site: Site, mail: Mail, messageId: string): Promise<Buffer> {
  if (!addressForm.test(mail.to)) refuse('address', mail.to, 'is not one plain address, as in reader@example.org');
  if (control.test(mail.subject)) refuse('subject', mail.subject, 'has a line break or control character');
  for (const [name, value] of Object.entries(mail.headers ?? {})) {
    if (!headerForm.test(name)) refuse('header', name, 'is not a name of letters, digits and hyphens');
    if (control.test(value)) refuse(`header ${name}`, value, 'has a line break or control character');
  }
  const composer = new MailComposer({
    from: site.config.mailFrom,
    to: mail.to,
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: Object.entries(mail.headers ?? {}).map(([key, value]) => ({ key, value })),
    messageId: `<${messageId}>`,
    date: site.clock(),
    xMailer: false,
    newline: '\r\n',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

/**
 * Writes the file whole beside its name and links it there: whoever comes second with the same name changes nothing.
 * A file system without hard links is refused by its own error.
 */
async function intoOutbox(folder: string, name: string, message: Buffer): Promise<void> {
  await mkdir(folder, { recursive: true });
  const partial = join(folder, `.${randomBytes(8).toString('hex')}.partial`);
  try {
    const file = await open(partial, 'wx', 0o600);
    try {
      await file.writeFile(message);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(partial, join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw new MailError('temporary', `outbox ${folder}: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(partial, { force: true });
  }
}

/** Removes what a killed process left half-written in the outbox more than an hour before. */
export async function tidyOutbox(site: Site): Promise<void> {
  const folder = outboxFolder(site);
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.partial')) continue;
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < site.clock().getTime() - 3_600_000) await rm(join(folder, name), { force: true });
  }
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
}

/** What an error of SMTP means; `given` says that the server had begun to take the message. */
function failureOf({ command, response = '', responseCode = 0 }: SmtpError, given: boolean): MailFailure {
  if (given && command !== 'DATA') return 'uncertain';
  const ofTheMail = command === 'MAIL FROM' || command === 'RCPT TO' || command === 'DATA';
  if (!ofTheMail || responseCode === 530) return 'unreachable';
  if (responseCode < 500) return 'temporary';
  // 5.7 is a matter of policy ("relaying denied"): it says nothing about the mailbox.
  return command === 'RCPT TO' && !/^\d{3}[ -]5\.7\./.test(response) ? 'bounce' : 'refused';
}

async function throughSmtp(url: string, from: string, to: string, message: Buffer): Promise<void> {
  const transport = createTransport({
    url,
    connectionTimeout: 20_000,
    greetingTimeout: 20_000,
    socketTimeout: 60_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  let given = false;
  // The message is read only when the server has asked for it, so what breaks before that is known not to be sent.
  transport.use('stream', (mail, done) => {
    mail.message.createReadStream = () =>
      new Readable({
        read() {
          given = true;
          this.push(message);
          this.push(null);
        },
      });
    done();
  });
  try {
    await transport.sendMail({ envelope: { from, to }, raw: message });
  } catch (error) {
    const failure = failureOf(error as SmtpError, given);
    throw new MailError(failure, `SMTP: ${(error as Error).message}`, { cause: error });
  } finally {
    transport.close();
  }
}

/** The address in "Daily Papers <papers@localhost>". */
function bareAddress(from: string): string {
  return /<([^<>]+)>\s*$/.exec(from)?.[1].trim() ?? from.trim();
}

/**
 * Sends one mail. With the outbox, sending the same message id again changes nothing. Through SMTP there is no such promise:
 * who sends again must know that the first time failed.
 * @throws MailError, whose `failure` says whether to try again.
 */
export async function sendMail(site: Site, mail: Mail): Promise<void> {
  const messageId = mail.messageId ?? newMessageId(site, 'mail');
  if (!idForm.test(messageId)) refuse('message id', messageId, 'is not as newMessageId makes it');
  const message = await compose(site, mail, messageId);
  const { smtpUrl, mailFrom } = site.config;
  if (smtpUrl) await throughSmtp(smtpUrl, bareAddress(mailFrom), mail.to, message);
  else await intoOutbox(outboxFolder(site), `${messageId}.eml`, message);
}
