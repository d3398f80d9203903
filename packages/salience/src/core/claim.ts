/** @file Claim: a paper's headline as something that runs, over seeds, judged by a rule written down before the run. */

import { bootstrapMean } from './bootstrap.ts';
import { curvesOf, sparkline } from './curves.ts';
import { InputError } from './errors.ts';
import type { Block, Report } from './report.ts';
import type { Run } from './run.ts';

export type Verdict = 'reproduced' | 'not reproduced' | 'undecided';

/**
 * What one seed gave: a number a name, e.g. `"lexrank"` and `"centroid"`, or `"noise 2: lexrank"`.
 */
export type Measurements = Readonly<Record<string, number>>;

/**
 * The rule of a part: the paired difference `of` − `over` (or `of` alone) in each seed, its mean, and the 95% bootstrap
 * interval of that mean over the seeds, against a margin.
 * `atLeast m`: reproduced if the interval lies at or above m, not reproduced if the mean lies below m, else undecided.
 * `atMost m`: reproduced if the interval lies at or below m, not reproduced if the mean lies above m, else undecided.
 */
export interface Rule {
  readonly of: string;
  readonly over?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface ClaimPart {
  readonly id: string;
  /** What is claimed, in our words. */
  readonly says: string;
  /**
   * `headline`: what the paper says. `control`: what must hold for the headline to mean what it says.
   * `refutation`: a setting built so that a false pass of the headline shows; its verdict is published beside it.
   */
  readonly role: 'headline' | 'control' | 'refutation';
  readonly rule: Rule;
}

export interface Claim {
  /** The method's id. */
  readonly method: string;
  /** The paper's headline, in our words. */
  readonly headline: string;
  /** What is run: data, arms, metric. */
  readonly setting: string;
  /** What the paper's headline says that none of the parts can judge, and why. */
  readonly unjudged?: string;
  readonly seeds: readonly number[];
  readonly parts: readonly ClaimPart[];
  /** One seed's measurements; all randomness from `run`. */
  measure(run: Run): Promise<Measurements>;
}

export interface PartEvidence {
  readonly id: string;
  readonly says: string;
  readonly role: ClaimPart['role'];
  /** The rule in words. */
  readonly rule: string;
  /** Mean over the seeds, and its 95% bootstrap interval. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly verdict: Verdict;
}

export interface Evidence {
  readonly method: string;
  readonly headline: string;
  readonly setting: string;
  readonly unjudged?: string;
  readonly seeds: readonly number[];
  readonly parts: readonly PartEvidence[];
  /** Each measurement's values, one a seed. */
  readonly measurements: Readonly<Record<string, readonly number[]>>;
  readonly seconds: number;
}

/** Declares a claim. */
export function claim(spec: Claim): Claim {
  for (const { id, rule } of spec.parts) {
    if ((rule.atLeast === undefined) === (rule.atMost === undefined)) {
      throw new TypeError(`claim ${spec.method}, part ${id}: a rule has either atLeast or atMost`);
    }
  }
  return spec;
}

/** A rule in words. */
export function printRule({ of, over, atLeast, atMost }: Rule): string {
  const what = over === undefined ? of : `${of} − ${over}`;
  return atLeast !== undefined ? `${what} ≥ ${atLeast}` : `${what} ≤ ${atMost}`;
}

/** The verdict of a rule on a mean and its interval. */
export function judge(
  { atLeast, atMost }: Rule,
  { mean, low, high }: { mean: number; low: number; high: number },
): Verdict {
  if (atLeast !== undefined) {
    if (mean < atLeast) return 'not reproduced';
    return low >= atLeast ? 'reproduced' : 'undecided';
  }
  if (mean > atMost!) return 'not reproduced';
  return high <= atMost! ? 'reproduced' : 'undecided';
}

/**
 * Runs a claim over its seeds and judges each part.
 * @throws InputError if a rule names a measurement that was not taken, or one is not finite.
 */
export async function verify(claim: Claim, run: Run): Promise<Evidence> {
  const started = performance.now();
  const measurements: Record<string, number[]> = {};
  let done = 0;
  for (const seed of claim.seeds) {
    run.check();
    run.progress(`verify ${claim.method}`, done++, claim.seeds.length);
    const repetition = run.withSeed(seed);
    try {
      for (const [name, value] of Object.entries(await claim.measure(repetition))) {
        measurements[name] ??= [];
        measurements[name].push(value);
      }
    } finally {
      await repetition.close();
    }
  }
  run.progress(`verify ${claim.method}`, done, claim.seeds.length);
  const valuesOf = (name: string): number[] => {
    const values = measurements[name];
    if (values?.length !== claim.seeds.length || !values.every(Number.isFinite)) {
      throw new InputError(`claim ${claim.method}: "${name}" was not measured as a finite number in every seed`);
    }
    return values;
  };
  const parts = claim.parts.map(({ id, says, role, rule }) => {
    const over = rule.over === undefined ? undefined : valuesOf(rule.over);
    const differences = valuesOf(rule.of).map((value, s) => value - (over?.[s] ?? 0));
    const interval = bootstrapMean(differences, run.random(`verify/${claim.method}/${id}`));
    return { id, says, role, rule: printRule(rule), ...interval, verdict: judge(rule, interval) };
  });
  const { method, headline, setting, unjudged, seeds } = claim;
  const seconds = (performance.now() - started) / 1000;
  return { method, headline, setting, ...(unjudged && { unjudged }), seeds, parts, measurements, seconds };
}

/** The evidence as a report: the verdicts, curves over budgets where there are any, then every measurement with its mean and standard error. */
export function reportOf(evidence: Evidence): Report {
  const three = (x: number) => Number(x.toPrecision(3));
  return {
    title: `${evidence.method}: ${evidence.headline}`,
    blocks: [
      { kind: 'text', text: evidence.setting },
      ...(evidence.unjudged ? [{ kind: 'text' as const, text: `Not judged: ${evidence.unjudged}` }] : []),
      {
        kind: 'table',
        columns: ['part', 'role', 'rule', 'mean', '95% interval', 'verdict'],
        rows: evidence.parts.map((p) => [
          p.says,
          p.role,
          p.rule,
          three(p.mean),
          `${three(p.low)} to ${three(p.high)}`,
          p.verdict,
        ]),
      },
      ...curvesOf(evidence.measurements).flatMap(({ what, at, arms }): Block[] => {
        const greatest = Math.max(...arms.flatMap(({ means }) => means.filter(Number.isFinite)));
        const shown = (value: number) => (Number.isFinite(value) ? three(value) : '');
        return [
          { kind: 'text', text: what },
          {
            kind: 'table',
            columns: ['arm', 'curve', ...at],
            rows: arms.map(({ name, means }) => [name, sparkline(means, greatest), ...means.map(shown)]),
          },
        ];
      }),
      {
        kind: 'table',
        columns: ['measurement', 'mean', 's.e.', 'seeds'],
        rows: Object.entries(evidence.measurements).map(([name, values]) => {
          const n = values.length;
          const mean = values.reduce((sum, v) => sum + v, 0) / n;
          const variance = n > 1 ? values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1) : 0;
          return [name, three(mean), three(Math.sqrt(variance / n)), n];
        }),
      },
    ],
  };
}
