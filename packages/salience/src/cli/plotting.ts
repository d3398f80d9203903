/** @file --plot: the charts among a method's findings as a picture on disk. */

import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { ParameterError } from '../core/errors.ts';
import type { Block } from '../core/report.ts';
import { checkOutput, writeBeside } from '../subjects/writing.ts';

/**
 * Refuses a picture that could not be written, before any work.
 * @throws ParameterError for an ending other than .svg and .png; OutputError as writeBeside does.
 */
export async function checkPicture(path: string, output: { force: boolean }): Promise<void> {
  if (!['.svg', '.png'].includes(extname(path).toLowerCase())) {
    throw new ParameterError(`--plot ${path}: a picture is written as .svg or .png`);
  }
  await checkOutput(path, output);
}

/**
 * Writes the charts of findings into one picture, one below the other.
 * @throws ParameterError if there is no chart among them; OutputError if it cannot be written.
 */
export async function writePicture(
  method: string,
  findings: readonly Block[] | undefined,
  path: string,
  output: { force: boolean },
): Promise<void> {
  const charts = (findings ?? []).flatMap((block) => (block.kind === 'chart' ? [block] : []));
  if (charts.length === 0)
    throw new ParameterError(`--plot ${path}: ${method} found nothing to draw here, so that there is no picture`);
  const { pngOf, svgOf } = await import('../charts/picture.ts');
  const svg = await svgOf(charts);
  const content = extname(path).toLowerCase() === '.png' ? await pngOf(svg) : svg;
  await writeBeside(path, output, (temporary) => writeFile(temporary, content));
}
