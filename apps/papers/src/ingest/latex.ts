/** @file LaTeX in bibliographies as Unicode: accents, letters, dashes, and formulas as far as a line of text can say them. */

import { fromFormula } from './formula.ts';

const marks: Readonly<Record<string, string>> = {
  '`': '\u0300',
  "'": '\u0301',
  '^': '\u0302',
  '~': '\u0303',
  '=': '\u0304',
  u: '\u0306',
  '.': '\u0307',
  '"': '\u0308',
  r: '\u030a',
  H: '\u030b',
  v: '\u030c',
  d: '\u0323',
  c: '\u0327',
  k: '\u0328',
  b: '\u0331',
};
const letters: Readonly<Record<string, string>> = {
  ss: 'ß',
  ae: 'æ',
  AE: 'Æ',
  oe: 'œ',
  OE: 'Œ',
  o: 'ø',
  O: 'Ø',
  aa: 'å',
  AA: 'Å',
  l: 'ł',
  L: 'Ł',
  i: 'ı',
  j: 'ȷ',
  dh: 'ð',
  th: 'þ',
  TH: 'Þ',
  dots: '…',
  ldots: '…',
  textendash: '–',
  textemdash: '—',
  textquoteright: '’',
  textquoteleft: '‘',
};
const kept = /^(?:emph|text[a-z]*|mbox|url|uppercase|lowercase|enquote|em|it|bf|sc|rm|tt|sl|protect|relax|noopsort)$/;

/** An accent on a letter; i and j without a dot get theirs from the accent. */
const accented = (mark: string, letter: string) =>
  ((letter === 'ı' ? 'i' : letter === 'ȷ' ? 'j' : letter) + marks[mark]).normalize('NFC');

/** A text outside of formulas. */
function plain(text: string): string {
  return (
    text
      // \'{e}, \'e, \c{c}, \v c, \'{\i}
      .replace(
        /\\([`'^~="."])\s*(?:\{\s*(?:\\([ij])|(\p{L}))\s*\}|\\([ij])(?![a-zA-Z])|(\p{L}))/gu,
        (_, mark, a, b, c, d) => accented(mark, a ?? b ?? c ?? d),
      )
      .replace(/\\([uvHckrdb])(?:\s*\{\s*(?:\\([ij])|(\p{L}))\s*\}|\s+(\p{L})(?!\p{L}))/gu, (_, mark, a, b, c) =>
        accented(mark, a ?? b ?? c),
      )
      .replace(/\\([a-zA-Z]+)(?:\s*\{\}|\s+|(?![a-zA-Z]))/g, (whole, name: string) =>
        name in letters ? letters[name] : kept.test(name) ? '' : whole,
      )
      .replace(/\\([&%$#_{}])/g, (_, sign: string) => (sign === '{' ? '\ue000' : sign === '}' ? '\ue001' : sign))
      .replace(/[{}]/g, '')
      .replace(/\ue000/g, '{')
      .replace(/\ue001/g, '}')
      .replace(/\\[ ,]/g, ' ')
      .replace(/~/g, ' ')
      .replace(/---/g, '—')
      .replace(/--/g, '–')
      .replace(/``|''/g, (quotes) => (quotes === '``' ? '“' : '”'))
  );
}

/** A formula between dollar signs. Prices are none: no space within, no digit after. */
const formula = /(?<!\\)\$\$?(?=[^\s$])([^$]*[^\s$\\])\$\$?(?!\d)/;

const converted = (text: string, outside: (part: string) => string) =>
  text
    .split(formula)
    .map((part, i) => (i % 2 === 1 ? fromFormula(part) : outside(part)))
    .join('');

/** A LaTeX text as Unicode on one line. */
export function fromLatex(text: string): string {
  return converted(text, plain).replace(/\s+/g, ' ').trim();
}

/** A text in which nothing but formulas is TeX, with these as Unicode. */
export function withFormulas(text: string): string {
  return converted(text, (part) => part);
}
