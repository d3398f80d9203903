/** @file A real SMTP server on this machine for tests, that answers as the test says. */

import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export interface TestSmtp {
  readonly url: string;
  readonly received: ParsedMail[];
  /** Answers to RCPT TO and to the message: an SMTP code with its text, or 'drop' to break the connection. */
  answer: { recipient?: string; message?: string };
  close(): Promise<void>;
}

function coded(answer: string): Error {
  return Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) });
}

/** Starts one. */
export async function testSmtp(): Promise<TestSmtp> {
  const received: ParsedMail[] = [];
  const smtp: TestSmtp = { url: '', received, answer: {}, close: async () => {} };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    onRcptTo(_address, session, callback) {
      const { recipient } = smtp.answer;
      if (recipient === 'drop') drop(session.id);
      else callback(recipient ? coded(recipient) : null);
    },
    onData(stream, session, callback) {
      simpleParser(stream).then((mail) => {
        const { message } = smtp.answer;
        if (message === 'drop') {
          received.push(mail);
          drop(session.id);
        } else if (message) callback(coded(message));
        else {
          received.push(mail);
          callback();
        }
      }, callback);
    },
  });
  server.on('error', () => {});
  const drop = (id: string) => {
    const connections = (server as unknown as { connections: Set<{ id: string; _socket: { destroy(): void } }> })
      .connections;
    for (const connection of connections) if (connection.id === id) connection._socket.destroy();
  };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.server.address() as AddressInfo;
  return Object.assign(smtp, {
    url: `smtp://127.0.0.1:${port}`,
    close: () => new Promise<void>((closed) => server.close(closed)),
  });
}
