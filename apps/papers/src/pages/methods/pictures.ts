/** @file The pictures of reports and claims: SVG files of their own, since a page's policy allows no styles within it. */

import { type Chart, curvesOf, type LedgerEntry } from 'salience';
import { svgOf } from 'salience/charts';
import type { Block } from 'salience/core';

export interface Picture {
  readonly svg: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

function sized(svg: string): Picture {
  const [, width = '720', height = '400'] = /^<svg[^>]*? width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return { svg, width: Math.ceil(Number(width)), height: Math.ceil(Number(height)) };
}

/** Pictures that were asked for lately, the latest last. */
const drawn = new Map<string, Promise<Picture | undefined>>();
const mostDrawn = 200;

function remembered(key: string, draw: () => Promise<Picture | undefined>): Promise<Picture | undefined> {
  const picture = drawn.get(key) ?? draw();
  drawn.delete(key);
  drawn.set(key, picture);
  for (const oldest of drawn.keys()) {
    if (drawn.size <= mostDrawn) break;
    drawn.delete(oldest);
  }
  picture.catch(() => drawn.delete(key));
  return picture;
}

/**
 * The picture of a block of a run's report; nothing for a block that is none.
 * @param key what is drawn once, e.g. the run's id and the block's number.
 */
export function pictureOfBlock(key: string, block: Block | undefined): Promise<Picture | undefined> {
  return remembered(key, async () => (block?.kind === 'chart' ? sized(await svgOf([block])) : undefined));
}

/** "50%" is 50, "B 48" is 48. */
function budgetNumber(budget: string): number {
  return Number.parseFloat(budget.replace(/^B /, ''));
}

/** The curves of a claim, each arm a line over the budgets, baselines among them; none where nothing was measured at several budgets. */
export function curveCharts({
  measurements,
}: LedgerEntry): { title: string; chart: Extract<Chart, { type: 'lines' }> }[] {
  return curvesOf(measurements).map(({ what, at, arms }) => ({
    title: what,
    chart: {
      type: 'lines',
      x: at.every((budget) => budget.endsWith('%')) ? 'kept or given, %' : 'budget',
      y: what,
      lines: arms.map(({ name, means }) => ({
        label: name,
        points: means
          .map((y, i) => ({ x: budgetNumber(at[i]), y }))
          .filter(({ y }) => Number.isFinite(y))
          .sort((a, b) => a.x - b.x),
      })),
    },
  }));
}

/** The curves of a claim as one picture, below each other; nothing where it has none. */
export function pictureOfClaim(claim: LedgerEntry): Promise<Picture | undefined> {
  return remembered(`claim ${claim.method} ${claim.date}`, async () => {
    const charts = curveCharts(claim);
    return charts.length > 0 ? sized(await svgOf(charts)) : undefined;
  });
}
