/** @file Mail that came back: delivery status notifications (RFC 3464) are read, and their addresses noted. */

import { sql } from 'drizzle-orm';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import { recordBounce } from './subscribers.ts';

/** Longest notification that is read, in bytes: 4 MiB. */
const longest = 4 * 1024 * 1024;

export interface DeliveryStatus {
  readonly address: string;
  readonly kind: 'hard' | 'soft';
  /** As "5.1.1". */
  readonly status: string;
}

interface Part {
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

function fieldsOf(block: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of block.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim().toLowerCase();
    if (at > 0 && !fields.has(name)) fields.set(name, line.slice(at + 1).trim());
  }
  return fields;
}

function partOf(text: string): Part {
  const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n');
  if (end < 0) return { headers: fieldsOf(text), body: '' };
  return { headers: fieldsOf(text.slice(0, end)), body: text.slice(end).replace(/^\n+/, '') };
}

function typeOf({ headers }: Part): string {
  return (headers.get('content-type') ?? 'text/plain').split(';', 1)[0].trim().toLowerCase();
}

/** The parts of a multipart body. */
function partsOf(part: Part): Part[] {
  const [, quoted, bare] = /boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(part.headers.get('content-type') ?? '') ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) return [];
  const parts: Part[] = [];
  let current: string[] | undefined;
  for (const line of part.body.split('\n')) {
    const delimiter = line.trimEnd();
    if (delimiter === `--${boundary}` || delimiter === `--${boundary}--`) {
      if (current) parts.push(partOf(current.join('\n')));
      current = delimiter === `--${boundary}` ? [] : undefined;
    } else current?.push(line);
  }
  if (current) parts.push(partOf(current.join('\n')));
  return parts;
}

function decoded({ headers, body }: Part): string {
  if (headers.get('content-transfer-encoding')?.toLowerCase() !== 'base64') return body;
  return Buffer.from(body, 'base64').toString('utf8').replace(/\r\n/g, '\n');
}

/** The address in "rfc822; reader@example.org". */
function addressIn(field: string | undefined): string | undefined {
  return /^[^;]*;\s*<?([^\s<>]+@[^\s<>]+?)>?\s*$/.exec(field ?? '')?.[1].toLowerCase();
}

/**
 * Reads a delivery status notification.
 * @returns whom it is about, and the message id of the mail that came back where it is told.
 * @throws Refused where the mail is none.
 */
export function parseDeliveryStatus(mail: string): { statuses: DeliveryStatus[]; messageId?: string } {
  const whole = partOf(mail.replace(/\r\n?/g, '\n'));
  const parts = typeOf(whole) === 'multipart/report' ? partsOf(whole) : [];
  const report = parts.find((part) => typeOf(part) === 'message/delivery-status');
  if (!report)
    throw new Refused('This mail is no delivery failure: it has no part of the type message/delivery-status.');
  const statuses = decoded(report)
    .split(/\n[ \t]*\n/)
    .map(fieldsOf)
    .flatMap((fields): DeliveryStatus[] => {
      const action = fields.get('action')?.toLowerCase();
      const status = /^[245]\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0];
      const address = addressIn(fields.get('original-recipient')) ?? addressIn(fields.get('final-recipient'));
      if (!address || !status || action !== 'failed') return [];
      // A full mailbox (5.2.2) and a matter of policy (5.7) pass; the mailbox is there.
      const passes = !status.startsWith('5.') || /^5\.(2\.2|7\.\d+)$/.test(status);
      return [{ address, kind: passes ? 'soft' : 'hard', status }];
    });
  const returned = parts.find((part) => /^(message\/rfc822|text\/rfc822-headers)$/.test(typeOf(part)));
  const messageId = returned && /<([^<>\s]+)>/.exec(partOf(decoded(returned)).headers.get('message-id') ?? '')?.[1];
  return { statuses, messageId };
}

/**
 * Takes note of a mail that came back. Where it returns a delivery of ours, its subscriber is meant, even if the mail had been
 * forwarded; else the address that failed. A "delayed" notice changes nothing: the server still tries.
 * @param source the notification, as the mail server hands it over.
 * @returns a line for each address.
 * @throws Refused where it is longer than 4 MiB or no delivery failure.
 */
export async function recordBounceMail(site: Site, source: AsyncIterable<string | Uint8Array>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    const buffer = Buffer.from(chunk as Uint8Array);
    bytes += buffer.length;
    if (bytes > longest)
      throw new Refused('This mail is longer than 4 MiB, the most that is read of a delivery failure.', 413);
    chunks.push(buffer);
  }
  const { statuses, messageId } = parseDeliveryStatus(Buffer.concat(chunks).toString('utf8'));
  if (statuses.length === 0) return 'nothing failed for good';
  const [ours] = messageId
    ? await site.database.rows<{ address: string }>(sql`
        SELECT s.address FROM deliveries d JOIN subscribers s ON s.id = d.subscriber WHERE d.message_id = ${messageId}`)
    : [];
  const lines: string[] = [];
  for (const { address, kind, status } of statuses) {
    const meant = ours && statuses.length === 1 ? ours.address : address;
    const state = await recordBounce(site, meant, kind);
    lines.push(`${meant}: ${status}, ${kind}; ${state === undefined ? 'no subscriber' : `now ${state}`}`);
  }
  return lines.join('\n');
}
