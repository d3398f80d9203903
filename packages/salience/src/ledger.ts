/** @file The ledger of claims: what was verified, when and with what, as claims.json and as CLAIMS.md. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Claim, type Evidence, meanAndError, reportedInWords, restate } from './core/claim.ts';
import { curvesOf, sparkline } from './core/curves.ts';
import { InputError } from './core/errors.ts';
import { writeBeside } from './subjects/writing.ts';

/** A claim's entry in the ledger: the words of the claim, and what was measured. */
export const ledgerEntrySchema = z.object({
  method: z.string(),
  headline: z.string(),
  setting: z.string().meta({ description: 'What is run: data, arms, metric' }),
  unjudged: z.string().optional().meta({ description: 'What of the headline no part can judge, and why' }),
  seeds: z.array(z.number()),
  parts: z.array(
    z.object({
      id: z.string(),
      says: z.string(),
      role: z.enum(['headline', 'control', 'refutation']),
      rule: z.string(),
      mean: z.number(),
      low: z.number(),
      high: z.number(),
      verdict: z.enum(['reproduced', 'not reproduced', 'undecided']),
      reported: z
        .object({
          figure: z.string(),
          setting: z.string().meta({ description: 'What the figure was measured on and by what' }),
          source: z.string().meta({ description: 'Where the figure was read' }),
        })
        .optional()
        .meta({
          description: 'What the paper reports for the same comparison, in another setting; no part of the verdict',
        }),
    }),
  ),
  measurements: z.record(z.string(), z.array(z.number())).meta({ description: 'One value a seed' }),
  seconds: z.number(),
  date: z.string().meta({ description: 'ISO date of the run' }),
  versions: z.object({ salience: z.string(), node: z.string() }),
});
const ledger = z.object({ claims: z.array(ledgerEntrySchema) });

export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;

/**
 * The entries of a claims.json, none if there is no such file.
 * @throws InputError if the file is not a ledger.
 */
export async function readLedger(path: string): Promise<LedgerEntry[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [];
  try {
    return ledger.parse(JSON.parse(text)).claims;
  } catch {
    throw new InputError(`${path}: is not a ledger of claims as "salience verify" writes it`);
  }
}

/** The entries of the ledger that this package was built with. */
export function packageLedger(): Promise<LedgerEntry[]> {
  return readLedger(fileURLToPath(new URL('./claims.json', import.meta.url)));
}

/** Puts new evidence into the ledger of a folder: claims.json and CLAIMS.md, entries in the order given by `order`. */
export async function writeLedger(
  folder: string,
  evidence: readonly (Evidence & Pick<LedgerEntry, 'date' | 'versions'>)[],
  order: readonly string[],
): Promise<void> {
  const path = join(folder, 'claims.json');
  const entries = new Map((await readLedger(path)).map((old) => [old.method, old]));
  for (const fresh of evidence) entries.set(fresh.method, ledgerEntrySchema.parse(fresh));
  const place = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  const claims = [...entries.values()].sort((a, b) => place(a.method) - place(b.method));
  const put = (file: string, text: string) =>
    writeBeside(file, { force: true }, (temporary) => writeFile(temporary, text));
  await put(path, `${JSON.stringify({ claims }, null, 1)}\n`);
  await put(join(folder, 'CLAIMS.md'), markdown(claims));
}

/** The texts of an entry that a claim's words replace, by what they are. */
function wordsOf({ headline, setting, unjudged = '', parts }: LedgerEntry): Record<string, string> {
  const words: Record<string, string> = { headline, setting, 'what is not judged': unjudged };
  for (const part of parts) {
    words[`what part ${part.id} says`] = part.says;
    words[`what the paper reports for part ${part.id}`] = reportedInWords(part);
  }
  return words;
}

/**
 * Puts the words of these claims as they read today into the ledger of a folder, without running them: no number, verdict or
 * date changes. All of it is written, or nothing.
 * @returns for each claim what was worded otherwise before, e.g. `setting`; nothing where nothing was.
 * @throws InputError if a claim is not in the ledger, or has other seeds, parts, roles or rules than were run.
 */
