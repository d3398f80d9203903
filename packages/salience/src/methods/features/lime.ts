/** @file LIME (arXiv:1602.04938): a feature matters by its weight in a linear fit of the model around a row. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Block } from '../../core/report.ts';
import { lime as explain, limeSpace } from '../../numerics/explanation/lime.ts';
import { blackBoxFor, modelParams } from '../../subjects/table/black-box-of.ts';
import { rowsToExplain } from '../../subjects/table/explained-rows.ts';
import { table } from '../../subjects/table/subject.ts';
import { rowsOf } from '../../subjects/table/table.ts';

export const lime = method({
  id: 'lime',
  name: 'LIME',
  source: 'arXiv:1602.04938',
  summary: 'Scores a feature by the mean size of its weight in linear fits of the model around single rows.',
  unit: 'feature',
  subject: table,
  formula:
    'mean over rows of |w_j|, w = argmin Σ_z √exp(−D(x, z)² / σ²) (f(z) − w · z − w₀)² + λ |w|²; features in deviations, a category as 1 where it is the row’s',
  cost: 'samples predictions and samples · features² steps a row',
  params: z.object({
    ...modelParams.shape,
    row: z.int().min(-1).default(-1).describe('number of the one row to explain; -1 explains those to test on'),
    rows: z.int().positive().default(50).describe('rows explained at the most, drawn by the seed'),
    samples: z.int().positive().default(5000).describe('perturbed rows a fit'),
    width: z.number().positive().optional().describe('width σ of the kernel in deviations; default 0.75 · √features'),
    ridge: z.number().min(0).default(1).describe('penalty λ of the weights'),
  }),
  async score(of, params, run) {
    const model = await blackBoxFor(of, params, run);
    const indices = rowsToExplain(of, params.row, params.rows, run);
    const d = of.columns.length;
    const space = limeSpace(
      rowsOf(of, of.train),
      d,
      of.columns.map(({ kind }) => kind === 'categorical' || kind === 'boolean'),
    );
    const rows = rowsOf(of, indices);
    const sizes = new Float64Array(d);
    const sums = new Float64Array(d);
    let fit = 0;
    for (let r = 0; r < indices.length; r++) {
      run.progress('fits', r, indices.length);
      await run.breathe();
      const { samples, width, ridge } = params;
      const found = await explain((x) => model.predict(x), rows.subarray(r * d, (r + 1) * d), space, {
        samples,
        ridge,
        ...(width !== undefined && { width }),
        random: run.random('lime').stream(String(indices[r])),
      });
      fit += found.fit / indices.length;
      found.weights.forEach((w, c) => {
        sizes[c] += Math.abs(w) / indices.length;
        sums[c] += w / indices.length;
      });
    }
    const labels = of.columns.map(({ name }) => name);
    const findings: Block[] = [
      {
        kind: 'text',
        text: `${model.name}: the linear fits explain ${(100 * fit).toFixed(0)}% of the weighted variance around a row, on average over ${indices.length} ${indices.length === 1 ? 'row' : 'rows'}.`,
      },
      {
        kind: 'table',
        columns: ['feature', 'mean weight', 'mean size'],
        rows: labels.map((label, c) => [label, Number(sums[c].toPrecision(4)), Number(sizes[c].toPrecision(4))]),
      },
    ];
    return { unit: 'feature', values: Float32Array.from(sizes), labels, findings };
  },
});
