/** @file The catalogue as a Markdown table, for the README. */

import { catalogue, paperOf } from './catalogue.ts';
import { type LedgerEntry, verdictInWords } from './ledger.ts';
import { papers } from './papers.ts';

/** All systems of the seed page in its order, then the baselines, each with its state and the verdict on its claim. */
export async function catalogueTable(ledger: readonly LedgerEntry[]): Promise<string> {
  const verdicts = new Map(ledger.map((entry) => [entry.method, verdictInWords(entry)]));
  const implemented = new Set(catalogue.map(({ id }) => id));
  const lines = [
    '| no. | system | family | what it does | state | claim |',
    '| --: | --- | --- | --- | --- | --- |',
    ...papers.map(({ number, id, name, family, summary, arxiv, reconstruction }) => {
      const title = arxiv ? `[${name}](https://arxiv.org/abs/${arxiv})` : name;
      const state = implemented.has(id) ? `\`${id}\`` : 'planned';
      const rebuilt = reconstruction ? ` *(${reconstruction === 'whole' ? '' : 'partly '}a reconstruction)*` : '';
      return `| ${number} | ${title} | ${family} | ${summary}${rebuilt} | ${state} | ${verdicts.get(id) ?? ''} |`;
    }),
  ];
  const baselines = [];
  for (const { id, family, load } of catalogue.filter((entry) => !paperOf(entry.id))) {
    const { summary, source } = await load();
    baselines.push(`| \`${id}\` | ${family} | ${summary} | ${source} |`);
  }
  return [
    ...lines,
    '',
    '| baseline | family | what it does | source |',
    '| --- | --- | --- | --- |',
    ...baselines,
  ].join('\n');
}
