/** @file A comment's Markdown as HTML that carries nothing but text, links and emphasis. */

import { Marked } from 'marked';
import sanitizeHtml from 'sanitize-html';

const marked = new Marked({ gfm: true, breaks: true, async: false });

const allowed: sanitizeHtml.IOptions = {
  allowedTags: [
    ...['p', 'br', 'em', 'strong', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a', 'hr'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  allowedAttributes: { a: ['href', 'rel'], ol: ['start'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowedSchemesAppliedToAttributes: ['href'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  nestingLimit: 20,
  transformTags: {
    // A comment's headings are no headings of the page.
    ...Object.fromEntries(['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((tag) => [tag, 'strong'])),
    a: sanitizeHtml.simpleTransform('a', { rel: 'nofollow ugc noopener' }),
  },
};

/** Markdown nested deeper than this is shown as it was written. */
const deepest = 40;

function nested(markdown: string): number {
  let most = 0;
  for (const line of markdown.split('\n')) {
    const [marks] = /^(?:\s*(?:>|[-*+]\s|\d+[.)]\s))*/.exec(line) ?? [''];
    most = Math.max(
      most,
      (marks.match(/[>\-*+.)]/g) ?? []).length,
      Math.ceil((line.length - line.trimStart().length) / 2),
    );
  }
  return most;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What was rendered lately, the latest last: some 5,000 characters take half a second. */
const rendered = new Map<string, string>();
const mostRendered = 1000;

/**
 * The HTML of a comment: a small list of tags, no attribute but a link's address, links that pass nothing on.
 * @param markdown as its author wrote it, at most 5,000 characters.
 */
export function commentHtml(markdown: string): string {
  const known = rendered.get(markdown);
  const html =
    known ??
    (nested(markdown) > deepest
      ? `<p>${escaped(markdown)}</p>`
      : sanitizeHtml(marked.parse(markdown) as string, allowed));
  rendered.delete(markdown);
  rendered.set(markdown, html);
  if (rendered.size > mostRendered) rendered.delete(rendered.keys().next().value!);
  return html;
}
