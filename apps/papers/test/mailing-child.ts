/**
 * @file Delivers the mail of a data folder in a process of its own, for tests that kill it.
 * Arguments: data folder, moment (ISO), PostgreSQL url or "". Says "ready" and then a line for each mail that has left.
 */

import { readConfig } from '../src/config.ts';
import { connect } from '../src/database/connect.ts';
import { deliver } from '../src/mail/deliveries.ts';
import { sendMail } from '../src/mail/mailer.ts';
import type { Site } from '../src/site.ts';

const [data, moment, databaseUrl] = process.argv.slice(-3);
const say = (line: string) => process.stdout.write(`${line}\n`);
const database = await connect(databaseUrl ? { url: databaseUrl } : { folder: data });
const site: Site = {
  config: { ...readConfig({}), data, url: 'http://papers.test', secret: 'test-secret-test-secret-test-secret' },
  clock: () => new Date(moment),
  database,
  jobs: {
    async send() {},
    async counts() {
      return [];
    },
    async start() {},
    async stop() {},
  },
  log: { info() {}, error() {} },
};
say('ready');
const counts = await deliver(site, {
  async send(...mail) {
    await sendMail(...mail);
    say('left');
  },
});
say(JSON.stringify(counts));
await database.close();
