/** @file score and keep: from paths, a method and a budget to numbers on the screen or an artefact on disk. */

import { availableParallelism } from 'node:os';
import { type AnyMethod, find } from '../catalogue.ts';
import { type Budget, parseBudget, printBudget } from '../core/budget.ts';
import { ParameterError } from '../core/errors.ts';
import { parseParams } from '../core/method.ts';
import type { Report } from '../core/report.ts';
import type { Run } from '../core/run.ts';
import { type AnyScores, isSequence, isStream, type ScoreStream, type Scores } from '../core/scores.ts';
import type { SequenceSelection } from '../core/select-sequence.ts';
import { countKept } from '../core/select-stream.ts';
import type { Kept } from '../core/subject.ts';
import { type GroupSummary, summarise, summariseSequence } from '../core/summary.ts';
import { choose, keep } from '../keep.ts';
import { checkPicture, writePicture } from './plotting.ts';
import { startRun } from './progress.ts';
import { print } from './render.ts';

export interface Choosing {
  by: string;
  budget?: string;
  set?: string[];
  seed: string;
  threads?: string;
  json?: true;
  quiet?: true;
  out?: string;
  plot?: string;
  force?: true;
  /** Flags of the method and of its subject. */
  [flag: string]: unknown;
}

/** A whole number from the command line. */
export function wholeNumber(flag: string, text: string, least: number): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || text.trim() === '' || n < least) {
    throw new ParameterError(`--${flag} ${text} is not a whole number of ${least} or more`);
  }
  return n;
}

/** Worker threads: the flag, else SALIENCE_THREADS, else as many as the machine runs at once. */
export function threadsOf(flag: string | undefined): number {
  const text = flag ?? process.env.SALIENCE_THREADS;
  return text === undefined ? availableParallelism() : wholeNumber('threads', text, 1);
}

interface CountedGroup {
  name: string;
  size: number;
  kept: number;
}

interface Prepared {
  method: AnyMethod;
  /** How the subject was loaded. */
  loading: Record<string, unknown>;
  params: Record<string, unknown>;
  subject: unknown;
  run: Run;
}

async function prepared(paths: string[], options: Choosing, action: (job: Prepared) => Promise<void>): Promise<void> {
  const method = await find(options.by).load();
  const params: Record<string, unknown> = {};
  for (const name of Object.keys(method.params.shape)) if (options[name] !== undefined) params[name] = options[name];
  for (const text of options.set ?? []) {
    const at = text.indexOf('=');
    if (at < 1) throw new ParameterError(`--set ${text}: write name=value`);
    params[text.slice(0, at)] = text.slice(at + 1);
  }
  // What was typed is checked before anything is read.
  parseParams(method, params);
  if (options.budget !== undefined) parseBudget(options.budget);
  const given = Object.fromEntries(
    Object.keys(method.subject.options.shape)
      .filter((name) => options[name] !== undefined)
      .map((name) => [name, options[name]]),
  );
  const loading = parseParams({ id: method.subject.kind, params: method.subject.options }, given);
  const seed = wholeNumber('seed', options.seed, 0);
  if (options.plot !== undefined) await checkPicture(options.plot, { force: options.force === true });
  const { run, finish } = startRun({ seed, threads: threadsOf(options.threads), quiet: options.quiet === true });
  try {
    const subject = await method.subject.load(paths, loading, run);
    await action({ method, params, subject, run, loading });
  } finally {
    await finish();
  }
}

/** One unit as JSON. */
function unitOf({ values, labels, groups }: Scores, i: number) {
  return {
    index: i,
    ...(labels && { label: labels[i] }),
    ...(groups && { group: groups.names[groups.of[i]] }),
    score: values[i],
  };
}

function selectionOf({ scores, selection }: Kept) {
  const { unit, of, budget } = selection;
  const common = { unit, of, budget: printBudget(budget) };
  if ('walk' in selection) return { ...common, count: selection.count, groups: walkedGroups(selection) };
  if ('kept' in selection) {
    const units = [...selection.kept].map((i) => unitOf(scores as Scores, i));
    const { threshold } = selection;
    return { ...common, count: units.length, ...(Number.isFinite(threshold) && { threshold }), units };
  }
  const cuts = selection.cuts.map(({ threshold, ties }) => ({
    ...(Number.isFinite(threshold) && { threshold }),
    ties: ties === Infinity ? 'all' : ties,
  }));
  return { ...common, count: selection.count, scope: selection.scope, cuts };
}

function walkedGroups({ groups, counts }: SequenceSelection): CountedGroup[] {
  return groups.map(({ name, size }, g) => ({ name, size, kept: counts[g] }));
}

