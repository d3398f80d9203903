/** @file A paper as Markdown: for agents, and for clients that read /papers/{id}.md of the original service. */

import { type PaperRecord, paperById } from '../papers/lists.ts';
import type { Site } from '../site.ts';
import type { Api } from './api.ts';
import { ApiError } from './api-error.ts';

/** A text on one line. */
const line = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Where a paper can be read and what belongs to it, as lines of a list. */
function places(site: Site, { id, arxiv, doi, codeUrl, implemented, system }: PaperRecord): string[] {
  const { url } = site.config;
  return [
    `- Page: ${url}/papers/${id}`,
    ...(arxiv ? [`- arXiv: https://arxiv.org/abs/${arxiv}`, `- PDF: https://arxiv.org/pdf/${arxiv}`] : []),
    ...(doi ? [`- DOI: https://doi.org/${doi}`] : []),
    ...(codeUrl ? [`- Code: ${codeUrl}`] : []),
    ...(implemented && system ? [`- Implemented here as the method "${system}": ${url}/methods/${system}`] : []),
  ];
}

/** A paper as Markdown. */
export function paperMarkdown(site: Site, paper: PaperRecord): string {
  const { title, authors, authorCount, posted, comments, votes, abstract, abstractKind, digest, keyphrases } = paper;
  const names = authors.length > 0 ? authors.map(({ name }) => name).join(', ') : `${authorCount} authors`;
  return [
    `# ${line(title)}`,
    '',
    `${line(names)} · ${posted} · ${votes} votes · ${comments} comments${paper.withdrawn ? ' · withdrawn' : ''}`,
    '',
    ...places(site, paper),
    ...(paper.topics.length > 0 ? [`- Topics: ${paper.topics.map(({ name }) => name).join(', ')}`] : []),
    '',
    abstractKind === 'summary' ? '## Summary (ours)' : '## Abstract',
    '',
    abstract || 'No source has one.',
    ...(digest && digest.length > 0 ? ['', '## Digest', '', ...digest.map(({ text }) => `- ${line(text)}`)] : []),
    ...(keyphrases && keyphrases.length > 0
      ? ['', '## Keyphrases', '', keyphrases.map(({ phrase }) => phrase).join(', ')]
      : []),
    '',
  ].join('\n');
}

/** Registers /papers/{id}.md. */
export function paperTextRoute(app: Api, site: Site): void {
  app.get('/papers/:file{.+\\.md}', async (c) => {
    const paper = await paperById(site, c.req.param('file').slice(0, -3));
    if (!paper) throw new ApiError(404, 'Paper not found.');
    return c.body(paperMarkdown(site, paper), 200, { 'Content-Type': 'text/markdown; charset=utf-8' });
  });
}
