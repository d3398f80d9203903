/** @file The tables. Migrations are made from them by `npm run migration`. */

import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  date,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  real,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const day = (name: string) => date(name, { mode: 'string' });

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

/** Grows with every change of what readers see; caches and the search index compare it. */
export const revision = pgSequence('revision');

// Papers

export const papers = pgTable(
  'papers',
  {
    /** arXiv id without version ("2410.11772"), "doi-…" or the slug of the title with a short hash. */
    id: text('id').primaryKey(),
    title: text('title').notNull(),
    /** Slug of the normalised title with a short hash: by it records from several sources are one. */
    titleKey: text('title_key').notNull(),
    abstract: text('abstract').notNull(),
    /** Whose words the abstract is: the authors', or our own summary. */
    abstractKind: text('abstract_kind', { enum: ['abstract', 'summary'] })
      .notNull()
      .default('abstract'),
    arxiv: text('arxiv'),
    doi: text('doi'),
    /** Latest version on arXiv, 1 where there is none. */
    version: integer('version').notNull().default(1),
    /** Version, day and source of the text that is shown, and version of the names. */
    textVersion: integer('text_version').notNull().default(1),
    textAt: day('text_at').notNull().default('0001-01-01'),
    textSource: text('text_source').notNull().default(''),
    authorsVersion: integer('authors_version').notNull().default(0),
    authorCount: integer('author_count').notNull(),
    /** The day under which it is listed. */
    posted: day('posted').notNull(),
    /** Whether the source left out the year, or gave nothing but the year. */
    yearInferred: boolean('year_inferred').notNull().default(false),
    firstSeen: moment('first_seen').notNull(),
    updated: moment('updated').notNull(),
    withdrawn: boolean('withdrawn').notNull().default(false),
    categories: text('categories').array().notNull().default(sql`'{}'`),
    links: text('links').array().notNull().default(sql`'{}'`),
    codeUrl: text('code_url'),
    /** Whether a source named the code itself; else it is the first repository that the text links to. */
    codeGiven: boolean('code_given').notNull().default(false),
    /** id in the catalogue of salience, where we know the system. */
    system: text('system'),
    implemented: boolean('implemented').notNull().default(false),
    source: text('source').notNull(),
    submittedBy: text('submitted_by'),
    importedComments: integer('imported_comments').notNull().default(0),
    /** Local comments that were not deleted. */
    localComments: integer('local_comments').notNull().default(0),
    importedVotes: integer('imported_votes').notNull().default(0),
    localVotes: integer('local_votes').notNull().default(0),
    /** Readers a day, bots excluded. */
    views: integer('views').notNull().default(0),
    /** Comments, imported and local. */
    discussion: integer('discussion').generatedAlwaysAs(sql`imported_comments + local_comments`),
    /** Comments, votes and the logarithm of readers: what trending decays with age. */
    activity: doublePrecision('activity').generatedAlwaysAs(
      sql`(imported_comments + local_comments + imported_votes + local_votes)::float8 + ln(1 + views::float8)`,
    ),
    /** log2(1 + activity), rounded down: trending need not look at old papers of a low level. */
    level: integer('level').generatedAlwaysAs(
      sql`floor(ln(1 + (imported_comments + local_comments + imported_votes + local_votes)::float8 + ln(1 + views::float8)) / ln(2::float8))::int`,
    ),
    /** Three sentences by LexRank. */
    digest: jsonb('digest').$type<{ text: string; score: number }[]>(),
    /** Keyphrases by SemRe-Rank. */
    keyphrases: jsonb('keyphrases').$type<{ phrase: string; score: number }[]>(),
    /** Of the text that digest and keyphrases were made from; none while they wait to be made. */
    digestedHash: text('digested_hash'),
    revision: bigint('revision', { mode: 'number' }).notNull().default(sql`nextval('revision')`),
    words: tsvector('words').generatedAlwaysAs(
      sql`setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', abstract), 'B')`,
    ),
  },
  (t) => [
    // Not unique: two papers with different arXiv ids may have one title.
    index('papers_title_key').on(t.titleKey),
    uniqueIndex('papers_arxiv').on(t.arxiv),
    uniqueIndex('papers_doi').on(t.doi),
    index('papers_posted').on(t.posted.desc().nullsFirst(), t.discussion.desc().nullsFirst(), t.id),
    index('papers_discussion').on(t.discussion.desc().nullsFirst(), t.posted.desc().nullsFirst(), t.id),
    index('papers_level').on(t.level, t.posted.desc().nullsFirst(), t.id),
    index('papers_system').on(t.system),
    index('papers_undigested').on(t.updated).where(sql`digested_hash IS NULL`),
    index('papers_first_seen').on(t.firstSeen.desc().nullsFirst()),
    index('papers_revision').on(t.revision),
    index('papers_words').using('gin', t.words),
    check('papers_authors', sql`${t.authorCount} >= 1`),
  ],
);

