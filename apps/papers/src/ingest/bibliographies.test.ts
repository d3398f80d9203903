import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../papers/facts.ts';
import { readBibtex } from './bibtex.ts';
import { fromFormula } from './formula.ts';
import { type Item, UnreadableFile } from './items.ts';
import { readJsonLines } from './jsonl.ts';
import { fromLatex } from './latex.ts';
import { readRis } from './ris.ts';

type Reader = (stream: AsyncIterable<Uint8Array>) => AsyncGenerator<Item>;

/** What a reader makes of a text that comes in pieces of a few bytes. */
async function read(reader: Reader, text: string, pieces = 7): Promise<Item[]> {
  const bytes = Buffer.from(text);
  const stream = (async function* () {
    for (let i = 0; i < bytes.length; i += pieces) yield bytes.subarray(i, i + pieces);
  })();
  const items: Item[] = [];
  for await (const item of reader(stream)) items.push(item);
  for (const item of items) if ('input' in item) factsOf(item.input, 'test');
  return items;
}

describe('LaTeX', () => {
  it.each([
    [`G{\\"u}nes Erkan`, 'Günes Erkan'],
    [`G\\"unes, \\'{E}va, Fran\\c{c}ois, Dvo\\v{r}\\'ak`, 'Günes, Éva, François, Dvořák'],
    [`{\\'\\i}, \\'{\\i}, {\\o}re, \\L{}ukasz, stra\\ss e`, 'í, í, øre, Łukasz, straße'],
    ['{LexRank}: {G}raph--based \\& more', 'LexRank: Graph–based & more'],
    ['\\emph{All} of \\textbf{it} costs 5\\%', 'All of it costs 5%'],
    ["a score $s_{i} = \\frac{1}{n}$ of ``words''", 'a score sᵢ = 1/n of “words”'],
    ['{$\\ell_1$}-norms and $\\ell_\\infty$, $\\ell_{2,1}$, $\\ell _ p$', 'ℓ₁-norms and ℓ_∞, ℓ_{2,1}, ℓ ₚ'],
    ['$O(n^2)$, $\\mathcal{O}(n\\log n)$, $n^{-1/2}$, $10^{-3}$', 'O(n²), O(n log n), n^{-1/2}, 10⁻³'],
    ['$\\alpha$-entmax, $\\beta_{t+1} \\leq \\Gamma^*$', 'α-entmax, βₜ₊₁ ≤ Γ*'],
    ['$x \\in \\mathbb{R}^{d\\times d}$, $A^\\top\\!A$', 'x ∈ ℝ^{d×d}, A^⊤A'],
    ['$\\left\\|x\\right\\|_2$ at $\\sqrt{n}$, $p_\\text{max}$ of $\\{1,\\ldots,k\\}$', '‖x‖₂ at √n, pₘₐₓ of {1,…,k}'],
    ["$f'(x)$ is $$\\max_x g(x)$$", 'f′(x) is maxₓ g(x)'],
    [
      'as TeX: $\\hat{\\theta}_n$, $\\frac{a+b}{c}$, $\\sqrt[3]{x}$, $a^$',
      'as TeX: \\hat{\\theta}_n, \\frac{a+b}{c}, \\sqrt[3]{x}, a^',
    ],
    ['from $5 to $6, or \\$7; $ 8 $', 'from $5 to $6, or $7; $ 8 $'],
    ['unknown \\command stays', 'unknown \\command stays'],
    ['Smith,~J.', 'Smith, J.'],
  ])('%s is %s', (latex, text) => {
    expect(fromLatex(latex)).toBe(text);
  });
});

describe('formulas', () => {
  it('of letters, digits and signs are themselves', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9=<>+\-(),.:;|/!?@]{1,40}$/), (text) => {
        expect(fromFormula(text)).toBe(text);
      }),
    );
  });

  it('are read whatever they hold, however deep', () => {
    const pieces = [
      '{',
      '}',
      '^',
      '_',
      '\\',
      '\\frac',
      '\\alpha',
      '\\log',
      '\\mathbb',
      '\\sqrt',
      'R',
      ' ',
      "'",
      '2',
      '𝔼',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        expect(typeof fromFormula(parts.join(''))).toBe('string');
      }),
    );
    const deep = `${'{'.repeat(100_000)}x${'}'.repeat(100_000)}`;
    expect(fromFormula(deep)).toBe(deep);
    const indices = `x${'_{x'.repeat(20_000)}${'}'.repeat(20_000)}`;
    expect(fromFormula(indices)).toBe(indices);
  });
});

