/** @file The prose of an HTML page. */

import { Tokenizer, type TokenizerCallbacks } from 'htmlparser2';

const words = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

/** Nothing in these is prose. */
const skipped = words('script style noscript template svg nav pre iframe object textarea select');
const blocks = words(
  `address article aside blockquote body caption dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
   h5 h6 head header hr html legend li main ol p pre section summary table tbody tfoot thead title tr ul`,
);
const empty = words('area base basefont br col embed frame hr img input link meta param source track wbr');
const cells = words('td th option');

/**
 * The text of an HTML page: block elements end a paragraph, entities are decoded, scripts, styles, menus and preformatted
 * blocks are left out. Time is linear in the length of the page, however its elements are nested.
 */
export function textOfHtml(html: string): string {
  const parts: string[] = [];
  const open: string[] = [];
  const opened = new Map<string, number>();
  let skippedFrom = Number.POSITIVE_INFINITY;
  let broken = true;

  const say = (text: string) => {
    if (open.length >= skippedFrom || text === '' || (broken && text === ' ')) return;
    parts.push(text);
    broken = false;
  };
  const surround = (name: string) => {
    if (name === 'br') say('\n');
    else if (cells.has(name)) say(' ');
    else if (blocks.has(name) && !broken && open.length < skippedFrom) {
      parts.push('\n\n');
      broken = true;
    }
  };
  const close = (name: string) => {
    if (!opened.get(name)) return;
    for (let last = ''; last !== name; ) {
      last = open.pop()!;
      opened.set(last, opened.get(last)! - 1);
    }
    if (open.length < skippedFrom) skippedFrom = Number.POSITIVE_INFINITY;
    surround(name);
  };
  const ignore = () => {};
  const callbacks: TokenizerCallbacks = {
    ontext: (start, end) => say(html.slice(start, end).replace(/\s+/g, ' ')),
    ontextentity: (codePoint) => say(String.fromCodePoint(codePoint)),
    onopentagname(start, end) {
      const name = html.slice(start, end).toLowerCase();
      surround(name);
      if (empty.has(name)) return;
      open.push(name);
      opened.set(name, (opened.get(name) ?? 0) + 1);
      if (skipped.has(name)) skippedFrom = Math.min(skippedFrom, open.length);
    },
    onclosetag: (start, end) => close(html.slice(start, end).toLowerCase()),
    onselfclosingtag() {
      if (open.at(-1) === 'svg') close('svg');
    },
    onattribdata: ignore,
    onattribentity: ignore,
    onattribend: ignore,
    onattribname: ignore,
    oncdata: ignore,
    oncomment: ignore,
    ondeclaration: ignore,
    onend: ignore,
    onopentagend: ignore,
    onprocessinginstruction: ignore,
  };
  const tokenizer = new Tokenizer({ xmlMode: false, decodeEntities: true }, callbacks);
  tokenizer.write(html);
  tokenizer.end();
  return parts.join('').trim();
}
