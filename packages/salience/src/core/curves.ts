/** @file Curves: measurements of one thing at several budgets, an arm a line. */

export interface Curves {
  /** What was measured, e.g. "recall, question later". */
  readonly what: string;
  /** The budgets, as they were named, in the order they came. */
  readonly at: readonly string[];
  /** Means over the seeds, shape [at]; not a number where an arm was not measured. */
  readonly arms: readonly { readonly name: string; readonly means: readonly number[] }[];
}

/**
 * The curves among a claim's measurements: those named `<what>, 25%: <arm>` or `<what>, B 48: <arm>`, where there are two budgets or
 * more. An arm `<what>: <arm>` of the same thing, such as one without a budget, is a level line.
 */
export function curvesOf(measurements: Readonly<Record<string, readonly number[]>>): Curves[] {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const found = new Map<string, { at: string[]; arms: Map<string, Map<string, number>> }>();
  for (const [name, values] of Object.entries(measurements)) {
    const [, what, at, arm] = /^(.+), (B \d+|[\d.]+%): (.+)$/.exec(name) ?? [];
    if (what === undefined) continue;
    const curve = found.get(what) ?? { at: [], arms: new Map<string, Map<string, number>>() };
    found.set(what, curve);
    if (!curve.at.includes(at)) curve.at.push(at);
    const line = curve.arms.get(arm) ?? new Map<string, number>();
    curve.arms.set(arm, line.set(at, mean(values)));
  }
  return [...found]
    .filter(([, { at }]) => at.length > 1)
    .map(([what, { at, arms }]) => {
      const full = measurements[`${what}: full`];
      return {
        what,
        at,
        arms: [
          ...(full ? [{ name: 'full', means: at.map(() => mean(full)) }] : []),
          ...Array.from(arms, ([name, line]) => ({ name, means: at.map((budget) => line.get(budget) ?? Number.NaN) })),
        ],
      };
    });
}

/** A curve as blocks, its greatest value the highest; a gap where there is no number. */
export function sparkline(values: readonly number[], greatest: number): string {
  const heights = '▁▂▃▄▅▆▇█';
  return values
    .map((value) =>
      Number.isFinite(value) ? heights[Math.max(0, Math.min(7, Math.round((7 * value) / greatest)))] : ' ',
    )
    .join('');
}
