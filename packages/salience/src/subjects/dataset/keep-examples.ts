/** @file Keeping a dataset: its file with the kept examples as they stood, and beside it an index of what was kept and why. */

import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { type Budget, printBudget } from '../../core/budget.ts';
import { InputError } from '../../core/errors.ts';
import type { Block, Report } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import type { Selection } from '../../core/select.ts';
import type { Kept, Output } from '../../core/subject.ts';
import { writeBlocks } from '../../models/table-files/text-records.ts';
import { openAgain } from '../table/table-options.ts';
import { checkOutput, writeBeside } from '../writing.ts';
import type { Dataset } from './dataset.ts';

/**
 * Writes the kept examples in the format and order of their file, and `<path>.index.jsonl` with a line for each: its row in the file
 * (the first is 0), its score, its rank by score (the best is 1), its class or group. Both appear, or neither.
 * @throws InputError if the scores are not of these examples or nothing is kept; what writing throws.
 */
export async function keepExamples(dataset: Dataset, kept: Kept, { path, force }: Output, run: Run): Promise<Report> {
  const { scores, selection } = kept;
  if (!('values' in scores) || !('kept' in selection))
    throw new InputError('the scores of a dataset come in one piece');
  const { values, unit } = scores;
  if (values.length !== dataset.examples)
    throw new InputError(`there are ${values.length} scores for ${dataset.examples} examples of ${dataset.name}`);
  const budget = printBudget(selection.budget);
  if (selection.kept.length === 0) {
    throw new InputError(`the budget ${budget} keeps no ${unit} of ${values.length}; an output needs one`);
  }
  const blocks = blocksOf(dataset, scores, selection);
  if (path !== undefined) {
    const { source } = dataset;
    if (!source) throw new InputError(`${dataset.name} was made in memory and has no file to keep examples of`);
    const file = await openAgain(source, run);
    const index = `${path}.index.jsonl`;
    await checkOutput(index, { force });
    let written: Awaited<ReturnType<typeof writeIndex>> | undefined;
    try {
      await writeBeside(path, { force }, async (temporary) => {
        await file.writeRows(temporary, selection.kept, run);
        const rows = await open(temporary, 'r+');
        await rows.sync().finally(() => rows.close());
        written = await writeIndex(index, force, linesOf(dataset, scores, selection));
      });
    } catch (error) {
      await written?.undo();
      throw error;
    }
    await written?.forget();
    blocks.push({ kind: 'text', text: `Written to ${path}; which rows they were, and why, to ${index}.` });
  }
  return {
    title: `${selection.kept.length.toLocaleString('en-US')} of ${values.length.toLocaleString('en-US')} ${unit}s of ${dataset.name} kept (budget ${budget})`,
    blocks,
  };
}

/** Kept examples by class, or by the method's groups. */
function blocksOf({ labels }: Dataset, { values, groups }: Scores, { kept, budget }: Selection): Block[] {
  const names = labels?.classes ?? groups?.names;
  const of = labels?.of ?? groups?.of;
  let low = Infinity;
  let high = -Infinity;
  for (const i of kept) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  const range: Block = {
    kind: 'text',
    text: `Scores of what was kept: ${Number(low.toPrecision(4))} to ${Number(high.toPrecision(4))}.`,
  };
  if (!names || !of) return [range];
  const all = new Array<number>(names.length).fill(0);
  const count = new Array<number>(names.length).fill(0);
  for (const k of of) all[k]++;
  for (const i of kept) count[of[i]]++;
  const table: Block = {
    kind: 'table',
    columns: [labels ? 'class' : 'group', 'examples', 'kept', 'share'],
    rows: names.map((name, k) => [
      name,
      all[k],
      count[k],
      all[k] === 0 ? '' : `${((100 * count[k]) / all[k]).toFixed(1)}%`,
    ]),
  };
  // Of classes only: a method may be for letting a group, such as a cluster, go as a whole.
  const emptied = labels ? names.filter((_, k) => all[k] > 0 && count[k] === 0) : [];
  if (emptied.length === 0) return [range, table];
  const counted = budget.amount.kind === 'share' || budget.amount.kind === 'count';
  const floored = counted && labels?.of === groups?.of && budget.floor === 0 && kept.length >= names.length;
  return [range, table, { kind: 'text', text: remarkOn(emptied, floored ? { ...budget, floor: 1 } : undefined) }];
}

/** Classes that are named at the most; the table has all. */
const mostNamed = 10;

/** Says which classes keep no example, and a budget that would leave each one, where there is one. */
function remarkOn(emptied: readonly string[], floored: Budget | undefined): string {
  const more = emptied.length - mostNamed;
  const named = emptied.slice(0, mostNamed).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const [of, them] = emptied.length === 1 ? ['class', 'it'] : ['classes', 'them'];
  return (
    `No example is kept of ${of} ${named}: what is trained on the rest cannot know ${them}.` +
    (floored ? ` The budget "${printBudget(floored)}" keeps one of each.` : '')
  );
}

function* linesOf(
  { labels }: Dataset,
  { values, groups, labels: says }: Scores,
  { kept }: Selection,
): Generator<Buffer> {
  const order = Uint32Array.from(kept, (_, k) => k).sort((a, b) => values[kept[b]] - values[kept[a]] || a - b);
  const ranks = new Uint32Array(kept.length);
  for (let k = 0; k < order.length; k++) ranks[order[k]] = k + 1;
  let lines: string[] = [];
  for (let k = 0; k < kept.length; k++) {
    const row = kept[k];
    lines.push(
      `${JSON.stringify({
        row,
        score: values[row],
        rank: ranks[k],
        ...(labels && { class: labels.classes[labels.of[row]] }),
        ...(groups &&
          groups.names[groups.of[row]] !== labels?.classes[labels.of[row]] && { group: groups.names[groups.of[row]] }),
        ...(says && { label: says[row] }),
      })}\n`,
    );
    if (lines.length === 4096) {
      yield Buffer.from(lines.join(''));
      lines = [];
    }
  }
  yield Buffer.from(lines.join(''));
}

/**
 * Writes the index while the examples, whole and on the disk, still have their temporary name.
 * @returns puts back what was in the index's place before, or forgets it.
 */
async function writeIndex(index: string, force: boolean, lines: Iterable<Buffer>) {
  const before = `${index}.${randomBytes(6).toString('hex')}.before`;
  const had = await link(index, before).then(
    () => true,
    () => false,
  );
  const forget = async () => {
    if (had) await rm(before, { force: true });
  };
  try {
    await writeBeside(index, { force }, (temporary) => writeBlocks(temporary, lines));
  } catch (error) {
    await forget();
    throw error;
  }
  return { forget, undo: () => (had ? rename(before, index) : rm(index, { force: true })) };
}
