/** @file What pages show of people: votes, comments, follows. Readers who are not signed in see counts and a way in. */

import { raw } from 'hono/html';
import type { CommentNode } from '../../people/comments.ts';
import { commentCount, longestComment } from '../../people/comments.ts';
import { dayOf } from '../../site.ts';
import type { Asked } from '../context.ts';
import { CsrfField, counted, writtenDay } from '../layout.tsx';

/** The path of this page, to come back to. */
function here(c: Asked): string {
  const { pathname, search } = new URL(c.req.url);
  return `${pathname}${search}`;
}

/** The way to sign in and come back to a path of this site. */
export function signInPath(next: string): string {
  return `/sign-in?next=${encodeURIComponent(next)}`;
}

interface VotedOn {
  readonly id: string;
  readonly title: string;
  /** Imported and local ones. */
  readonly votes: number;
}

/** The paper's votes: a button for people signed in, else the number and a way in. */
export function VoteForm({ c, paper, voted }: { c: Asked; paper: VotedOn; voted: boolean }) {
  const votes = counted(paper.votes, 'vote');
  if (!c.get('person')) {
    return (
      <a class="vote" href={signInPath(here(c))} aria-label={`${votes}; sign in to vote for ${paper.title}`}>
        <span aria-hidden="true">▲ </span>
        <span class="score">{paper.votes}</span>
      </a>
    );
  }
  return (
    <form class="vote" method="post" action={`/papers/${encodeURIComponent(paper.id)}/vote`}>
      <CsrfField c={c} />
      <input type="hidden" name="next" value={here(c)} />
      <input type="hidden" name="on" value={voted ? '0' : '1'} />
      <button
        type="submit"
        class={voted ? 'button primary' : 'button'}
        aria-pressed={voted ? 'true' : 'false'}
        aria-label={`Vote for ${paper.title}; ${votes}`}
      >
        <span aria-hidden="true">▲ </span>
        <span class="score">{paper.votes}</span>
      </button>
    </form>
  );
}

function CommentField({ label }: { label: string }) {
  return (
    <p class="field">
      <label>
        {label}
        <textarea name="body" rows={4} required maxlength={longestComment} />
      </label>
      <span class="muted">Markdown, at most {longestComment.toLocaleString('en-US')} characters.</span>
    </p>
  );
}

function Comment({ c, paper, comment }: { c: Asked; paper: { readonly id: string }; comment: CommentNode }) {
  const person = c.get('person');
  const { id, name, html, at, replies } = comment;
  const place = `/comments/${id}`;
  const by = `${name}, ${writtenDay(dayOf(at))}`;
  return (
    <li>
      <article class="comment" id={`comment-${id}`}>
        {html === undefined ? (
          <p class="muted">This comment was deleted.</p>
        ) : (
          <>
            <p class="meta">
              <strong>{name}</strong> · <a href={`#comment-${id}`}>{writtenDay(dayOf(at))}</a>
            </p>
            <div class="prose">{raw(html)}</div>
          </>
        )}
        {person && html !== undefined && (
          <div class="row">
            <details>
              <summary aria-label={`Reply to ${by}`}>Reply</summary>
              <form method="post" action={`/papers/${encodeURIComponent(paper.id)}/comments`}>
                <CsrfField c={c} />
                <input type="hidden" name="parent" value={id} />
                <CommentField label={`Reply to ${name}`} />
                <button type="submit" class="button">
                  Reply
                </button>
              </form>
            </details>
            {(comment.person === person.id || person.role === 'admin') && (
              <form method="post" action={`${place}/delete`}>
                <CsrfField c={c} />
                <button type="submit" class="button" aria-label={`Delete the comment by ${by}`}>
                  Delete
                </button>
              </form>
            )}
            {comment.person !== person.id && (
              <details>
                <summary aria-label={`Report the comment by ${by}`}>Report</summary>
                <form method="post" action={`${place}/report`}>
                  <CsrfField c={c} />
                  <p class="field">
                    <label>
                      What is wrong with it
                      <input name="reason" required maxlength={500} />
                    </label>
                  </p>
                  <button type="submit" class="button">
                    Report
                  </button>
                </form>
              </details>
            )}
          </div>
        )}
      </article>
      {replies.length > 0 && (
        <ol class="replies">
          {replies.map((reply) => (
            <Comment c={c} paper={paper} comment={reply} />
          ))}
        </ol>
      )}
    </li>
  );
}

interface Discussed {
  readonly id: string;
  /** Comments that the source counted; their words are not here. */
  readonly importedComments?: number;
}

/** The paper's comments as a thread, and a field for another where the reader is signed in. */
export function CommentThread({
  c,
  paper,
  comments,
}: {
  c: Asked;
  paper: Discussed;
  comments: readonly CommentNode[];
}) {
  const elsewhere = paper.importedComments ?? 0;
  return (
    <section class="comments" id="comments" aria-labelledby="comments-title">
      <h2 id="comments-title">{counted(commentCount(comments), 'comment')}</h2>
      {elsewhere > 0 && <p class="muted">And {counted(elsewhere, 'comment')} at the source.</p>}
      {comments.length > 0 && (
        <ol class="thread">
          {comments.map((comment) => (
            <Comment c={c} paper={paper} comment={comment} />
          ))}
        </ol>
      )}
      {c.get('person') ? (
        <form method="post" action={`/papers/${encodeURIComponent(paper.id)}/comments`}>
          <CsrfField c={c} />
          <CommentField label="Your comment" />
          <button type="submit" class="button primary">
            Comment
          </button>
        </form>
      ) : (
        <p>
          <a href={signInPath(`/papers/${encodeURIComponent(paper.id)}#comments`)}>Sign in</a> to comment.
        </p>
      )}
    </section>
  );
}

/**
 * Follows a topic, an author or a search, or no longer.
 * @param value topic id, author key, or the query string of a search, e.g. "q=token+pruning".
 */
export function FollowForm({
  c,
  kind,
  value,
  following,
}: {
  c: Asked;
  kind: 'topic' | 'author' | 'search';
  value: string;
  following: boolean;
}) {
  if (!c.get('person')) {
    return (
      <a class="button" href={signInPath(here(c))}>
        Sign in to follow this {kind}
      </a>
    );
  }
  return (
    <form class="follow" method="post" action="/follow">
      <CsrfField c={c} />
      <input type="hidden" name="next" value={here(c)} />
      <input type="hidden" name="kind" value={kind} />
      <input type="hidden" name="value" value={value} />
      <input type="hidden" name="on" value={following ? '0' : '1'} />
      {following ? (
        <button type="submit" class="button" aria-label={`Unfollow the ${kind} ${value.replace(/^q=/, '')}`}>
          Unfollow
        </button>
      ) : (
        <button type="submit" class="button primary">
          Follow this {kind}
        </button>
      )}
    </form>
  );
}
