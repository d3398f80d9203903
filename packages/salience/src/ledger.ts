/** @file The ledger of claims: what was verified, when and with what, as claims.json and as CLAIMS.md. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Evidence } from './core/claim.ts';
import { curvesOf, sparkline } from './core/curves.ts';
import { InputError } from './core/errors.ts';
import { writeBeside } from './subjects/writing.ts';

const verdict = z.enum(['reproduced', 'not reproduced', 'undecided']);
const entry = z.object({
  method: z.string(),
  headline: z.string(),
  setting: z.string(),
  unjudged: z.string().optional(),
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
      verdict,
    }),
  ),
  measurements: z.record(z.string(), z.array(z.number())),
  seconds: z.number(),
  /** ISO date of the run. */
  date: z.string(),
  /** Of salience and of Node.js. */
  versions: z.object({ salience: z.string(), node: z.string() }),
});
const ledger = z.object({ claims: z.array(entry) });

export type LedgerEntry = z.infer<typeof entry>;

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
  for (const fresh of evidence) entries.set(fresh.method, entry.parse(fresh));
  const place = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  const claims = [...entries.values()].sort((a, b) => place(a.method) - place(b.method));
  const put = (file: string, text: string) =>
    writeBeside(file, { force: true }, (temporary) => writeFile(temporary, text));
  await put(path, `${JSON.stringify({ claims }, null, 1)}\n`);
  await put(join(folder, 'CLAIMS.md'), markdown(claims));
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
    'below m, else *undecided*; `≤ m` likewise. A *refutation* is a setting built so that a false pass would show.',
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
      '| part | role | rule | mean | 95% interval | verdict |',
      '| --- | --- | --- | --- | --- | --- |',
      ...c.parts.map(
        (p) =>
          `| ${cell(p.says)} | ${p.role} | ${cell(p.rule)} | ${number(p.mean)} | ${number(p.low)} to ${number(p.high)} | **${p.verdict}** |`,
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
        const n = values.length;
        const mean = values.reduce((sum, value) => sum + value, 0) / n;
        const variance = n > 1 ? values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1) : 0;
        return `| ${cell(name)} | ${number(mean)} | ${number(Math.sqrt(variance / n))} |`;
      }),
    );
  }
  return `${lines.join('\n')}\n`;
}
