/** @file The tree of comments. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { user } from '../database/schema.ts';
import { paperById } from '../papers/lists.ts';
import { upsertPapers } from '../papers/records.ts';
import { addComment, type CommentNode, commentCount, commentsOf, deepestThread, deleteComment } from './comments.ts';
import type { Member } from './member.ts';

const depth = (nodes: readonly CommentNode[]): number =>
  nodes.length === 0 ? 0 : 1 + Math.max(...nodes.map(({ replies }) => depth(replies)));

describe('comments', () => {
  let site: TestSite;
  const ada: Member = { id: 'ada', name: 'Ada', email: 'ada@example.org', role: 'reader' };
  const [paper, other] = ['2511.00001', '2511.00002'];
  beforeAll(async () => {
    site = await testSite();
    await site.database.db.insert(user).values(ada);
    await upsertPapers(
      site,
      [paper, other].map((arxiv) => ({
        title: `Paper ${arxiv}`,
        abstract: 'a',
        arxiv,
        authors: ['A'],
        posted: '2025-11-01',
      })),
      'test',
    );
  }, 60_000);
  afterAll(() => site.close());

  it('a reply to the sixth level stands beside it', async () => {
    let parent: string | undefined;
    for (let i = 0; i < 9; i++) {
      site.now = new Date(site.now.getTime() + 1000);
      parent = await addComment(site, ada, paper, `Level ${i}`, parent);
    }
    const tree = await commentsOf(site, paper);
    expect(depth(tree)).toBe(deepestThread);
    expect(commentCount(tree)).toBe(9);
    let last = tree;
    while (last[0].replies.length > 0) last = [...last[0].replies];
    expect(last.map(({ html }) => html)).toEqual([5, 6, 7, 8].map((level) => `<p>Level ${level}</p>\n`));
  });

  it('a tombstone goes when nothing hangs on it any more', async () => {
    const first = await addComment(site, ada, other, 'First');
    const reply = await addComment(site, ada, other, 'Reply', first);
    await deleteComment(site, ada, first);
    const [tombstone] = await commentsOf(site, other);
    expect(tombstone).toMatchObject({ id: first, name: '' });
    expect(tombstone.html).toBeUndefined();
    expect(tombstone.person).toBeUndefined();
    await expect(addComment(site, ada, other, 'Late', first)).rejects.toThrow('was deleted');
    await deleteComment(site, ada, reply);
    expect(await commentsOf(site, other)).toEqual([]);
    expect((await paperById(site, other))!.comments).toBe(0);
  });

  it('a reply belongs to the paper of the comment it answers', async () => {
    const first = await addComment(site, ada, paper, 'Here');
    await expect(addComment(site, ada, other, 'There', first)).rejects.toThrow('not there');
    expect((await paperById(site, other))!.comments).toBe(0);
  });

  it('many at once are all counted', async () => {
    const before = (await paperById(site, paper))!.comments;
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => addComment(site, ada, paper, `At once ${i}`)));
    expect((await paperById(site, paper))!.comments).toBe(before + 8);
    await Promise.all([...ids, ...ids].map((id) => deleteComment(site, ada, id)));
    expect((await paperById(site, paper))!.comments).toBe(before);
  });
});
