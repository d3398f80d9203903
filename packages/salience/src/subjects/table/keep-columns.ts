/** @file Keeping a table: its file with the kept columns and the target, all rows. */

import { printBudget } from '../../core/budget.ts';
import { InputError } from '../../core/errors.ts';
import type { Block, Report } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import type { Kept, Output } from '../../core/subject.ts';
import { writeBeside } from '../writing.ts';
import type { Table } from './table.ts';
import { openAgain } from './table-options.ts';

/** Scores of a table's columns, or of sets of them. */
export interface TableScores extends Scores {
  /** The columns of each unit, by their places in the table; absent where unit k is column k. */
  readonly members?: readonly (readonly number[])[];
}

/**
 * Writes the columns that are in a kept unit, and the target, in the format of the file they came from.
 * @throws InputError if the scores are not of this table's columns, or nothing is kept; what writing throws.
 */
export async function keepColumns(table: Table, kept: Kept, { path, force }: Output, run: Run): Promise<Report> {
  const { scores, selection } = kept;
  if (!('values' in scores) || !('kept' in selection)) throw new InputError('the scores of a table come in one piece');
  const { members, labels, unit, values } = scores as TableScores;
  if ((members ?? table.columns).length !== values.length) {
    throw new InputError(
      `there are ${values.length} scores for ${(members ?? table.columns).length} ${unit}s of ${table.name}`,
    );
  }
  if (selection.kept.length === 0) {
    throw new InputError(
      `the budget ${printBudget(selection.budget)} keeps no ${unit} of ${values.length}; a table needs one`,
    );
  }
  const columns = [...new Set(Array.from(selection.kept, (u) => members?.[u] ?? [u]).flat())].sort((a, b) => a - b);
  const names = columns.map((c) => table.columns[c].name);
  const ranked = Array.from(selection.kept).sort((a, b) => values[b] - values[a] || a - b);
  const blocks: Block[] = [
    {
      kind: 'table',
      columns: ['rank', unit, 'score'],
      rows: ranked.map((u, rank) => [
        rank + 1,
        labels?.[u] ?? (members?.[u] ?? [u]).map((c) => table.columns[c].name).join(' × '),
        Number(values[u].toPrecision(4)),
      ]),
    },
  ];
  if (members) blocks.push({ kind: 'text', text: `Columns: ${names.join(', ')}.` });
  if (path !== undefined) {
    const { source, target } = table;
    if (!source) throw new InputError(`${table.name} was made in memory and has no file to keep columns of`);
    const file = await openAgain(source, run);
    const wanted = new Set(target ? [...names, target.name] : names);
    await writeBeside(path, { force }, (temporary) => file.writeColumns(temporary, wanted, run));
    blocks.push({
      kind: 'text',
      text: `Written to ${path}: ${names.length} columns${target ? ` and the target ${target.name}` : ''}, all rows, in the order of the file.`,
    });
  }
  return {
    title: `${names.length} of ${table.columns.length} columns of ${table.name} kept (budget ${printBudget(selection.budget)})`,
    blocks,
  };
}
