/** @file The pages of the catalogue: all methods, and the card of one with its Run panel. */

import { verdictInWords } from 'salience';
import type { z } from 'zod';
import { type MethodCard, methodsByFamily } from '../../runs/cards.ts';
import { closedNames } from '../../runs/form.ts';
import { formsOf } from '../../runs/request.ts';
import type { Site } from '../../site.ts';
import type { Asked } from '../context.ts';
import { DataTable } from '../data-table.tsx';
import { counted, page } from '../layout.tsx';
import { verdictClass } from '../reading/pieces.tsx';
import { type Filled, RunPanel, runPanelModule } from './panel.tsx';

const familyNames: Readonly<Record<string, string>> = {
  text: 'Texts',
  features: 'Features of tables',
  data: 'Training examples',
  weights: 'Weights',
  attention: 'Attention and caches',
  tokens: 'Tokens of images and video',
  tuning: 'Fine-tuning',
  regions: 'Regions and explanations',
  agents: 'Agents',
  learning: 'Learning',
};

/** All methods, by family. */
export async function methodsPage(c: Asked) {
  const families = await methodsByFamily();
  const all = [...families.values()].flat();
  const runnable = all.filter(({ implemented }) => implemented).length;
  return page(
    c,
    {
      title: 'Methods',
      at: 'methods',
      description: `${runnable} published importance scores that can be run here, each with its claim and our verdict on it.`,
    },
    <>
      <h1>Methods</h1>
      <p class="muted">
        {`${counted(runnable, 'method')} can be run on their page; ${all.length - runnable} more are planned. A verdict is ours, on the claim of the paper.`}
      </p>
      <nav aria-label="Families" class="row">
        {[...families.keys()].map((family) => (
          <a href={`#${family}`}>{familyNames[family] ?? family}</a>
        ))}
      </nav>
      {[...families].map(([family, methods]) => (
        <section aria-labelledby={family}>
          <h2 id={family}>{familyNames[family] ?? family}</h2>
          <ul class="list">
            {methods.map(({ id, name, summary, implemented, verdict, arxiv }) => (
              <li class={implemented ? undefined : 'muted'}>
                {implemented ? <a href={`/methods/${id}`}>{name}</a> : <span>{name}</span>}{' '}
                {verdict && (
                  <a class={`tag ${verdictClass(verdict)}`} href={`/claims#${id}`}>
                    {verdict}
                  </a>
                )}
                {!implemented && <span class="tag">planned</span>}
                <p class="meta">
                  {summary}
                  {arxiv && (
                    <>
                      {' '}
                      <a href={`/papers/${arxiv}`}>Paper</a>
                    </>
                  )}
                </p>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>,
  );
}

/** Where a method was published, as a link where it is known how. */
function Source({ source }: { source: string }) {
  const [, kind, id] = /^(arXiv|doi):(\S+)$/i.exec(source) ?? [];
  if (kind?.toLowerCase() === 'arxiv') return <a href={`https://arxiv.org/abs/${id}`}>{source}</a>;
  if (kind?.toLowerCase() === 'doi') return <a href={`https://doi.org/${id}`}>{source}</a>;
  return <>{source}</>;
}

/** What a card says of a parameter. */
function parameters({ method }: MethodCard) {
  return (Object.entries(method.params.shape) as [string, z.ZodType][]).map(([name, schema]) => {
    const preset = schema.safeParse(undefined);
    const value = preset.success ? preset.data : undefined;
    return {
      name,
      preset: Array.isArray(value) ? value.join(', ') : String(value ?? ''),
      description: schema.description ?? '',
    };
  });
}

/** A method's card and its Run panel, filled with what was sent where something in it was wrong. */
export function methodPage(
  c: Asked,
  site: Site,
  card: MethodCard,
  filled?: Filled,
  status: 200 | 400 | 413 | 429 = 200,
) {
  const { method, paper, claim } = card;
  const { id, name, summary, subject, unit, formula, cost, source } = method;
  const forms = formsOf(card);
  const closed = [...closedNames(forms.params), ...closedNames(forms.options)];
  return page(
    c,
    { title: `${name} · Methods`, at: 'methods', description: summary, modules: [runPanelModule] },
    <article>
      <h1>{name}</h1>
      <p>{summary}</p>
      <section aria-labelledby="run">
        <h2 id="run">Run</h2>
        <RunPanel c={c} method={card} site={site} posted filled={filled} />
      </section>
      <section aria-labelledby="card">
        <h2 id="card">Card</h2>
        <dl class="facts">
          <div>
            <dt>Scores</dt>
            <dd>{`each ${unit} of a ${subject.kind.replaceAll('-', ' ')}`}</dd>
          </div>
          <div>
            <dt>Formula</dt>
            <dd>
              <code>{formula}</code>
            </dd>
          </div>
          <div>
            <dt>Cost</dt>
            <dd>{cost}</dd>
          </div>
          <div>
            <dt>Source</dt>
            <dd>
              <Source source={source} />
              {paper && (
                <>
                  {' '}
                  {paper.arxiv ? <a href={`/papers/${paper.arxiv}`}>{paper.title}</a> : paper.title}
                  {`, ${paper.year}`}
                </>
              )}
            </dd>
          </div>
          {paper?.code && (
            <div>
              <dt>Official code</dt>
              <dd>
                <a href={`https://github.com/${paper.code}`}>{paper.code}</a>
              </dd>
            </div>
          )}
          {paper?.reconstruction && (
            <div>
              <dt>Note</dt>
              <dd>
                {`${paper.reconstruction === 'whole' ? 'A' : 'In part a'} reconstruction: no code and no formulas could be had.`}
              </dd>
            </div>
          )}
          <div>
            <dt>Takes</dt>
            <dd>{subject.accepts}</dd>
          </div>
        </dl>
      </section>
      <section aria-labelledby="claim">
        <h2 id="claim">Claim</h2>
        {claim ? (
          <>
            <p>{claim.headline}</p>
            <p>
              <a class={`tag ${verdictClass(verdictInWords(claim))}`} href={`/claims#${id}`}>
                {verdictInWords(claim)}
              </a>{' '}
              <a href={`/claims/${id}`}>Our numbers, and how to repeat them</a>
            </p>
          </>
        ) : (
          <p class="muted">
            {source === 'baseline' || !paper
              ? 'None: it is here as a baseline.'
              : 'Not verified yet: it stands in no ledger.'}
          </p>
        )}
      </section>
      <section aria-labelledby="parameters">
        <h2 id="parameters">Parameters</h2>
        <DataTable label="Table of parameters" columns={['parameter', 'default', 'meaning']}>
          {parameters(card).map(({ name: parameter, preset, description }) => (
            <tr>
              <th scope="row">
                <code>{parameter}</code>
              </th>
              <td>{preset}</td>
              <td>{description}</td>
            </tr>
          ))}
        </DataTable>
        {closed.length > 0 && (
          <p class="meta">{`Only on the command line, since they name files or addresses: ${closed.join(', ')}.`}</p>
        )}
      </section>
    </article>,
    status,
  );
}
