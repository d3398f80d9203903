/**
 * @file The JSON of the original service, field for field as its clients read it (huggingface_hub's `PaperInfo`, the Swift
 * client's `DailyPaper`, RSSHub's daily papers). What is ours stands under `salience`.
 */

import { z } from '@hono/zod-openapi';

const moment = z.iso.datetime();

const userSchema = z
  .object({
    _id: z.string(),
    user: z.string().meta({ description: 'Name by which `submitter` finds what this one brought' }),
    name: z.string(),
    fullname: z.string(),
    avatarUrl: z.string(),
    type: z.enum(['user', 'org']).meta({ description: '"org" where a source brought it and no person' }),
    isPro: z.boolean(),
    isHf: z.boolean(),
    isMod: z.boolean(),
  })
  .openapi('Submitter');

const authorSchema = z
  .object({
    _id: z.string().meta({ description: "Key of the author's page and of /api/authors/{key}" }),
    name: z.string(),
    hidden: z.boolean(),
  })
  .openapi('Author');

const ownSchema = z
  .object({
    url: z.url().meta({ description: "The paper's page" }),
    authorCount: z.int().min(1).meta({ description: 'Also where the names are not known' }),
    abstractKind: z
      .enum(['abstract', 'summary'])
      .meta({ description: 'Whose words `summary` is: the authors’, or ours' }),
    arxivId: z.string().optional(),
    doi: z.string().optional(),
    version: z.int().min(1).meta({ description: 'Latest version on arXiv' }),
    withdrawn: z.boolean(),
    categories: z.array(z.string()),
    links: z.array(z.string()),
    topics: z.array(z.object({ id: z.string(), name: z.string() })).optional(),
    method: z.string().optional().meta({ description: 'Id in /api/methods, where the paper is implemented here' }),
    digest: z
      .array(z.object({ text: z.string(), score: z.number() }))
      .optional()
      .meta({ description: 'Three sentences of the abstract by LexRank' }),
    keyphrases: z
      .array(z.object({ phrase: z.string(), score: z.number() }))
      .optional()
      .meta({ description: 'By SemRe-Rank' }),
    snippet: z.string().optional().meta({ description: 'Where a search found it; found words between ** and **' }),
    score: z.number().optional().meta({ description: 'Of the trending list or of the search' }),
  })
  .openapi('Own');

export const paperSchema = z
  .object({
    id: z.string().meta({ description: 'arXiv id without version, or this site’s own id' }),
    authors: z.array(authorSchema),
    publishedAt: moment.meta({ description: 'When it was published' }),
    submittedOnDailyAt: moment.meta({ description: 'Midnight (UTC) of the day under which it is listed' }),
    title: z.string(),
    submittedOnDailyBy: userSchema.optional().meta({ description: 'Left out where nobody submitted it' }),
    summary: z.string(),
    upvotes: z.int().min(0),
    discussionId: z.string(),
    projectPage: z.string().optional(),
    githubRepo: z.string().optional(),
    githubStars: z.int().optional().meta({ description: 'Only where a source told us' }),
    ai_summary: z.string().optional().meta({ description: 'The digest: sentences of the abstract, nothing generated' }),
    ai_keywords: z.array(z.string()).optional().meta({ description: 'The keyphrases' }),
    withdrawnAt: moment.optional(),
    salience: ownSchema,
  })
  .openapi('Paper');

export const dailyPaperSchema = z
  .object({
    paper: paperSchema,
    publishedAt: moment,
    title: z.string(),
    summary: z.string(),
    thumbnail: z.string().meta({ description: 'The site’s sign: papers have no pictures here' }),
    numComments: z.int().min(0),
    submittedBy: userSchema.meta({ description: 'This site where nobody submitted it' }),
    isAuthorParticipating: z.boolean().meta({ description: 'Always false: authors are not verified here' }),
  })
  .openapi('DailyPaper');

export const fullPaperSchema = paperSchema
  .extend({
    numComments: z.int().min(0),
    linkedModels: z.array(z.unknown()).meta({ description: 'Always empty: nothing is hosted here' }),
    numTotalModels: z.int(),
    linkedDatasets: z.array(z.unknown()),
    numTotalDatasets: z.int(),
    linkedSpaces: z.array(z.unknown()),
  })
  .openapi('FullPaper');

export type User = z.infer<typeof userSchema>;
export type Paper = z.infer<typeof paperSchema>;
export type DailyPaper = z.infer<typeof dailyPaperSchema>;
export type FullPaper = z.infer<typeof fullPaperSchema>;
