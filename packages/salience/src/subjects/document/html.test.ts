import { describe, expect, it } from 'vitest';
import { textOfHtml } from './html.ts';

describe('textOfHtml', () => {
  it('puts a blank line between blocks and none within', () => {
    expect(
      textOfHtml('<h1>Lamps</h1><p>One <b>bold</b>\n  word, un<i>broken</i>.</p><ul><li>oil<li>rope</ul>end'),
    ).toBe('Lamps\n\nOne bold word, unbroken.\n\noil\n\nrope\n\nend');
  });

  it('decodes entities', () => {
    expect(textOfHtml('<p>caf&eacute; &amp; bar &lt;3 &#x1F600; &nbsp;x &unknown; AT&T</p>')).toBe(
      'café & bar <3 😀 \u00a0x &unknown; AT&T',
    );
  });

  it.each(['script', 'style', 'noscript', 'template', 'svg', 'nav', 'pre', 'iframe', 'textarea'])(
    'leaves out what is in %s',
    (name) => {
      expect(textOfHtml(`<p>before</p><${name} class="a">Secret.</${name}><p>after</p>`)).toBe('before\n\nafter');
    },
  );

  it('leaves out nested elements of a menu and comes back behind it', () => {
    expect(textOfHtml('<div><nav><ul><li>Home<li><nav>deep</nav></ul>more</nav>text</div>')).toBe('text');
    expect(textOfHtml('<div><nav>never closed</div>text')).toBe('text');
    expect(textOfHtml('a<svg/>b<svg><path/><title>icon</title></svg>c')).toBe('abc');
  });

  it('keeps the title of a page and nothing else of its head', () => {
    expect(
      textOfHtml('<!doctype html><html><head><meta charset=utf-8><title>A &amp; B</title><style>p{}</style><body>Text'),
    ).toBe('A & B\n\nText');
  });

  it('keeps code within a line and the text of a table by rows', () => {
    expect(textOfHtml('<p>Call <code>open()</code> now</p>')).toBe('Call open() now');
    expect(
      textOfHtml('<table><tr><td>1</td><td>2</td></tr><tr><td>3</table>')
        .split('\n\n')
        .map((row) => row.trim()),
    ).toEqual(['1  2', '3']);
  });

  it('takes one break for a line and two for a paragraph', () => {
    expect(textOfHtml('a<br>b<br/><br />c')).toBe('a\nb\n\nc');
  });

  it('leaves out comments, attributes and scripts that look like tags', () => {
    expect(textOfHtml('<!-- <p>no</p> --><p title="<b>no</b>">yes</p><script>"<p>no</p>"</script>')).toBe('yes');
  });

  it('reads a hundred thousand elements inside each other', () => {
    expect(textOfHtml(`${'<div>'.repeat(100_000)}deep${'</div>'.repeat(100_000)}<p>flat`)).toBe('deep\n\nflat');
    expect(textOfHtml(`${'<div>'.repeat(100_000)}deep${'</span>'.repeat(100_000)}`)).toBe('deep');
  });

  it.each(['<', '<a ', '<!--', '&', '&amp', '<p', '</', '<svg>', '"<b c="'])('reads a million times %j', (scrap) => {
    expect(typeof textOfHtml(scrap.repeat(1e6 / scrap.length))).toBe('string');
  });
});