export async function restateLedger(
  folder: string,
  claims: readonly Claim[],
  order: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const path = join(folder, 'claims.json');
  const entries = new Map((await readLedger(path)).map((entry) => [entry.method, entry]));
  const changed = new Map<string, readonly string[]>();
  const restated = claims.map((claim) => {
    const entry = entries.get(claim.method);
    if (!entry) throw new InputError(`${path} has no entry on ${claim.method}: the claim must be run`);
    const fresh = ledgerEntrySchema.parse({ ...restate(entry, claim), date: entry.date, versions: entry.versions });
    const [before, after] = [wordsOf(entry), wordsOf(fresh)];
    changed.set(
      claim.method,
      Object.keys(after).filter((what) => before[what] !== after[what]),
    );
    return fresh;
  });
  await writeLedger(folder, restated, order);
  return changed;
}

/** The verdicts of the headline parts, counted where they differ; "in part" where the paper says more than they judge. */
export function verdictInWords({ parts, unjudged }: Pick<LedgerEntry, 'parts' | 'unjudged'>): string {
  const headline = parts.filter(({ role }) => role === 'headline');
  const counts = (['reproduced', 'not reproduced', 'undecided'] as const)
    .map((kind) => [headline.filter((part) => part.verdict === kind).length, kind] as const)
    .filter(([count]) => count > 0);
  const verdict = counts.length === 1 ? counts[0][1] : counts.map(([count, kind]) => `${count} ${kind}`).join(', ');
  return unjudged ? `${verdict}, in part` : verdict;
}

function markdown(claims: readonly LedgerEntry[]): string {
  const number = (x: number) => String(Number(x.toPrecision(3)));
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const lines = [
    '# Claims',
    '',
    'Written by `npm run verify`. Each part of a claim has a rule that was fixed before it was run: a mean over seeds, its 95%',
    'bootstrap interval, and a margin. `≥ m` is *reproduced* if the interval lies at or above m, *not reproduced* if the mean lies',
    'below m, else *undecided*; `≤ m` likewise. A *refutation* is a setting built so that a false pass would show. *The paper’s* is',
    'the figure that stands for the comparison of a headline part in what could be read of the paper, with its own data and metric: a',
    'fact beside our number, no part of the verdict; *none found* says that there is none.',
    '',
    '| method | headline | verdict on the headline |',
    '| --- | --- | --- |',
    ...claims.map((c) => `| [${c.method}](#${c.method}) | ${cell(c.headline)} | ${verdictInWords(c)} |`),
  ];
  for (const c of claims) {
    lines.push(
      '',
      `## ${c.method}`,
      '',
      `${c.headline}`,
      '',
      `${c.setting}`,
      '',
      ...(c.unjudged ? [`Not judged: ${c.unjudged}`, ''] : []),
      `Run on ${c.date} with salience ${c.versions.salience} on Node.js ${c.versions.node}: ${c.seeds.length} seeds (${c.seeds.join(', ')}), ${Math.round(c.seconds)} s.`,
      '',
      '| part | role | rule | the paper’s | mean | 95% interval | verdict |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...c.parts.map(
        (p) =>
          `| ${cell(p.says)} | ${p.role} | ${cell(p.rule)} | ${cell(reportedInWords(p))} | ${number(p.mean)} | ${number(p.low)} to ${number(p.high)} | **${p.verdict}** |`,
      ),
      ...curvesOf(c.measurements).flatMap(({ what, at, arms }) => {
        const greatest = Math.max(...arms.flatMap(({ means }) => means.filter(Number.isFinite)));
        return [
          '',
          `| ${cell(what)} | | ${at.join(' | ')} |`,
          `| --- | --- | ${at.map(() => '--:').join(' | ')} |`,
          ...arms.map(
            ({ name, means }) =>
              `| ${cell(name)} | ${sparkline(means, greatest)} | ${means.map((mean) => (Number.isFinite(mean) ? number(mean) : '')).join(' | ')} |`,
          ),
        ];
      }),
      '',
      '| measurement | mean | s.e. |',
      '| --- | --- | --- |',
      ...Object.entries(c.measurements).map(([name, values]) => {
        const { mean, error } = meanAndError(values);
        return `| ${cell(name)} | ${number(mean)} | ${number(error)} |`;
      }),
    );
  }
  return `${lines.join('\n')}\n`;
}
