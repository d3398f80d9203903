/** @file The papers that the database starts with: the systems of salience's catalogue, in our own words. */

import { catalogue, type Paper, papers } from 'salience';
import { picks } from '../database/schema.ts';
import { dayOf, type Site } from '../site.ts';
import type { PaperInput } from './facts.ts';
import { paperId, titleKey } from './identity.ts';
import { upsertPapers } from './records.ts';

const implemented = new Set(catalogue.map((entry) => entry.id));

/** Facts of a system, and our summary with the unit it scores. */
function recordOf(paper: Paper): PaperInput {
  const reconstructed =
    paper.reconstruction === 'whole'
      ? ' Reconstructed from its abstract.'
      : paper.reconstruction === 'part'
        ? ' Reconstructed in part from its abstract.'
        : '';
  return {
    title: paper.title,
    abstract: `${paper.summary} Unit of importance: ${paper.unit}.${reconstructed}`,
    abstractKind: 'summary',
    authorCount: paper.authors ?? 1,
    // The feed's own page shows the day, and like the papers of 2025 no year.
    posted: paper.date ?? `${paper.year}-12-10`,
    yearInferred: paper.year === 2025,
    system: paper.id,
    implemented: implemented.has(paper.id),
    ...(paper.arxiv && { arxiv: paper.arxiv, links: [`https://arxiv.org/abs/${paper.arxiv}`] }),
    ...(paper.code && { codeUrl: `https://github.com/${paper.code}` }),
  };
}

/**
 * Puts the systems of the catalogue among the papers, and where no day has a list yet, the implemented ones on today's, in the
 * catalogue's order. Nothing changes when it is done again.
 */
export async function seedCatalogue(site: Site): Promise<void> {
  await upsertPapers(site, papers.map(recordOf), 'catalogue');
  await site.database.db.transaction(async (tx) => {
    const [listed] = await tx.select({ day: picks.day }).from(picks).limit(1);
    if (listed) return;
    const now = site.clock();
    const first = catalogue.flatMap((entry) => papers.filter((paper) => paper.id === entry.id));
    await tx
      .insert(picks)
      .values(
        first.map((paper, place) => ({
          day: dayOf(now),
          place,
          paper: paperId({ arxiv: paper.arxiv ?? null, doi: null, titleKey: titleKey(paper.title) }),
          curator: 'salience',
          curatorName: 'salience',
          at: now,
        })),
      )
      .onConflictDoNothing();
  });
}
