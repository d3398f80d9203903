/** @file The prose of a Markdown document. */

import { Lexer, type MarkedToken, Parser } from 'marked';

/** Characters of Markdown that are parsed at a time: the time of the parser grows with the square of an item or a paragraph. */
const wanted = 8192;
const largest = 16_384;

/**
 * A Markdown document as HTML, some paragraphs at a time; front matter and fenced code are left out.
 */
export function* htmlOfMarkdown(markdown: string): Generator<string> {
  const text = withoutFrontMatter(markdown.includes('\r') ? markdown.replace(/\r\n?/g, '\n') : markdown);
  const links = definitionsIn(text);
  for (const part of partsOf(text)) {
    const source = levelled(part.trimStart());
    try {
      const lexer = new Lexer();
      lexer.tokens.links = links;
      yield new Parser().parse(lexer.lex(source) as MarkedToken[]);
    } catch (error) {
      // Emphasis within emphasis, thousands deep, is more than the parser's stack holds: such a part is taken as it is.
      if (!(error instanceof RangeError)) throw error;
      yield `<p>${source}</p>`;
    }
  }
}

function withoutFrontMatter(markdown: string): string {
  const opening = /^\ufeff?---[ \t]*\n(?=[\w-]+[ \t]*:|#)/.exec(markdown)?.[0];
  if (opening === undefined) return markdown;
  const rest = markdown.slice(opening.length);
  const closing = /^(?:---|\.\.\.)[ \t]*$/m.exec(rest);
  return closing ? rest.slice(closing.index + closing[0].length) : markdown;
}

/** What `[text][label]` points to, wherever in the document that is said. */
function definitionsIn(markdown: string): Lexer['tokens']['links'] {
  const links: Lexer['tokens']['links'] = Object.create(null);
  for (const [, label, href] of markdown.matchAll(/^ {0,3}\[([^\]\n]{1,200})\]:[ \t]*(\S+)/gm)) {
    links[label.trim().toLowerCase().replace(/\s+/g, ' ')] ??= { href, title: undefined };
  }
  return links;
}

/** The document in parts that can be parsed on their own, cut before an unindented paragraph where there is one in time. */
function* partsOf(markdown: string): Generator<string> {
  let part = '';
  let afterBlank = false;
  for (const line of proseLines(markdown)) {
    if (part.length + line.length > largest || (part.length > wanted && afterBlank && /^\S/.test(line))) {
      yield part;
      part = '';
    }
    part += `${line}\n`;
    afterBlank = line.trim() === '';
  }
  yield part;
}

/** The lines outside fenced code; a row of a table becomes a paragraph of its cells, a line that is too long several. */
function* proseLines(markdown: string): Generator<string> {
  let fence = '';
  let quoted = false;
  for (let from = 0; from <= markdown.length; ) {
    const newline = markdown.indexOf('\n', from);
    const to = newline === -1 ? markdown.length : newline;
    const line = markdown.slice(from, to);
    from = to + 1;
    const mark = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*$)|~{3,})/.exec(line);
    if (quoted && !/^\s*>/.test(line)) fence = '';
    if (fence !== '') {
      if (mark?.[1].startsWith(fence) && line.trim().endsWith(mark[1])) fence = '';
    } else if (mark) {
      fence = mark[1];
      quoted = /^\s*>/.test(line);
      yield '';
    } else if (/^[ \t]*\|.*\|[ \t]*$/.test(line)) yield `\n${line.replaceAll('|', ' ').trim()}\n`;
    else yield* shortened(line);
  }
}

function* shortened(line: string): Generator<string> {
  let from = 0;
  while (line.length - from > wanted) {
    const stop = line.lastIndexOf('. ', from + wanted - 2) + 2;
    const space = line.lastIndexOf(' ', from + wanted - 1) + 1;
    const to = stop > from + 1 ? stop : space > from ? space : from + wanted;
    yield `${line.slice(from, to)}\n`;
    from = to;
  }
  yield line.slice(from);
}

/** The parser nests as the text does, and its time grows faster: levels beyond the sixteenth become one. */
function levelled(markdown: string): string {
  return markdown
    .replace(/^[ \t]{64,}/gm, ' '.repeat(64))
    .replace(
      /^((?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))){16})(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))+/gm,
      '$1',
    );
}
