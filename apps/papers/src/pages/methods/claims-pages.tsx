/** @file The ledger: every claim with our number beside the paper's and the rule that judges it, and what was measured for it. */

import { type LedgerEntry, meanAndError, verdictInWords } from 'salience';
import { cardOf, claimsByMethod } from '../../runs/cards.ts';
import type { Asked } from '../context.ts';
import { DataTable } from '../data-table.tsx';
import { counted, page } from '../layout.tsx';
import { verdictClass } from '../reading/pieces.tsx';
import { curveCharts, pictureOfClaim } from './pictures.ts';
import { chartInWords, shownNumber } from './report-tree.ts';

type Part = LedgerEntry['parts'][number];

/** The class of a verdict's tag: whether all, none or some of the headline held. */
function tone({ parts }: LedgerEntry): string {
  const headline = parts.filter(({ role }) => role === 'headline');
  if (headline.every(({ verdict }) => verdict === 'reproduced')) return 'tag good';
  return headline.every(({ verdict }) => verdict === 'not reproduced') ? 'tag bad' : 'tag open';
}

const three = (value: number) => String(Number(value.toPrecision(3))).replace('-', '−');

/** A rule such as "LexRank − centroid ≥ 0.005" as what is measured and what it must be for the claim to hold. */
function sides(rule: string): { measured: string; holds: string } {
  const [, measured = rule, holds = ''] = /^(.*) ([≥≤] \S+)$/.exec(rule) ?? [];
  return { measured, holds };
}

async function nameOf(id: string): Promise<string> {
  return (await cardOf(id))?.method.name ?? id;
}

/** The claims of the ledger, each with its parts. */
export async function claimsPage(c: Asked) {
  const claims = [...(await claimsByMethod()).values()];
  const named = await Promise.all(claims.map(async (claim) => ({ claim, name: await nameOf(claim.method) })));
  return page(
    c,
    {
      title: 'Claims',
      at: 'claims',
      description: 'What the papers say, what we measured, and whether it held.',
    },
    <>
      <h1>Claims</h1>
      <p>
        Each claim is a paper’s headline as something that runs. Its parts have rules that were written down before the
        first run: what is measured, as a mean over seeds with its 95% bootstrap interval, and what it must be for the
        paper to be right here. Beside our number stands what the paper reports for the same comparison, where we could
        read a figure for it. It is of another setting, which is said with it, since our data and models are small and
        our own; so it judges nothing. <em>None found</em>: no figure stands in what we could read of the paper.{' '}
        <em>Reproduced</em>: the whole interval is on the right side of the margin; <em>not reproduced</em>: the mean is
        on the wrong side; else <em>undecided</em>. What was not reproduced is published like anything else.
      </p>
      <DataTable label="All claims" columns={['method', 'verdict', { numbers: 'seeds' }, 'headline']}>
        {named.map(({ claim, name }) => (
          <tr>
            <th scope="row">
              <a href={`#${claim.method}`}>{name}</a>
            </th>
            <td>
              <span class={tone(claim)}>{verdictInWords(claim)}</span>
            </td>
            <td class="score">{claim.seeds.length}</td>
            <td class="says">{claim.headline}</td>
          </tr>
        ))}
      </DataTable>
      {named.map(({ claim, name }) => (
        <section aria-labelledby={claim.method}>
          <h2 id={claim.method}>
            <a href={`/claims/${claim.method}`}>{name}</a> <span class={tone(claim)}>{verdictInWords(claim)}</span>
          </h2>
          <p>{claim.headline}</p>
          <Parts parts={claim.parts.filter(({ role }) => role === 'headline')} of={`Parts of the claim of ${name}`} />
          <p class="meta">
            <a href={`/methods/${claim.method}`}>Run the method</a> ·{' '}
            <a href={`/claims/${claim.method}`}>
              {`setting, ${counted(claim.parts.filter(({ role }) => role !== 'headline').length, 'control and refutation', 'controls and refutations')}, measurements`}
            </a>
          </p>
        </section>
      ))}
    </>,
  );
}

