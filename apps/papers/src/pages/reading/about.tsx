/** @file What this is, by which formulas papers are ordered, where they come from, and what is kept of readers. */

import { Hono } from 'hono';
import { gravity } from '../../papers/lists.ts';
import { forYouFormula } from '../../people/for-you.ts';
import type { Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { page } from '../layout.tsx';

function aboutPage(c: Asked, site: Site) {
  return page(
    c,
    {
      title: 'About and formulas',
      description: 'How the feed works: every formula, where papers come from, what is kept of readers.',
      canonical: `${site.config.url}/about`,
    },
    <div class="prose">
      <h1>About</h1>
      <p>
        A daily feed of papers. Read a day, a week or a month; search by meaning and by words; have the day’s papers
        sent by e-mail or read them in a feed reader. Papers whose method is implemented can be run on their page, and
        say whether their claim held when we tried it. Everything can be read without an account, and without scripts.
      </p>
      <nav aria-label="On this page">
        <ul>
          {[
            ['day', 'The day’s list'],
            ['trending', 'Trending'],
            ['search', 'Search'],
            ['for-you', 'For you'],
            ['topics', 'Topics'],
            ['digest', 'Digests and keyphrases'],
            ['claims', 'Claims'],
            ['sources', 'Where papers come from'],
            ['feeds', 'Feeds, mail and API'],
            ['privacy', 'Privacy'],
          ].map(([id, title]) => (
            <li>
              <a href={`#${id}`}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>

      <h2 id="day">The day’s list</h2>
      <p>
        First what curators picked for the day, in their order and with their names; then the other papers posted on
        that day, those with more comments and votes first. Days are those of UTC. Where a source leaves out the year,
        it is the latest for which the day is not in the future, and the page says so.
      </p>

      <h2 id="trending">Trending</h2>
      <p>Papers by</p>
      <pre>score = (comments + votes + ln(1 + readers) + 1) / (age + 2)^{String(gravity)}</pre>
      <p>
        with the age in whole days since the paper was posted. A reader counts once a day for each paper; programs that
        say what they are do not count. “Newest” is by day, then by discussion; “discussed” by the number of comments,
        then by day.
      </p>

      <h2 id="search">Search</h2>
      <p>
        Two rankings are made and fused. By words: stems of title and abstract, with BM25 (k₁ = 1.2, b = 0.75). By
        meaning: the cosine of vectors of the whole text. A paper at rank r of a ranking gets
      </p>
      <pre>1 / (60 + r)</pre>
      <p>
        from it, and the sums order the result (reciprocal rank fusion). “Words in quotes” must stand in the paper as
        they are. A word that is in no paper is corrected to one that is close, and the page says so. Filters narrow
        down both rankings. The address of a search can be shared, followed and read as a feed.
      </p>
      <p>
        The built-in vectors are learnt from the collection itself (latent semantics), without any download: they know
        which words go together here, not what they mean elsewhere, and of a word that is in no paper they know nothing.
        Whoever runs this site can name a sentence encoder instead. What only meaning finds must be at least half as
        near as the nearest, and is a hundred papers at most. Related papers are those nearest to a paper by the same
        vectors, or by its most telling words until there are vectors.
      </p>

      <h2 id="for-you">For you</h2>
      <p>
        For readers who are signed in and follow topics, authors or searches. Each candidate has log-odds z and a
        relevance r, and the list is arranged one by one:
      </p>
      <pre>{forYouFormula}</pre>
      <p>
        T: how sure it belongs to a followed topic. A: 1 where a followed author wrote it. S: how well it fits a saved
        search, beside the best fit. H: its trending score beside the highest. The second part keeps one theme from
        filling the day.
      </p>

      <h2 id="topics">Topics</h2>
      <p>
        A paper belongs to a topic whose phrases it shows: in the title a phrase counts 3, in the abstract 1 (three
        times at most), a fitting arXiv category ½; the weight is
      </p>
      <pre>1 − e^(−sum / 3)</pre>
      <p>and below 0.4 it does not belong.</p>

      <h2 id="digest">Digests and keyphrases</h2>
      <p>
        A digest is the three sentences of an abstract that are most central in the graph of its sentences, by{' '}
        <a href="/methods/lexrank">LexRank</a>, in the order in which they stand; the shading is their score. Keyphrases
        are by <a href="/methods/semre-rank">SemRe-Rank</a> over some hundred papers: its score · √(share of the term’s
        occurrences that are in this paper) · ln(1 + papers / papers with the term), half as much again in the title,
        half for a single word. Both are papers of this feed, run on the feed.
      </p>

      <h2 id="claims">Claims</h2>
      <p>
        Each implemented paper carries its headline as a claim: parts with rules that were written before the first run.
        The verdict follows from the numbers alone and is shown whatever it is. <a href="/claims">All claims</a> are in
        the ledger.
      </p>

      <h2 id="sources">Where papers come from</h2>
      <p>
        From arXiv’s public interface, from services that speak the same JSON as the original daily papers, from RSS and
        Atom feeds, from files, and from readers who <a href="/submit">submit</a> an arXiv id or a DOI. What several
        sources say of one paper becomes one record: newer versions replace older ones, and withdrawn papers are marked,
        not hidden. Abstracts are their authors’; where “Our summary” stands instead, the words are ours. Thank you to
        arXiv for use of its open access interoperability.
      </p>

      <h2 id="feeds">Feeds, mail and API</h2>
      <p>
        <a href="/feed.xml">Atom</a> and <a href="/feed.json">JSON</a> feeds stand at every list: a day, week or month,
        trending, newest and most discussed, each topic, each author and each search. <a href="/subscribe">Mail</a>{' '}
        comes daily or weekly, only after you confirmed by a link, and stops with one click. The <a href="/api">API</a>{' '}
        has the addresses and fields of the original.
      </p>

      <h2 id="privacy">Privacy</h2>
      <ul>
        <li>
          Reading sets no cookie, and nothing here comes from another site. A form may set one that only guards the
          form; another stays while you are signed in.
        </li>
        <li>
          A view is kept as a hash of the day, your address and a secret; it cannot be turned back, and it is forgotten
          within two days. Its only use is the number of readers.
        </li>
        <li>
          An account is your e-mail address, a name, and what you do with it: votes, comments, follows, keys. Your
          network address is not kept with it. On <a href="/you">your page</a> you can take all of it along, end
          sessions, and delete the account.
        </li>
        <li>What is limited is counted by a hash of your account or network, for an hour at most.</li>
        <li>A subscription is your address, how often, and which topics. Nobody is told who has one.</li>
        <li>
          What you run in your browser stays there. What you run on the server is kept under an address that cannot be
          guessed.
        </li>
        <li>Your choice of colours, and whether keys are on, stay in your browser.</li>
      </ul>
    </div>,
  );
}

/** /about. */
export function aboutRoutes(site: Site): Hono<AppEnv> {
  return new Hono<AppEnv>().get('/about', (c) => aboutPage(c, site));
}
