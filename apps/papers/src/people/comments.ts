/** @file Comments on a paper: a tree, kept whole by tombstones. */

import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { inOneQueryOf } from '../database/in-one-query.ts';
import { abuse, comments, papers } from '../database/schema.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import { commentHtml } from './comment-markdown.ts';
import type { Member } from './member.ts';

export interface CommentNode {
  readonly id: string;
  /** The author's id; absent once the account is gone. */
  readonly person?: string;
  readonly name: string;
  /** Sanitised HTML; absent where it was deleted. */
  readonly html?: string;
  readonly at: Date;
  readonly replies: readonly CommentNode[];
}

/** Characters of a comment. */
export const longestComment = 5000;

/** Levels of the tree; a reply to a comment of the last one stands beside it. */
export const deepestThread = 6;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws Refused where this is no comment's id. */
function commentId(id: string): string {
  if (!uuid.test(id)) throw new Refused('There is no such comment.', 404);
  return id;
}

type Row = typeof comments.$inferSelect;

/** Rows by what they have in common, each list in the order of the rows. */
function groupedBy<Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}

const rowsOf = inOneQueryOf(async ({ db }, papersAsked) => {
  const rows = await db
    .select()
    .from(comments)
    .where(inArray(comments.paper, [...papersAsked]))
    .orderBy(asc(comments.at), asc(comments.id));
  return groupedBy(rows, ({ paper }) => paper);
});

/** A paper's comments, oldest first on every level; deleted ones stay as tombstones where something hangs on them. */
export async function commentsOf({ database }: Site, paper: string): Promise<CommentNode[]> {
  const under = groupedBy((await rowsOf(database, paper)) ?? [], ({ parent }) => parent);
  const branch = (parent: string | null): CommentNode[] =>
    (under.get(parent) ?? []).flatMap((row) => {
      const replies = branch(row.id);
      if (row.deleted && replies.length === 0) return [];
      return [
        {
          id: row.id,
          ...(row.person && !row.deleted && { person: row.person }),
          name: row.deleted ? '' : row.name,
          ...(!row.deleted && { html: commentHtml(row.body) }),
          at: row.at,
          replies,
        },
      ];
    });
  return branch(null);
}

/** How many comments of a tree were not deleted. */
export function commentCount(nodes: readonly CommentNode[]): number {
  return nodes.reduce((sum, { html, replies }) => sum + (html === undefined ? 0 : 1) + commentCount(replies), 0);
}

/** The levels of the tree down to a comment, itself first. */
const lineage = (id: string) => sql`
  WITH RECURSIVE line AS (
    SELECT id, parent, paper, deleted, 1 AS step FROM comments WHERE id = ${id}
    UNION ALL SELECT c.id, c.parent, c.paper, c.deleted, line.step + 1 FROM comments c JOIN line ON c.id = line.parent
  ) SELECT id, parent, paper, deleted FROM line ORDER BY step`;

/**
 * Adds a comment, and counts it with the paper.
 * @param body Markdown, of 1 to 5,000 characters.
 * @param parent the comment that it answers.
 * @returns the comment's id.
 * @throws Refused where the paper or the comment answered is not there, or the length is wrong.
 */
export async function addComment(
  site: Site,
  person: Member,
  paper: string,
  body: string,
  parent?: string,
): Promise<string> {
  const words = body.replaceAll('\r\n', '\n').replaceAll('\0', '').trim();
  if (words.length < 1) throw new Refused('The comment is empty; write something.');
  if (words.length > longestComment) {
    throw new Refused(`The comment has ${words.length} characters; at most ${longestComment} are kept.`);
  }
  return site.database.db.transaction(async (tx) => {
    let under: string | null = null;
    if (parent) {
      const line = await site.database.rows<{ id: string; parent: string | null; paper: string; deleted: unknown }>(
        lineage(commentId(parent)),
        tx,
      );
      if (line.length === 0 || line[0].paper !== paper) throw new Refused('The comment you answer is not there.', 404);
      if (line[0].deleted) throw new Refused('The comment you answer was deleted.', 409);
      under = line.length >= deepestThread ? line[0].parent : line[0].id;
    }
    const counted = await tx
      .update(papers)
      .set({ localComments: sql`${papers.localComments} + 1`, revision: sql`nextval('revision')` })
      .where(eq(papers.id, paper))
      .returning({ id: papers.id });
    if (counted.length === 0) throw new Refused('There is no such paper.', 404);
    const [{ id }] = await tx
      .insert(comments)
      .values({ paper, parent: under, person: person.id, name: person.name, body: words, at: site.clock() })
      .returning({ id: comments.id });
    return id;
  });
}

/**
 * Leaves a tombstone in a comment's place; its author and administrators may.
 * @returns the paper's id.
 * @throws Refused where there is none or it is another's. One that is deleted already stays so.
 */
export async function deleteComment(site: Site, person: Member, id: string): Promise<string> {
  return site.database.db.transaction(async (tx) => {
    const [found] = await tx
      .select({ paper: comments.paper, person: comments.person })
      .from(comments)
      .where(eq(comments.id, commentId(id)));
    if (!found) throw new Refused('There is no such comment.', 404);
    if (found.person !== person.id && person.role !== 'admin') {
      throw new Refused('Only its author and administrators may delete a comment.', 403);
    }
    const gone = await tx
      .update(comments)
      .set({ deleted: site.clock(), body: '' })
      .where(and(eq(comments.id, id), isNull(comments.deleted)))
      .returning({ id: comments.id });
    if (gone.length > 0) {
      await tx
        .update(papers)
        .set({ localComments: sql`greatest(${papers.localComments} - 1, 0)`, revision: sql`nextval('revision')` })
        .where(eq(papers.id, found.paper));
    }
    return found.paper;
  });
}

/**
 * Points a comment out to the administrators; a reader's second report of it changes nothing.
 * @param reason 1 to 500 characters.
 * @returns the paper's id.
 * @throws Refused where there is none, or no reason.
 */
export async function reportComment(site: Site, person: Member, id: string, reason: string): Promise<string> {
  const why = reason.replaceAll('\0', '').trim();
  if (why.length < 1 || why.length > 500) throw new Refused('Say why in 1 to 500 characters.');
  return site.database.db.transaction(async (tx) => {
    const [found] = await tx
      .select({ paper: comments.paper })
      .from(comments)
      .where(and(eq(comments.id, commentId(id)), isNull(comments.deleted)));
    if (!found) throw new Refused('There is no such comment.', 404);
    const open = await tx
      .select({ id: abuse.id })
      .from(abuse)
      .where(and(eq(abuse.comment, id), eq(abuse.person, person.id), isNull(abuse.resolved)));
    if (open.length === 0) {
      await tx.insert(abuse).values({ comment: id, person: person.id, reason: why, at: site.clock() });
    }
    return found.paper;
  });
}