export const versions = pgTable(
  'versions',
  {
    paper: text('paper')
      .notNull()
      .references(() => papers.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    version: integer('version').notNull(),
    at: day('at').notNull(),
    title: text('title').notNull(),
    /** By it records under an earlier title find the paper. */
    titleKey: text('title_key').notNull(),
    abstract: text('abstract').notNull(),
    note: text('note'),
  },
  (t) => [primaryKey({ columns: [t.paper, t.version] }), index('versions_title_key').on(t.titleKey)],
);

export const authors = pgTable(
  'authors',
  {
    paper: text('paper')
      .notNull()
      .references(() => papers.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    place: integer('place').notNull(),
    name: text('name').notNull(),
    /** Slug of the name, by which an author's page is found. */
    key: text('key').notNull(),
  },
  (t) => [primaryKey({ columns: [t.paper, t.place] }), index('authors_key').on(t.key)],
);

export const topics = pgTable('topics', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  says: text('says').notNull(),
  /** Words and phrases of title and abstract that place a paper here. */
  phrases: text('phrases').array().notNull(),
  categories: text('categories').array().notNull().default(sql`'{}'`),
});

export const paperTopics = pgTable(
  'paper_topics',
  {
    paper: text('paper')
      .notNull()
      .references(() => papers.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    topic: text('topic')
      .notNull()
      .references(() => topics.id, { onDelete: 'cascade' }),
    weight: real('weight').notNull(),
    /** The paper's, so that a topic's newest are found by an index. */
    posted: day('posted').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.paper, t.topic] }),
    index('paper_topics_topic').on(t.topic, t.posted.desc().nullsFirst(), t.paper),
  ],
);

