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

/**
 * What a paper reports where it makes the comparison of a part. It is a fact about the paper, measured in another setting than
 * ours: it stands beside our number for the reader, and neither rule nor verdict ever looks at it.
 */
export interface Reported {
  /** As the source has it, short enough for a cell of a table: "up to +15 points", "85.04 ± 0.20% against 85.52 ± 0.14%". */
  readonly figure: string;
  /** What it was measured on and by what: data, model, metric. */
  readonly setting: string;
  /** Where it was read: "abstract", "the paper’s text", or what else it was that told it. */
  readonly source: string;
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
  /** Of a headline part alone; absent where no figure for the comparison was found in what could be read of the paper. */
  readonly reported?: Reported;
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
  readonly reported?: Reported;
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

/**
 * Declares a claim.
 * @throws TypeError if a rule has no margin or two, or a part that is no headline carries a figure of the paper.
 */
export function claim(spec: Claim): Claim {
  for (const { id, role, rule, reported } of spec.parts) {
    if ((rule.atLeast === undefined) === (rule.atMost === undefined)) {
      throw new TypeError(`claim ${spec.method}, part ${id}: a rule has either atLeast or atMost`);
    }
    if (reported && role !== 'headline') {
      throw new TypeError(`claim ${spec.method}, part ${id}: a ${role} is ours, the paper reports nothing on it`);
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
  const parts = claim.parts.map(({ id, says, role, rule, reported }) => {
    const over = rule.over === undefined ? undefined : valuesOf(rule.over);
    const differences = valuesOf(rule.of).map((value, s) => value - (over?.[s] ?? 0));
    const interval = bootstrapMean(differences, run.random(`verify/${claim.method}/${id}`));
    const verdict = judge(rule, interval);
    return { id, says, role, rule: printRule(rule), ...interval, verdict, ...(reported && { reported }) };
  });
  const { method, headline, setting, unjudged, seeds } = claim;
  const seconds = (performance.now() - started) / 1000;
  return { method, headline, setting, ...(unjudged && { unjudged }), seeds, parts, measurements, seconds };
}

/**
 * Evidence with the words of the claim as it reads today (headline, setting, what is not judged, what each part says and what
 * the paper reports), its numbers and verdicts as they were measured.
 * @throws InputError if the claim has other seeds, parts, roles or rules than were run.
 */
export function restate(evidence: Evidence, claim: Claim): Evidence {
  const { method, headline, setting, unjudged, seeds, parts } = claim;
  const refuse = (what: string, run: string, now: string): never => {
    throw new InputError(`claim ${method}: ${what} "${run}" when it was run, and now "${now}": it must be run again`);
  };
  const same = (what: string, run: string, now: string) => run === now || refuse(what, run, now);
  if (evidence.method !== method) throw new InputError(`evidence on ${evidence.method} is not on the claim ${method}`);
  same('the seeds were', evidence.seeds.join(', '), seeds.join(', '));
  const ids = (of: readonly { id: string }[]) => of.map(({ id }) => id);
  const [run, now] = [ids(evidence.parts), ids(parts)];
  const at = run.findIndex((id, i) => id !== now[i]);
  const first = at < 0 && run.length !== now.length ? run.length : at;
  if (first >= 0) refuse(`part ${first + 1} was`, run[first] ?? 'absent', now[first] ?? 'absent');
  const restated = evidence.parts.map(({ reported: _, ...measured }, i) => {
    const { id, says, role, rule, reported } = parts[i];
    same(`the role of part ${id} was`, measured.role, role);
    same(`the rule of part ${id} was`, measured.rule, printRule(rule));
    return { ...measured, says, ...(reported && { reported }) };
  });
  const { measurements, seconds } = evidence;
  return { method, headline, setting, ...(unjudged && { unjudged }), seeds, parts: restated, measurements, seconds };
}

/** What the paper reports for a part, as one text; nothing for a part that is not the paper's. */
export function reportedInWords({ role, reported }: Pick<PartEvidence, 'role' | 'reported'>): string {
  if (reported) return `${reported.figure} (${reported.setting}; ${reported.source})`;
  return role === 'headline' ? 'none found' : '';
}

/** The mean of a measurement over the seeds, and its standard error: 0 of one value alone. */
export function meanAndError(values: readonly number[]): { mean: number; error: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = n > 1 ? values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1) : 0;
  return { mean, error: Math.sqrt(variance / n) };
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
        columns: ['part', 'role', 'rule', 'mean', '95% interval', 'verdict', 'the paper’s'],
        rows: evidence.parts.map((p) => [
          p.says,
          p.role,
          p.rule,
          three(p.mean),
          `${three(p.low)} to ${three(p.high)}`,
          p.verdict,
          reportedInWords(p),
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
          const { mean, error } = meanAndError(values);
          return [name, three(mean), three(error), values.length];
        }),
      },
    ],
  };
}
