import { describe, expect, it } from 'vitest';
import { reportMarkdown } from './report-text.ts';

describe('a report as Markdown', () => {
  it('has a title, texts, tables whose cells cannot break out, and passages with their scores', () => {
    const text = reportMarkdown({
      title: 'LexRank',
      blocks: [
        { kind: 'text', text: '2 of 3 sentences' },
        { kind: 'table', columns: ['score', 'a|b'], rows: [[0.123456, 'one\ntwo | three']] },
        { kind: 'passages', passages: [{ text: 'A sentence.', score: 0.5, source: 'text.txt' }] },
        { kind: 'bars', unit: 'share', bars: [{ label: 'layer 0', value: 0.25 }] },
      ],
    });
    expect(text.split('\n')).toEqual([
      '# LexRank',
      '',
      '2 of 3 sentences',
      '',
      '| score | a\\|b |',
      '| --- | --- |',
      '| 0.1235 | one two \\| three |',
      '',
      '- (0.5) A sentence. [text.txt]',
      '',
      '|  | share |',
      '| --- | --- |',
      '| layer 0 | 0.25 |',
    ]);
  });

  it('shows the highest parts of a strip, the points of lines, and names other charts', () => {
    const text = reportMarkdown({
      title: 'R',
      blocks: [
        {
          kind: 'strip',
          of: 'attention',
          parts: [
            { text: 'low', share: 0.1 },
            { text: 'high', share: 0.9 },
          ],
        },
        {
          kind: 'chart',
          title: 'Curve',
          chart: { type: 'lines', x: 'budget', y: 'loss', lines: [{ label: 'ours', points: [{ x: 1, y: 2 }] }] },
        },
        { kind: 'chart', title: 'Grid', chart: { type: 'heat', rows: 1, columns: 1, values: [1], of: 'x' } },
      ],
    });
    expect(text).toContain('Highest of attention: high (0.9) · low (0.1)');
    expect(text).toContain('Curve (loss over budget):\n- ours: 1 → 2');
    expect(text).toContain('Grid (a chart: see the page).');
  });

  it('cuts long tables and says how much is left', () => {
    const rows = Array.from({ length: 100 }, (_, i) => [i]);
    const lines = reportMarkdown({ title: 'R', blocks: [{ kind: 'table', columns: ['n'], rows }] }).split('\n');
    expect(lines).toHaveLength(2 + 2 + 30 + 1);
    expect(lines.at(-1)).toBe('… and 70 more.');
  });
});