/** What the paper reports for a part, with its setting. */
function ThePapers({ reported }: Pick<Part, 'reported'>) {
  if (!reported) return <span class="muted">none found</span>;
  const { figure, setting, source } = reported;
  return (
    <>
      {figure} <small class="muted">{`${setting} (${source})`}</small>
    </>
  );
}

/** Parts of one role as a table; only those of the headline have something of the paper's. */
function Parts({ parts, of }: { parts: readonly Part[]; of: string }) {
  const headline = parts[0]?.role === 'headline';
  const columns = [
    'what is claimed',
    { numbers: 'holds where' },
    ...(headline ? ['the paper’s'] : []),
    { numbers: 'ours' },
    { numbers: '95% interval' },
    'verdict',
    'what is measured',
  ];
  return (
    <DataTable label={`${of}, as a table`} columns={columns}>
      {parts.map(({ says, rule, mean, low, high, verdict, reported }) => (
        <tr>
          <th scope="row" class="says">
            {says}
          </th>
          <td class="score">{sides(rule).holds}</td>
          {headline && (
            <td class="papers">
              <ThePapers reported={reported} />
            </td>
          )}
          <td class="score">{three(mean)}</td>
          <td class="score">{`${three(low)} to ${three(high)}`}</td>
          <td>
            <span class={`tag ${verdictClass(verdict)}`}>{verdict}</span>
          </td>
          <td class="measured muted">{sides(rule).measured}</td>
        </tr>
      ))}
    </DataTable>
  );
}

const roles = [
  ['headline', 'What the paper says', ''],
  ['control', 'Controls', 'What must hold for the headline to mean what it says.'],
  ['refutation', 'Refutations', 'Settings built so that a false pass of the headline shows.'],
] as const;

/** One claim with everything that the ledger holds on it. */
export async function claimPage(c: Asked, claim: LedgerEntry) {
  const { method, headline, setting, unjudged, seeds, parts, measurements, seconds, date, versions } = claim;
  const name = await nameOf(method);
  const picture = await pictureOfClaim(claim);
  return page(
    c,
    { title: `${name} · Claims`, at: 'claims', description: headline },
    <article>
      <h1>
        <a href={`/methods/${method}`}>{name}</a> <span class={tone(claim)}>{verdictInWords(claim)}</span>
      </h1>
      <p>{headline}</p>
      {unjudged && <p class="notice">{`Not judged: ${unjudged}`}</p>}
      <h2>Setting</h2>
      <p>{setting}</p>
      {roles.map(([role, title, explained]) => {
        const own = parts.filter((part) => part.role === role);
        return (
          own.length > 0 && (
            <section aria-label={title}>
              <h2>{title}</h2>
              {explained && <p class="muted">{explained}</p>}
              <Parts parts={own} of={title} />
            </section>
          )
        );
      })}
      {picture && (
        <section aria-label="Curves">
          <h2>Curves</h2>
          <figure class="chart">
            <img
              src={`/claims/${method}/chart.svg`}
              width={picture.width}
              height={picture.height}
              alt={curveCharts(claim)
                .map(({ title, chart }) => chartInWords(title, chart))
                .join(' ')}
              decoding="async"
            />
          </figure>
        </section>
      )}
      <h2>To repeat it</h2>
      <pre class="command">
        <code>{`npx salience verify ${method}`}</code>
      </pre>
      <p class="meta">
        {`Run on ${date} with salience ${versions.salience} on Node.js ${versions.node}: ${counted(seeds.length, 'seed')} (${seeds.join(', ')}), ${Math.round(seconds)} s.`}
      </p>
      <details>
        <summary>{counted(Object.keys(measurements).length, 'measurement')}</summary>
        <DataTable label="Measurements" columns={['measurement', 'mean', 's.e.']}>
          {Object.entries(measurements).map(([what, values]) => {
            const { mean, error } = meanAndError(values);
            return (
              <tr>
                <th scope="row">{what}</th>
                <td class="score">{shownNumber(Number(mean.toPrecision(3))).replace('-', '−')}</td>
                <td class="score">{three(error)}</td>
              </tr>
            );
          })}
        </DataTable>
      </details>
    </article>,
  );
}
