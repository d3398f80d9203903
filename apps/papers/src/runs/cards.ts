/** @file Cards: what the pages say of a method, from its descriptor, its paper and the ledger of claims. */

import {
  type AnyMethod,
  catalogue,
  type Entry,
  type LedgerEntry,
  type Paper,
  packageLedger,
  paperOf,
  papers,
  verdictInWords,
} from 'salience';

export interface MethodCard {
  readonly method: AnyMethod;
  readonly entry: Entry;
  readonly paper?: Paper;
  /** What the ledger holds on its claim, where it was verified. */
  readonly claim?: LedgerEntry;
}

let ledger: Promise<ReadonlyMap<string, LedgerEntry>> | undefined;

/** The entries of the ledger by their method's id. */
export function claimsByMethod(): Promise<ReadonlyMap<string, LedgerEntry>> {
  ledger ??= packageLedger().then((entries) => new Map(entries.map((entry) => [entry.method, entry])));
  return ledger;
}

const cards = new Map<string, Promise<MethodCard>>();

/** The card of an implemented method; nothing for an unknown id or a planned one. */
export async function cardOf(id: string): Promise<MethodCard | undefined> {
  const entry = catalogue.find((candidate) => candidate.id === id);
  if (!entry) return undefined;
  const card = cards.get(id) ?? makeCard(entry);
  cards.set(id, card);
  return card;
}

async function makeCard(entry: Entry): Promise<MethodCard> {
  const [method, claims] = await Promise.all([entry.load(), claimsByMethod()]);
  const paper = paperOf(entry.id);
  const claim = claims.get(entry.id);
  return { method, entry, ...(paper && { paper }), ...(claim && { claim }) };
}

/** A line of the list of methods. */
export interface ListedMethod {
  readonly id: string;
  readonly name: string;
  readonly summary: string;
  readonly implemented: boolean;
  /** In words, where the claim was verified. */
  readonly verdict?: string;
  /** arXiv id of its paper, where it is one of the catalogue's. */
  readonly arxiv?: string;
}

/** All methods by family, families as the catalogue orders them; in each the implemented ones first. */
export async function methodsByFamily(): Promise<ReadonlyMap<string, readonly ListedMethod[]>> {
  const families = new Map<string, ListedMethod[]>();
  const put = (family: string, listed: ListedMethod) => {
    const own = families.get(family) ?? [];
    families.set(family, own);
    own.push(listed);
  };
  for (const { id, family } of catalogue) {
    const { method, paper, claim } = (await cardOf(id))!;
    put(family, {
      id,
      name: method.name,
      summary: method.summary,
      implemented: true,
      ...(claim && { verdict: verdictInWords(claim) }),
      ...(paper?.arxiv && { arxiv: paper.arxiv }),
    });
  }
  for (const { id, name, summary, family, arxiv } of papers) {
    if (family === 'feed' || catalogue.some((entry) => entry.id === id)) continue;
    put(family, { id, name, summary, implemented: false, ...(arxiv && { arxiv }) });
  }
  return families;
}
