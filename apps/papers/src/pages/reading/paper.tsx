/** @file A paper's page. */

import { Hono } from 'hono';
import { reportedInWords, verdictInWords } from 'salience';
import { type PaperRecord, type PaperSummary, paperById } from '../../papers/lists.ts';
import { countView } from '../../papers/views.ts';
import { commentCount, commentsOf } from '../../people/comments.ts';
import { votedBy } from '../../people/votes.ts';
import { cardOf, type MethodCard } from '../../runs/cards.ts';
import { related } from '../../search/search.ts';
import type { Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { counted, page } from '../layout.tsx';
import { RunPanel, runPanelModule } from '../methods/panel.tsx';
import { CommentThread, VoteForm } from '../people/pieces.tsx';
import { beginning, DayTime, methodPath, paperPath, verdictClass } from './pieces.tsx';
import { notFoundPage } from './refusals.tsx';

/** Related papers that are shown. */
const relatives = 6;

/** Authors' names that are shown before the rest is folded. */
const namesShown = 12;

function AuthorLinks({ authors }: { authors: PaperRecord['authors'] }) {
  return (
    <>
      {authors.map(({ name, key }, i) => (
        <>
          {i > 0 && ', '}
          <a href={`/authors/${encodeURIComponent(key)}`}>{name}</a>
        </>
      ))}
    </>
  );
}

function Authors({ paper: { authors, authorCount } }: { paper: PaperRecord }) {
  if (authors.length === 0) return <p class="authors">{counted(authorCount, 'author')}</p>;
  return (
    <div class="authors">
      <p>
        <AuthorLinks authors={authors.slice(0, namesShown)} />
        {authorCount > authors.length && ` … ${counted(authorCount, 'author')}`}
      </p>
      {authors.length > namesShown && (
        <details>
          <summary>and {authors.length - namesShown} more</summary>
          <p>
            <AuthorLinks authors={authors.slice(namesShown)} />
          </p>
        </details>
      )}
    </div>
  );
}

/** Where the paper and its code are; every address was held to http(s) when it came in, and is again here. */
function Places({ paper }: { paper: PaperRecord }) {
  const { arxiv, doi, codeUrl, links } = paper;
  const places = [
    ...(arxiv
      ? [
          { href: `https://arxiv.org/abs/${arxiv}`, text: 'arXiv' },
          { href: `https://arxiv.org/pdf/${arxiv}`, text: 'PDF' },
        ]
      : []),
    ...(doi ? [{ href: `https://doi.org/${encodeURI(doi)}`, text: 'DOI' }] : []),
    ...(codeUrl ? [{ href: codeUrl, text: 'Code' }] : []),
  ];
  const known = new Set(places.map(({ href }) => href));
  const others = links
    .filter((href) => !known.has(href) && !/\/\/(?:[a-z]+\.)?arxiv\.org\/|\/\/doi\.org\//.test(href))
    .map((href) => ({ href, text: URL.canParse(href) ? new URL(href).host : href }));
  return (
    <>
      {[...places, ...others.slice(0, 6)]
        .filter(({ href }) => /^https?:\/\//i.test(href))
        .map(({ href, text }) => (
          <a class="button" href={href} rel="nofollow noopener">
            {text}
          </a>
        ))}
    </>
  );
}

/** A class that shades by a score from 0 to 1. */
function heat(score: number): string {
  return `heat-${Math.round(10 * Math.min(1, Math.max(0, score)))}`;
}

function Digest({ digest }: { digest: NonNullable<PaperSummary['digest']> }) {
  return (
    <section aria-labelledby="digest">
      <h2 id="digest">
        {digest.length === 1 ? 'In one sentence' : `In ${digest.length === 2 ? 'two' : 'three'} sentences`}
      </h2>
      <p class="digest">
        {digest.map(({ text, score }) => (
          <>
            <span class={heat(score)} title={`LexRank ${score.toFixed(2)}`}>
              {text}
            </span>{' '}
          </>
        ))}
      </p>
      <p class="meta">
        <span>
          The most central of its own sentences, by <a href="/methods/lexrank">LexRank</a>; the stronger the shade, the
          more central
        </span>
      </p>
    </section>
  );
}

function Keyphrases({ phrases }: { phrases: NonNullable<PaperSummary['keyphrases']> }) {
  return (
    <section aria-labelledby="keyphrases">
      <h2 id="keyphrases">Keyphrases</h2>
      <ul class="row tags">
        {phrases.map(({ phrase }) => (
          <li>
            <a class="tag" href={`/search?${new URLSearchParams({ q: `"${phrase}"` })}`}>
              {phrase}
            </a>
          </li>
        ))}
      </ul>
      <p class="meta">
        <span>
          By <a href="/methods/semre-rank">SemRe-Rank</a>
        </span>
      </p>
    </section>
  );
}

function Method({ c, site, card }: { c: Asked; site: Site; card: MethodCard }) {
  const { method, entry, claim } = card;
  const verdict = claim && verdictInWords(claim);
  return (
    <>
      <section id="run" aria-labelledby="run-title">
        <h2 id="run-title">Run {method.name} here</h2>
        <p>{method.summary}</p>
        <dl class="facts">
          <div>
            <dt>Scores</dt>
            <dd>each {method.unit}</dd>
          </div>
          <div>
            <dt>Formula</dt>
            <dd>{method.formula}</dd>
          </div>
          <div>
            <dt>Cost</dt>
            <dd>{method.cost}</dd>
          </div>
        </dl>
        <div class="card">
          <RunPanel c={c} method={card} site={site} />
        </div>
        <p>
          <a href={methodPath(entry.id)}>All about {method.name}</a>
        </p>
      </section>
      {claim && verdict && (
        <section id="claim" aria-labelledby="claim-title">
          <h2 id="claim-title">Its claim</h2>
          <div class="card">
            <p>
              <span class={`tag ${verdictClass(verdict)}`}>{verdict}</span>
            </p>
            <p>{claim.headline}</p>
            <ul>
              {claim.parts
                .filter(({ role }) => role === 'headline')
                .map(({ role, says, verdict: judged, reported }) => (
                  <li>
                    {says} <strong class={verdictClass(judged)}>{judged}</strong>
                    {reported && (
                      <small class="muted">{` The paper reports: ${reportedInWords({ role, reported })}`}</small>
                    )}
                  </li>
                ))}
            </ul>
            <p>
              <a href={`/claims/${encodeURIComponent(entry.id)}`}>Numbers, seeds, and how to repeat it</a>
            </p>
          </div>
        </section>
      )}
    </>
  );
}

function Beside({ paper, others }: { paper: PaperRecord; others: readonly PaperSummary[] }) {
  const { topics, versions, categories } = paper;
  return (
    <div class="beside">
      {topics.length > 0 && (
        <section aria-labelledby="topics">
          <h2 id="topics">Topics</h2>
          <ul class="row tags">
            {topics.map(({ id, name }) => (
              <li>
                <a class="tag" href={`/topics/${encodeURIComponent(id)}`}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
          {categories.length > 0 && <p class="meta">{categories.join(' · ')}</p>}
        </section>
      )}
      {others.length > 0 && (
        <section aria-labelledby="related">
          <h2 id="related">Related</h2>
          <ul class="list related">
            {others.map(({ id, title, posted, implemented }) => (
              <li>
                <a href={paperPath(id)}>{title}</a>
                <span class="meta">
                  <DayTime day={posted} />
                  {implemented && <span>Runs here</span>}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {versions.length > 1 && (
        <section aria-labelledby="versions">
          <h2 id="versions">Versions</h2>
          <ul class="list versions">
            {versions.map(({ version, at, title, note }) => (
              <li>
                v{version}, <DayTime day={at} />
                {title !== paper.title && <span class="meta">as “{title}”</span>}
                {note && <span class="meta">{note}</span>}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

async function paperPage(c: Asked, site: Site, paper: PaperRecord) {
  const { id, title, abstract, abstractKind, digest, keyphrases } = paper;
  const [comments, others, voted, card] = await Promise.all([
    commentsOf(site, id),
    related(site, id, relatives),
    votedBy(site, c.get('person'), [id]),
    paper.system && paper.implemented ? cardOf(paper.system) : undefined,
    countView(site, id, { address: c.get('address'), userAgent: c.req.header('user-agent') }),
  ]);
  return page(
    c,
    {
      title,
      description: beginning(abstract, 200) || undefined,
      canonical: site.config.url + paperPath(id),
      kind: 'article',
      modules: card ? [runPanelModule] : [],
    },
    <div class="paper-page">
      <article>
        <header>
          <h1>{title}</h1>
          <Authors paper={paper} />
          <p class="meta">
            <span>
              Posted <DayTime day={paper.posted} yearInferred={paper.yearInferred} />
              {paper.yearInferred && ' (year inferred)'}
            </span>
            {paper.version > 1 && <a href="#versions">version {paper.version}</a>}
            {paper.arxiv && <span>arXiv:{paper.arxiv}</span>}
            <a href="#comments">{counted(paper.comments, 'comment')}</a>
            {paper.views > 0 && <span>{counted(paper.views, 'reader')}</span>}
          </p>
          {paper.withdrawn && (
            <p class="error">
              <strong>Withdrawn.</strong> Its authors took this paper back; what follows is its last text.
            </p>
          )}
          <div class="row places">
            <VoteForm c={c} paper={paper} voted={voted.has(id)} />
            {card && (
              <a class="button primary" href="#run">
                Run it here
              </a>
            )}
            <Places paper={paper} />
          </div>
        </header>
        {abstract !== '' && (
          <section aria-labelledby="abstract">
            <h2 id="abstract">{abstractKind === 'summary' ? 'Our summary' : 'Abstract'}</h2>
            <p>{abstract}</p>
            {abstractKind === 'summary' && (
              <p class="meta">
                <span>In our own words; the authors’ abstract stands at the source.</span>
              </p>
            )}
          </section>
        )}
        {digest && digest.length > 0 && <Digest digest={digest} />}
        {keyphrases && keyphrases.length > 0 && <Keyphrases phrases={keyphrases} />}
        {card && <Method c={c} site={site} card={card} />}
        <CommentThread
          c={c}
          paper={{ id, importedComments: paper.comments - commentCount(comments) }}
          comments={comments}
        />
      </article>
      <Beside paper={paper} others={others} />
    </div>,
  );
}

/** /papers/:id, also by the ids and versions a paper was known by before. */
export function paperRoutes(site: Site): Hono<AppEnv> {
  return new Hono<AppEnv>().get('/papers/:id', async (c) => {
    const asked = c.req.param('id');
    const paper = asked.length <= 300 ? await paperById(site, asked) : undefined;
    if (!paper)
      return notFoundPage(c, 'There is no such paper here. It may be known by another id; the search finds it.');
    if (paper.id !== asked) return c.redirect(paperPath(paper.id), 301);
    return paperPage(c, site, paper);
  });
}