/** The day's list as a curator orders it. */
export const picks = pgTable(
  'picks',
  {
    day: day('day').notNull(),
    place: integer('place').notNull(),
    paper: text('paper')
      .notNull()
      .references(() => papers.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    curator: text('curator').notNull(),
    curatorName: text('curator_name').notNull(),
    at: moment('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.paper] })],
);

/** One reader of a paper on a day, by a hash that nobody can turn back. */
export const views = pgTable(
  'views',
  {
    paper: text('paper')
      .notNull()
      .references(() => papers.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    day: day('day').notNull(),
    visitor: text('visitor').notNull(),
    /** Whether the paper's number has it already. */
    counted: boolean('counted').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.paper, t.day, t.visitor] })],
);

/** Where each ingest stands, so that it can go on. */
export const ingests = pgTable('ingests', {
  id: uuid('id').primaryKey().defaultRandom(),
  source: text('source').notNull(),
  state: text('state', { enum: ['running', 'done', 'failed'] }).notNull(),
  cursor: jsonb('cursor').$type<Record<string, unknown>>(),
  added: integer('added').notNull().default(0),
  changed: integer('changed').notNull().default(0),
  same: integer('same').notNull().default(0),
  refused: integer('refused').notNull().default(0),
  error: text('error'),
  started: moment('started').notNull(),
  finished: moment('finished'),
});

// Search

export const embeddingModels = pgTable('embedding_models', {
  id: uuid('id').primaryKey().defaultRandom(),
  /** As in the configuration: "built-in", "onnx:…", "https://…". */
  kind: text('kind').notNull(),
  width: integer('width').notNull(),
  state: text('state', { enum: ['building', 'live', 'retired'] }).notNull(),
  /** Of the built-in model: its vocabulary and projection. */
  parameters: bytea('parameters'),
  made: moment('made').notNull(),
});

export const embeddings = pgTable(
  'embeddings',
  {
    model: uuid('model')
      .notNull()
      .references(() => embeddingModels.id, { onDelete: 'cascade' }),
    paper: text('paper')
      .notNull()
      .references(() => papers.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    /** float32, little endian, of length 1. */
    vector: bytea('vector').notNull(),
    textHash: text('text_hash').notNull(),
    /** By it the instances learn of new vectors. */
    revision: bigint('revision', { mode: 'number' }).notNull().default(sql`nextval('revision')`),
  },
  (t) => [primaryKey({ columns: [t.model, t.paper] }), index('embeddings_revision').on(t.model, t.revision)],
);

// People; user, session, account and verification are better-auth's

export const user = pgTable('user', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  email: text('email').notNull().unique(),
  emailVerified: boolean('email_verified').notNull().default(false),
  image: text('image'),
  role: text('role', { enum: ['reader', 'curator', 'admin'] })
    .notNull()
    .default('reader'),
  banned: boolean('banned').notNull().default(false),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
});

export const session = pgTable('session', {
  id: text('id').primaryKey(),
  expiresAt: moment('expires_at').notNull(),
  token: text('token').notNull().unique(),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  ipAddress: text('ip_address'),
  userAgent: text('user_agent'),
  userId: text('user_id')
    .notNull()
    .references(() => user.id, { onDelete: 'cascade' }),
});

export const account = pgTable('account', {
  id: text('id').primaryKey(),
  accountId: text('account_id').notNull(),
  providerId: text('provider_id').notNull(),
  userId: text('user_id')
    .notNull()
    .references(() => user.id, { onDelete: 'cascade' }),
  accessToken: text('access_token'),
  refreshToken: text('refresh_token'),
  idToken: text('id_token'),
  accessTokenExpiresAt: moment('access_token_expires_at'),
  refreshTokenExpiresAt: moment('refresh_token_expires_at'),
  scope: text('scope'),
  password: text('password'),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
});

export const verification = pgTable('verification', {
  id: text('id').primaryKey(),
  identifier: text('identifier').notNull(),
  value: text('value').notNull(),
  expiresAt: moment('expires_at').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
});

export const votes = pgTable(
  'votes',
  {
    paper: text('paper')
      .notNull()
      .references(() => papers.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    person: text('person')
      .notNull()
      .references(() => user.id, { onDelete: 'cascade' }),
    at: moment('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.paper, t.person] })],
);

export const comments = pgTable(
  'comments',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    paper: text('paper')
      .notNull()
      .references(() => papers.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    parent: uuid('parent'),
    person: text('person').references(() => user.id, { onDelete: 'set null' }),
    name: text('name').notNull(),
    /** Markdown as written; escaped and sanitised when shown. */
    body: text('body').notNull(),
    at: moment('at').notNull(),
    /** A tombstone: the place stays, the words are gone. */
    deleted: moment('deleted'),
  },
  (t) => [
    index('comments_paper').on(t.paper, t.at),
    foreignKey({ columns: [t.parent], foreignColumns: [t.id] }).onDelete('cascade'),
  ],
);

/** What readers point out to the administrators. */
export const abuse = pgTable('abuse', {
  id: uuid('id').primaryKey().defaultRandom(),
  comment: uuid('comment')
    .notNull()
    .references(() => comments.id, { onDelete: 'cascade' }),
  person: text('person').references(() => user.id, { onDelete: 'set null' }),
  reason: text('reason').notNull(),
  at: moment('at').notNull(),
  resolved: moment('resolved'),
});

export const follows = pgTable(
  'follows',
  {
    person: text('person')
      .notNull()
      .references(() => user.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: ['topic', 'author', 'search'] }).notNull(),
    /** Topic id, author key, or the query string of a search. */
    value: text('value').notNull(),
    at: moment('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.person, t.kind, t.value] })],
);

export const apiKeys = pgTable('api_keys', {
  id: uuid('id').primaryKey().defaultRandom(),
  person: text('person')
    .notNull()
    .references(() => user.id, { onDelete: 'cascade' }),
  name: text('name').notNull(),
  /** SHA-256 of the key; the key itself is shown once. */
  hash: text('hash').notNull().unique(),
  made: moment('made').notNull(),
  used: moment('used'),
  revoked: moment('revoked'),
});

/** How often somebody did what is limited, counted by rate-limiter-flexible for all instances. */
export const rateLimits = pgTable('rate_limits', {
  /** Name of the limit and a hash of who. */
  key: text('key').primaryKey(),
  points: integer('points').notNull().default(0),
  /** Milliseconds since 1970. */
  expire: bigint('expire', { mode: 'number' }),
});

// Mail

export const subscribers = pgTable('subscribers', {
  id: uuid('id').primaryKey().defaultRandom(),
  /** As typed. */
  email: text('email').notNull(),
  /** Lower case, by which it is one. */
  address: text('address').notNull().unique(),
  state: text('state', { enum: ['pending', 'active', 'inactive', 'bounced'] }).notNull(),
  cadence: text('cadence', { enum: ['daily', 'weekly'] }).notNull(),
  /** Topic ids; all where empty. */
  topics: text('topics').array().notNull().default(sql`'{}'`),
  confirmHash: text('confirm_hash'),
  confirmUntil: moment('confirm_until'),
  /** What is asked for and waits for the confirmation. */
  wanted: jsonb('wanted').$type<{ cadence: 'daily' | 'weekly'; topics: string[] }>(),
  bounces: integer('bounces').notNull().default(0),
  made: moment('made').notNull(),
  confirmed: moment('confirmed'),
});

/** A frozen list that is mailed: of a day, or of the week that ends with it. */
export const issues = pgTable(
  'issues',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    cadence: text('cadence', { enum: ['daily', 'weekly'] }).notNull(),
    day: day('day').notNull(),
    papers: text('papers').array().notNull(),
    made: moment('made').notNull(),
  },
  (t) => [unique('issues_once').on(t.cadence, t.day)],
);

export const deliveries = pgTable(
  'deliveries',
  {
    issue: uuid('issue')
      .notNull()
      .references(() => issues.id, { onDelete: 'cascade' }),
    subscriber: uuid('subscriber')
      .notNull()
      .references(() => subscribers.id, { onDelete: 'cascade' }),
    state: text('state', { enum: ['queued', 'sending', 'sent', 'failed', 'uncertain', 'nothing'] }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** When it may be tried again. */
    due: moment('due').notNull(),
    /** Until when the instance that took it has it to itself. */
    heldUntil: moment('held_until'),
    messageId: text('message_id').notNull(),
    sent: moment('sent'),
    error: text('error'),
  },
  (t) => [primaryKey({ columns: [t.issue, t.subscriber] }), index('deliveries_due').on(t.state, t.due)],
);

// Runs

export const runs = pgTable(
  'runs',
  {
    /** Unguessable, since it is the permalink. */
    id: text('id').primaryKey(),
    method: text('method').notNull(),
    params: jsonb('params').$type<Record<string, unknown>>().notNull(),
    options: jsonb('options').$type<Record<string, unknown>>().notNull(),
    budget: text('budget'),
    seed: integer('seed').notNull().default(0),
    /** "sample", or the name and hash of the uploaded file, which lies in the data folder. */
    input: jsonb('input')
      .$type<{ kind: 'sample' } | { kind: 'file'; name: string; sha256: string; bytes: number }>()
      .notNull(),
    state: text('state', { enum: ['queued', 'running', 'done', 'failed', 'cancelled'] }).notNull(),
    progress: jsonb('progress').$type<{ what: string; done: number; total?: number }>(),
    report: jsonb('report').$type<unknown>(),
    error: text('error'),
    /** Who is served fairly: a user's id, or a hash of an address. */
    by: text('by').notNull(),
    attempts: integer('attempts').notNull().default(0),
    heldUntil: moment('held_until'),
    made: moment('made').notNull(),
    started: moment('started'),
    finished: moment('finished'),
  },
  (t) => [index('runs_queue').on(t.state, t.made), index('runs_by').on(t.by, t.made)],
);
