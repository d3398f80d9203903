/** @file What a comment may and may not bring onto a page. */

import { describe, expect, it } from 'vitest';
import { commentHtml } from './comment-markdown.ts';

/** What would run, load or frame something, were it left. */
const alive =
  /<(?!\/?(?:p|br|em|strong|del|code|pre|blockquote|ul|ol|li|a|hr|table|thead|tbody|tr|th|td)\b)[a-z!/?]|<[^>]*\s(?:on\w+|style|class|id|src)\s*=|href="(?!https?:|mailto:|\/(?!\/)|#)/i;

const attacks = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=https://evil.example/x.js></SCRIPT>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<<script>script>alert(1)<</script>/script>',
  '<img src=x onerror=alert(1)>',
  '<img src=x onerror=alert(1)//',
  '![x](https://evil.example/pixel.png)',
  '![x](javascript:alert(1))',
  '<svg><script>alert(1)</script></svg>',
  '<svg/onload=alert(1)>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<textarea><script>alert(1)</script></textarea>',
  '<style>@import "https://evil.example";</style>',
  '<p style="background:url(https://evil.example)">x</p>',
  '<p onclick="alert(1)" class="button" id="main">x</p>',
  '<iframe src="https://evil.example"></iframe>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<object data="data:text/html,<script>alert(1)</script>"></object>',
  '<base href="https://evil.example/">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<form action="https://evil.example"><input name="csrf"><button>Go</button></form>',
  '<link rel="stylesheet" href="https://evil.example/x.css">',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java&#10;script:alert(1))',
  '[x](javascript&colon;alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '[x](vbscript:msgbox(1))',
  '[x](file:///etc/passwd)',
  '[x](//evil.example)',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="jav\tascript:alert(1)">x</a>',
  '<a href=" javascript:alert(1)">x</a>',
  '<a href="https://a.example" onmouseover="alert(1)">x</a>',
  '[x](https://a.example "\\" onmouseover=\\"alert(1)")',
  '[x](https://a.example/"onmouseover="alert(1))',
  '<https://a.example/"onmouseover="alert(1)>',
  '`<script>alert(1)</script>`',
  '```html\n<script>alert(1)</script>\n```',
  '``` "><script>alert(1)</script>\nx\n```',
  '[a]: javascript:alert(1)\n\n[a]',
  '<!--><script>alert(1)</script-->',
  '<![CDATA[<script>alert(1)</script>]]>',
  '<?php echo 1 ?><script>alert(1)</script>',
  '<x-keyboard-help></x-keyboard-help><keyboard-help></keyboard-help>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
];

describe('the HTML of a comment', () => {
  it.each(attacks)('nothing of %j is alive', (attack) => {
    for (const text of [attack, `> ${attack}`, `- ${attack}`, `**${attack}**`, `${attack}\n\n${attack}`]) {
      expect(commentHtml(text)).not.toMatch(alive);
    }
  });

  it('keeps emphasis, code, quotes, lists and links, which pass nothing on', () => {
    expect(commentHtml('*a* **b** `c`')).toBe('<p><em>a</em> <strong>b</strong> <code>c</code></p>\n');
    expect(commentHtml('> q\n\n1. x')).toBe('<blockquote>\n<p>q</p>\n</blockquote>\n<ol>\n<li>x</li>\n</ol>\n');
    expect(commentHtml('[x](https://a.example/?b=1&c=2)')).toBe(
      '<p><a href="https://a.example/?b=1&amp;c=2" rel="nofollow ugc noopener">x</a></p>\n',
    );
    expect(commentHtml('<a href="https://a.example" rel="opener" target="_top">x</a>')).toBe(
      '<p><a href="https://a.example" rel="nofollow ugc noopener">x</a></p>\n',
    );
  });

  it('shows what it cannot read as Markdown as it was written', () => {
    expect(commentHtml('a < b & c > d')).toBe('<p>a &lt; b &amp; c &gt; d</p>\n');
    expect(commentHtml('# Title')).toBe('<strong>Title</strong>\n');
  });

  it('a comment of 5,000 marks of any kind is read, and stays small', () => {
    for (const mark of [
      '>',
      '*',
      '_',
      '[',
      '](',
      '`',
      '- ',
      '<',
      '<a',
      '&',
      '|',
      '\\',
      '~',
      '![',
      '1. ',
      '\n> ',
      '<b>',
      '**a ',
      ' *a',
      '- \n ',
    ]) {
      const html = commentHtml(mark.repeat(5000).slice(0, 5000));
      expect(html.length, mark).toBeLessThan(150_000);
      expect(html, mark).not.toMatch(alive);
    }
  });
});