describe('BibTeX', () => {
  it('is read with nested braces, quotes, joined values, @string and comments', async () => {
    const items = await read(
      readBibtex,
      `Anything between entries is skipped.
@comment{ not {this} }
@string{ jair = "J. of AI Research" }
@article{erkan2004,
  title = {{LexRank}: Graph-based {Lexical {Centrality}}},
  author = "Erkan, G{\\"u}nes and Radev, Dragomir R. and {The {ACL} Group}",
  journal = jair # " 22",
  year = 2004, month = dec, day = 1,
  abstract = {We have "quotes", = signs, and
    @ signs over lines.},
  doi = {10.1613/jair.1523},
  eprint = {1109.2128}, archivePrefix = {arXiv}, primaryClass = {cs.CL},
}
@misc{a, title = {B}, author = {A. One and others}, date = {2024-05}, url = {https://example.org/x\\_y}}`,
    );
    expect(items).toEqual([
      {
        line: 4,
        input: {
          title: 'LexRank: Graph-based Lexical Centrality',
          abstract: 'We have "quotes", = signs, and @ signs over lines.',
          authors: ['Günes Erkan', 'Dragomir R. Radev', 'The ACL Group'],
          posted: '2004-12-01',
          yearInferred: false,
          arxiv: '1109.2128',
          doi: '10.1613/jair.1523',
          categories: ['cs.CL'],
        },
      },
      {
        line: 14,
        input: {
          title: 'B',
          abstract: '',
          authors: ['A. One'],
          posted: '2024-05-01',
          yearInferred: true,
          links: ['https://example.org/x_y'],
        },
      },
    ]);
  });
  it('that is wrong is named by line and key, and the next entry is read', async () => {
    const good = '@misc{good, title={T}, author={A B}, year={2024}}';
    const items = await read(
      readBibtex,
      `@misc{open, title={T
${good}
@misc{untitled, author={A B}, year=2024}
@misc{undated, title={T}, author={A B}}
@misc{nobody, title={T}, year=2024}
@misc{broken, title {T}}
@misc(round, title={T})
@misc{unquoted, title="T}
@misc{last, title={T`,
    );
    expect(items.map((item) => ('problem' in item ? `${item.line}: ${item.problem}` : 'good'))).toEqual([
      '1: the braces of "@misc{open, title={T" are not closed',
      'good',
      '3: untitled: the title is missing',
      '4: undated: the year is missing',
      '5: nobody: the author is missing',
      '6: broken: "=" is missing after "title {T}"',
      '7: an entry in parentheses is not read; put it in braces',
      '8: unquoted: the quotes of "title" are not closed',
      '9: the braces of "@misc{last, title={T" are not closed',
    ]);
  });
});

describe('RIS', () => {
  it('is read with repeated tags, lines that go on, and both ends of line', async () => {
    const text = `TY  - JOUR
TI  - A title that
goes on
AU  - Erkan, Günes
AU  - Radev, Dragomir
PY  - 2004/12/01/
AB  - Words.
DO  - 10.1613/jair.1523
UR  - https://arxiv.org/abs/1109.2128
ER  - 
`;
    const items = await read(readRis, text);
    expect(items).toEqual([
      {
        line: 1,
        input: {
          title: 'A title that goes on',
          abstract: 'Words.',
          authors: ['Günes Erkan', 'Dragomir Radev'],
          posted: '2004-12-01',
          yearInferred: false,
          arxiv: 'https://arxiv.org/abs/1109.2128',
          doi: '10.1613/jair.1523',
          links: ['https://arxiv.org/abs/1109.2128'],
        },
      },
    ]);
    expect(await read(readRis, text.replaceAll('\n', '\r\n'))).toEqual(items);
  });
  it('that is wrong is named by line', async () => {
    const items = await read(
      readRis,
      'nonsense\nTY  - JOUR\nTI  - T\nTY  - JOUR\nAU  - A\nER  - \nER  - \nTY  - JOUR\nTI  - T',
    );
    expect(items.map((item) => ('problem' in item ? `${item.line}: ${item.problem}` : 'good'))).toEqual([
      '1: "nonsense" stands outside of a record; one begins with "TY  - JOUR"',
      '2: the record has no end; "ER  -" is missing before line 4',
      '4: the title (TI) is missing',
      '7: "ER  -" ends a record that "TY  -" did not begin',
      '8: the record has no end; "ER  -" is missing',
    ]);
  });
});

describe('JSON lines', () => {
  it('are read in our own fields and in those of arXiv’s snapshot', async () => {
    const own = { title: 'T', authors: ['A', { name: 'B' }], posted: '2024-02-29T10:00:00Z', importedVotes: 3 };
    const snapshot = {
      id: '0704.0001',
      title: 'T\n  two',
      abstract: '  Words.\n',
      authors_parsed: [
        ['Balázs', 'C.', ''],
        ['Berger', 'E. L.', 'Jr.'],
      ],
      categories: 'hep-ph hep-th',
      comments: 'This paper has been withdrawn',
      doi: null,
      versions: [
        { version: 'v1', created: 'Mon, 2 Apr 2007 19:18:42 GMT' },
        { version: 'v2', created: 'Tue, 24 Jul 2007 20:10:27 GMT' },
      ],
    };
    const [first, , second] = await read(readJsonLines, `${JSON.stringify(own)}\n\n{}\n${JSON.stringify(snapshot)}`);
    expect(first).toMatchObject({ line: 1, input: { authors: ['A', 'B'], posted: '2024-02-29', abstract: '' } });
    expect(second).toMatchObject({
      line: 4,
      input: {
        arxiv: '0704.0001',
        version: 2,
        posted: '2007-04-02',
        versionDate: '2007-07-24',
        authors: ['C. Balázs', 'E. L. Berger Jr.'],
        categories: ['hep-ph', 'hep-th'],
        withdrawn: true,
      },
    });
  });
  it('that are wrong are named by line and field', async () => {
    const items = await read(
      readJsonLines,
      '{"title":"T","posted":"May"}\nnonsense\n[]\n{"title":"T","posted":"2024-01-01","colour":"red"}',
    );
    expect(items.map((item) => ('problem' in item ? `${item.line}: ${item.problem}` : 'good'))).toEqual([
      '1: posted: is not a day such as 2024-02-29',
      expect.stringMatching(/^2: not JSON/),
      expect.stringMatching(/^3: /),
      expect.stringMatching(/^4: .*colour/),
    ]);
  });
  it('of over a million characters, or not in UTF-8, end the reading', async () => {
    await expect(read(readJsonLines, 'x'.repeat(1_000_100), 65_536)).rejects.toThrow(UnreadableFile);
    const broken = (async function* () {
      yield Buffer.from([0x7b, 0xff, 0x0a]);
    })();
    await expect(readJsonLines(broken).next()).rejects.toThrow(/not UTF-8/);
  });
});
