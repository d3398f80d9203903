/** @file The parts of docs/observable-points.md that are made from the code: the tables of points, the example and what it prints. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { layerPoints, modelPoints } from '../dist/models/decoder/points.js';

const example = fileURLToPath(new URL('../examples/look-inside.js', import.meta.url));

/** Each part by the name of its marker. */
export function pointsPageParts() {
  const table = (points, before) =>
    [
      '| point | shape | what |',
      '| --- | --- | --- |',
      ...points.map(({ name, shape, what }) => `| \`${before}${name}\` | ${shape.join(' × ')} | ${what} |`),
    ].join('\n');
  const code = readFileSync(example, 'utf8').split(/^\/\/ \d\. (\w+)\n/m);
  const sections = Array.from({ length: (code.length - 1) / 2 }, (_, i) => [code[2 * i + 1], code[2 * i + 2].trim()]);
  const imports = code[0].split('\n').slice(2).join('\n').trim();
  return {
    'points of a layer': table(layerPoints, 'layers.N.'),
    'points of the model': table(modelPoints, ''),
    ...Object.fromEntries(
      sections.map(([name, text]) => [name, `\`\`\`js\n${name === 'model' ? `${imports}\n\n${text}` : text}\n\`\`\``]),
    ),
    printed: execFileSync(process.execPath, [example], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      .trimEnd()
      .split('\n')
      .map((line) => `    ${line}`)
      .join('\n'),
  };
}
