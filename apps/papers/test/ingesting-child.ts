/** @file A process of its own that ingests a file into a data folder and says a line after each batch; tests kill it. */

import { readConfig } from '../src/config.ts';
import { connect } from '../src/database/connect.ts';
import { ingestFile } from '../src/ingest/ingest.ts';
import type { Site } from '../src/site.ts';

const [data, file] = process.argv.slice(-2);
const database = await connect({ folder: data });
const nothing = async () => {};
const site: Site = {
  config: { ...readConfig({}), data, url: 'http://papers.test', secret: 'x'.repeat(32) },
  clock: () => new Date('2025-12-10T12:00:00Z'),
  database,
  jobs: { send: nothing, counts: async () => [], start: nothing, stop: nothing },
  log: { info() {}, error() {} },
};
const { added, same, resumed } = await ingestFile(site, file, {}, ({ read }) => process.stdout.write(`${read}\n`));
process.stdout.write(`done ${JSON.stringify({ added, same, resumed })}\n`);
await database.close();
