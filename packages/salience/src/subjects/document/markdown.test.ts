import { describe, expect, it } from 'vitest';
import { textOfHtml } from './html.ts';
import { htmlOfMarkdown } from './markdown.ts';

const textOf = (markdown: string) => textOfHtml(Array.from(htmlOfMarkdown(markdown)).join(''));

describe('htmlOfMarkdown', () => {
  it('gives the prose of headlines, paragraphs, quotations, lists and links', () => {
    expect(
      textOf(
        '# The *lamp*\n\nIt __burns__ [oil](http://x.y "z"), `a < b` &amp; more\nthere.\n\n> Quoted\n\n- one\n- two\n',
      ),
    ).toBe('The lamp\n\nIt burns oil, a < b & more there.\n\nQuoted\n\none\n\ntwo');
  });

  it('leaves out code blocks, pictures and what HTML leaves out', () => {
    expect(
      textOf(
        'a\n\n```js\nlet x = 1;\n\n# no\n```\n\n~~~\nno\n~~~~\n\n    indented\n\n<script>no</script>\n\n![alt](i.png)b',
      ),
    ).toBe('a\n\nb');
  });

  it('ends a code block in a quotation with the quotation', () => {
    expect(textOf('> ```\n> code\n\ntext\n')).toBe('text');
  });

  it('drops front matter, and only front matter', () => {
    expect(textOf('---\ntitle: x\ntags: [a]\n---\n\ntext')).toBe('text');
    expect(textOf('---\r\ntitle: x\r\n---\r\ntext')).toBe('text');
    expect(textOf('---\n\nProse with a rule.\n\n---\n\ntext')).toBe('Prose with a rule.\n\ntext');
    expect(textOf('---\ntitle: never closed\n\ntext')).toContain('text');
  });

  it('makes a paragraph of each row of a table', () => {
    expect(
      textOf('| a | b |\n|---|---|\n| c | d |')
        .split(/\n\n/)
        .filter((row) => /\w/.test(row)),
    ).toEqual(['a b', 'c d']);
  });

  it('finds what a link points to however far away that is said', () => {
    const filler = 'A paragraph that only fills the page.\n\n'.repeat(1000);
    expect(textOf(`See [the lamp][ref].\n\n${filler}[Ref]: http://x.y`).split('\n\n')[0]).toBe('See the lamp.');
  });

  it('reads a long document as it reads its sections', () => {
    const section =
      '## Section\n\nSome *prose* here.\n\n- an item\n\n    and its second paragraph\n\n| x | y |\n\n```\ncode\n```\n\n';
    const expected = Array.from({ length: 300 }, () => textOf(section)).join('\n\n');
    const folded = (text: string) => text.replace(/\s*\n\s*/g, '\n');
    expect(folded(textOf(section.repeat(300)))).toBe(folded(expected));
  });

  it('keeps every word of a line of a megabyte', () => {
    const words = textOf('The *lamp* burns. '.repeat(60_000)).match(/\w+/g);
    expect(words).toHaveLength(180_000);
  });

  it.each([
    '>',
    '- ',
    '1. ',
    '*',
    '*a ',
    '**a',
    '_*',
    '[',
    '![[',
    '<!--',
    '<?',
    '`',
    '|',
    '[a]: b\n',
    '  b\n',
    '\n',
    '\\',
    'a\n---\n',
  ])('reads two hundred thousand characters of %j', (scrap) => {
    expect(typeof textOf(`- a\n${scrap.repeat(2e5 / scrap.length)}`)).toBe('string');
  });

  it('reads a list that is a thousand levels deep', () => {
    const list = Array.from({ length: 1000 }, (_, i) => `${'  '.repeat(i)}- item`).join('\n');
    expect(textOf(list).match(/item/g)).toHaveLength(1000);
    expect(textOf(`${'>'.repeat(5000)} quoted`)).toBe('quoted');
  });
});
