/** @file How files of rows and columns are read: the options that tables, datasets and preferences share. */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { openTableFile } from '../../models/table-files/open-table-file.ts';
import type { TableFile } from '../../models/table-files/table-file.ts';

export const readingOptions = {
  types: z
    .string()
    .default('')
    .describe('types of columns, e.g. age=number,grade=ordinal(low<mid<high); found out where not told'),
  missing: z
    .string()
    .default('')
    .describe('what means missing beside empty, NA, NaN, null and ?, e.g. -9,unknown or age=-1 for one column'),
  header: z
    .enum(['auto', 'yes', 'no'])
    .default('auto')
    .describe('whether the first line of a CSV file names its columns'),
  separator: z.string().optional().describe('what separates the cells of a CSV file; "tab" is a tab'),
};

/** Opens the one file that a subject is. */
export function openOne(
  what: string,
  paths: readonly string[],
  { header, separator }: { header: 'auto' | 'yes' | 'no'; separator?: string },
  run: Run,
): Promise<TableFile> {
  if (paths.length !== 1)
    throw new InputError(`a ${what} is one file; ${paths.length} were given: ${paths.join(', ')}`);
  return openTableFile(
    paths[0],
    {
      ...(header !== 'auto' && { header: header === 'yes' }),
      ...(separator !== undefined && { separator: separator === 'tab' || separator === '\\t' ? '\t' : separator }),
    },
    run,
  );
}

/** What a subject remembers of its file. */
export interface FileSource {
  readonly path: string;
  readonly separator?: string;
  readonly header?: boolean;
  readonly size: number;
  readonly changed: number;
}

/** What is to be remembered of a file, so that it can be opened again as it was. */
export function sourceOf({ path, format, separator, header, size, changed }: TableFile) {
  return {
    path,
    format,
    ...(separator !== undefined && { separator }),
    ...(header !== undefined && { header }),
    size,
    changed,
  };
}

/**
 * Opens the file that a subject was read from.
 * @throws InputError if it changed since.
 */
export async function openAgain(source: FileSource, run: Run): Promise<TableFile> {
  const file = await openTableFile(source.path, source, run);
  if (file.changed !== source.changed || file.size !== source.size)
    throw new InputError(`${source.path}: changed since it was read; score it anew`);
  return file;
}

/**
 * Place of a column by its name.
 * @param role what it was named for: "--target".
 * @throws InputError listing the columns.
 */
export function columnAt(
  { path, names, header }: Pick<TableFile, 'path' | 'names' | 'header'>,
  name: string,
  role: string,
): number {
  const at = names.indexOf(name);
  if (at >= 0) return at;
  const nameless = header === false ? '; its first line was not read as names (--header yes would)' : '';
  throw new InputError(
    `${path}: has no column "${name}" for ${role}; it has ${listed(names)}${names.length > 12 ? ` (the last is ${names.at(-1)})` : ''}${nameless}`,
  );
}

/** Names, the first of many. */
export function listed(names: readonly string[], most = 12): string {
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
