/** @file What the environment says. Secrets come from here alone. */

import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** The user's data directory, as the system's conventions name it. */
function userData(env: NodeJS.ProcessEnv): string {
  if (env.XDG_DATA_HOME) return env.XDG_DATA_HOME;
  if (process.platform === 'win32') return env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support');
  return join(homedir(), '.local', 'share');
}

const text = z.string().min(1).optional();
const schema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  /** Where readers reach the site, for links in mail and feeds. */
  SALIENCE_URL: z.url({ protocol: /^https?$/ }).optional(),
  SALIENCE_DATA: text,
  DATABASE_URL: z.string().startsWith('postgres').optional(),
  /** Signs sessions and tokens; made and kept in the data folder where absent. */
  SALIENCE_SECRET: z.string().min(32).optional(),
  /** "smtp://user:password@host:port"; where absent, mail is written to the outbox folder. */
  SMTP_URL: z.string().startsWith('smtp').optional(),
  MAIL_FROM: z.string().default('Daily Papers <papers@localhost>'),
  /** E-mail addresses that become administrators when they first sign in, separated by commas. */
  SALIENCE_ADMINS: text,
  /** Number of proxies in front whose X-Forwarded-For is believed. */
  SALIENCE_PROXIES: z.coerce.number().int().min(0).max(8).default(0),
  /** "built-in", "onnx:/folder" or "https://host/v1#model"; the key of the last is SALIENCE_EMBEDDINGS_KEY. */
  SALIENCE_EMBEDDINGS: z.string().default('built-in'),
  SALIENCE_EMBEDDINGS_KEY: text,
  /** Sources read every hour: "arxiv:cs.LG", "daily:https://host", "feed:https://host/feed.xml", separated by commas. */
  SALIENCE_SOURCES: z.string().default(''),
  /** What opens /metrics from elsewhere than this machine. */
  SALIENCE_METRICS_TOKEN: z.string().min(16).optional(),
});

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Without a slash at the end; absent until the port is known. */
  readonly url?: string;
  /** Folder of everything the server keeps. */
  readonly data: string;
  readonly databaseUrl?: string;
  readonly secret?: string;
  readonly smtpUrl?: string;
  readonly mailFrom: string;
  readonly admins: readonly string[];
  readonly proxies: number;
  readonly embeddings: string;
  readonly embeddingsKey?: string;
  readonly sources: readonly string[];
  readonly metricsToken?: string;
}

/** Reads the configuration; throws an Error that names the variable and what would be right. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new Error(`environment variable ${String(path[0])}: ${message}`);
  }
  const e = parsed.data;
  const listed = (value: string | undefined) =>
    (value ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  return {
    port: e.PORT,
    host: e.HOST,
    url: e.SALIENCE_URL?.replace(/\/+$/, ''),
    data: e.SALIENCE_DATA ?? join(userData(env), 'salience'),
    databaseUrl: e.DATABASE_URL,
    secret: e.SALIENCE_SECRET,
    smtpUrl: e.SMTP_URL,
    mailFrom: e.MAIL_FROM,
    admins: listed(e.SALIENCE_ADMINS).map((address) => address.toLowerCase()),
    proxies: e.SALIENCE_PROXIES,
    embeddings: e.SALIENCE_EMBEDDINGS,
    embeddingsKey: e.SALIENCE_EMBEDDINGS_KEY,
    sources: listed(e.SALIENCE_SOURCES),
    metricsToken: e.SALIENCE_METRICS_TOKEN,
  };
}
