/** @file RSS 2.0, RSS 1.0 and Atom feeds: every entry a paper. */

import { isDay, linksIn, type PaperInput } from '../papers/facts.ts';
import { readArxivId, readDoi } from '../papers/identity.ts';
import type { Day } from '../site.ts';
import { type Item, UnreadableFile } from './items.ts';
import { attribute, children, childText, type Element, plainText, readXml, textOf } from './xml.ts';

const dayIn = (text: string): Day | undefined => {
  if (isDay(text.slice(0, 10))) return text.slice(0, 10);
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().slice(0, 10);
};

/** The page of an entry: the link itself in RSS, the alternate one in Atom. */
function linkOf(entry: Element): string {
  const links = children(entry, 'link');
  const alternate = links.find((link) => ['', 'alternate'].includes(attribute(link, 'rel'))) ?? links[0];
  return alternate ? attribute(alternate, 'href') || textOf(alternate) : '';
}

function namesOf(entry: Element): string[] {
  const structured = children(entry, 'author').map((author) => childText(author, 'name'));
  if (structured.some(Boolean)) return structured.filter(Boolean);
  const written = [...children(entry, 'creator'), ...children(entry, 'author')].map(textOf).map(plainText);
  return (
    written
      .flatMap((names) => names.split(/\s*(?:,|;|\band\b)\s*/))
      // RSS 2.0 gives an address, and the name in brackets after it.
      .map((name) => /^\S+@\S+ \((.+)\)$/.exec(name)?.[1] ?? name)
      .filter((name) => name !== '' && !name.includes('@'))
  );
}

function paperOf(entry: Element, read: Day): PaperInput | { problem: string } {
  const title = plainText(childText(entry, 'title')).replace(/\s*\(arXiv:\S+ \[[^\]]*\].*\)$/, '');
  if (title === '') return { problem: 'the entry has no title' };
  const link = linkOf(entry);
  const guid = childText(entry, 'guid') || childText(entry, 'id') || childText(entry, 'identifier');
  const words = plainText(
    childText(entry, 'encoded') ||
      childText(entry, 'content') ||
      childText(entry, 'description') ||
      childText(entry, 'summary'),
  );
  const arxiv = [link, guid.replace(/^oai:arXiv\.org:/i, '')].find((text) => readArxivId(text));
  const announced = /^arXiv:\S+\s+Announce Type:\s*\S+\s+Abstract:\s*/;
  const doi = [childText(entry, 'doi'), link, guid].map((text) => readDoi(text)).find(Boolean);
  const dates = ['published', 'pubDate', 'date', 'issued', 'updated'].map((name) => childText(entry, name));
  const authors = namesOf(entry);
  return {
    title,
    abstract: words.replace(announced, ''),
    ...(arxiv && { arxiv }),
    ...(doi && { doi }),
    authors,
    authorCount: Math.max(1, authors.length),
    // A feed without dates has what is new today.
    posted: dates.map(dayIn).find(Boolean) ?? read,
    categories: children(entry, 'category').map((category) => attribute(category, 'term') || textOf(category)),
    links: linksIn(link),
  };
}

/**
 * Reads a feed.
 * @param read the day it is read: that of entries without a date.
 * @throws UnreadableFile where it is no feed.
 */
export function readFeed(text: string, read: Day): Item[] {
  const document = readXml(text);
  const [rss] = children(document, 'rss');
  const [rdf] = children(document, 'RDF');
  const [atom] = children(document, 'feed');
  const entries = rss
    ? children(rss, 'channel').flatMap((channel) => children(channel, 'item'))
    : rdf
      ? children(rdf, 'item')
      : atom
        ? children(atom, 'entry')
        : undefined;
  if (!entries) throw new UnreadableFile('this is neither RSS nor Atom: there is no <rss>, <rdf:RDF> or <feed>');
  return entries.map((entry, i): Item => {
    const made = paperOf(entry, read);
    return 'problem' in made ? { line: i + 1, problem: made.problem } : { line: i + 1, input: made };
  });
}