export async function scoreCommand(paths: string[], options: Choosing): Promise<void> {
  await prepared(paths, options, async ({ method, params, subject, run, loading }) => {
    const head = {
      method: method.id,
      subject: paths,
      params: parseParams(method, params),
      options: loading,
      seed: run.seed,
    };
    if (options.budget !== undefined) {
      const kept: Kept = await choose(method, subject, options.budget, { params, run });
      const { scores, selection } = kept;
      if ('kept' in selection) {
        const { findings } = scores as Scores;
        if (options.json) printJson({ ...head, ...selectionOf(kept), ...(findings && { findings }) });
        else print(ranking(scores as Scores, [...selection.kept]));
      } else if ('walk' in selection) {
        if (options.json) printJson({ ...head, ...selectionOf(kept) });
        else print(keptOf(selection, walkedGroups(selection)));
      } else {
        const { groups } = scores as ScoreStream;
        const counts = await countKept(scores as ScoreStream, selection, run);
        const table = groups.map(({ name, size }, g) => ({ name, size, kept: counts[g] }));
        if (options.json) printJson({ ...head, ...selectionOf(kept), groups: table });
        else print(keptOf(selection, table));
      }
      await plotted(method, scores, options);
      return;
    }
    const scores = await method.score(subject, parseParams(method, params), run);
    if (isStream(scores) || isSequence(scores)) {
      const groups = isStream(scores) ? await summarise(scores, run) : await summariseSequence(scores);
      if (options.json) printJson({ ...head, unit: scores.unit, groups });
      else print(summaryOf(scores.unit, groups));
      await plotted(method, scores, options);
      return;
    }
    const all = Array.from(scores.values, (_, i) => i);
    const { findings } = scores;
    const units = () => all.map((i) => unitOf(scores, i));
    if (options.json) printJson({ ...head, unit: scores.unit, units: units(), ...(findings && { findings }) });
    else print(ranking(scores, all));
    await plotted(method, scores, options);
  });
}

/** Rows of a ranking that a terminal is shown; JSON has all. */
const mostShown = 200;

/** The picture, if one is asked for; what was found is printed before, and is not lost where there is nothing to draw. */
async function plotted(method: AnyMethod, scores: AnyScores, { plot, force }: Choosing): Promise<void> {
  const findings = 'findings' in scores ? scores.findings : undefined;
  if (plot !== undefined) await writePicture(method.id, findings, plot, { force: force === true });
}

/** Units from the highest score to the lowest, then what else was found. */
function ranking(scores: Scores, indices: number[]): Report {
  const order = indices.sort((i, j) => scores.values[j] - scores.values[i] || i - j);
  const several = scores.groups && scores.groups.names.length > 1 && scores.groups;
  return {
    title: `${order.length} of ${scores.values.length} ${scores.unit}s, highest score first`,
    blocks: [
      {
        kind: 'table',
        columns: ['score', scores.unit, ...(several ? ['in'] : [])],
        rows: order
          .slice(0, mostShown)
          .map((i) => [
            scores.values[i],
            scores.labels?.[i] ?? `${scores.unit} ${i}`,
            ...(several ? [several.names[several.of[i]]] : []),
          ]),
      },
      ...(order.length > mostShown
        ? [{ kind: 'text' as const, text: `… and ${order.length - mostShown} more; --json prints all` }]
        : []),
      ...(scores.findings ?? []),
    ],
  };
}

/** How many units of each group a budget keeps. */
function keptOf(
  { unit, count, of, budget }: { unit: string; count: number; of: number; budget: Budget },
  groups: readonly CountedGroup[],
): Report {
  return {
    title: `${count.toLocaleString('en-US')} of ${of.toLocaleString('en-US')} ${unit}s kept (budget ${printBudget(budget)})`,
    blocks: [
      {
        kind: 'table',
        columns: ['group', `${unit}s`, 'kept', 'share'],
        rows: groups.map(({ name, size, kept }) => [name, size, kept, `${((100 * kept) / size).toFixed(2)}%`]),
      },
    ],
  };
}

function summaryOf(unit: string, groups: readonly GroupSummary[]): Report {
  return {
    title: `${groups.reduce((sum, { size }) => sum + size, 0).toLocaleString('en-US')} ${unit}s in ${groups.length} groups`,
    blocks: [
      {
        kind: 'table',
        columns: ['group', `${unit}s`, 'mean', 'least', 'greatest'],
        rows: groups.map(({ name, size, mean, min, max }) => [name, size, mean, min, max]),
      },
    ],
  };
}

export async function keepCommand(paths: string[], options: Choosing): Promise<void> {
  const { kind, needsOutput } = (await find(options.by).load()).subject;
  if (needsOutput && options.out === undefined) {
    throw new ParameterError(`keeping part of a ${kind} writes a new one; name where with --out`);
  }
  await prepared(paths, options, async ({ method, params, subject, run, loading }) => {
    const output = { path: options.out, force: options.force === true };
    const { report, ...rest } = await keep(method, subject, options.budget!, { params, run, output });
    const kept: Kept = rest;
    const head = {
      method: method.id,
      subject: paths,
      params: parseParams(method, params),
      options: loading,
      seed: run.seed,
    };
    if (options.json) printJson({ ...head, ...selectionOf(kept), ...(output.path && { out: output.path }), report });
    else print(report);
    await plotted(method, kept.scores, options);
  });
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 1)}\n`);
}
