/** @file Features by their mutual information with the target, one by one, from nearest neighbours. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { mutualInformation as informationOf } from '../../numerics/statistics/mutual-information.ts';
import { trainingTargets } from '../../subjects/table/labelled-inputs.ts';
import { table } from '../../subjects/table/subject.ts';

export const mutualInformation = method({
  id: 'mutual-information',
  name: 'Mutual information',
  source: 'arXiv:cond-mat/0305641',
  summary: 'Scores a feature by how much knowing it tells about the target, on its own.',
  unit: 'feature',
  subject: table,
  formula:
    'I(x; y) = ψ(n) + ψ(k) − mean(ψ(n_x + 1) + ψ(n_y + 1)); for a class ψ(n) + ψ(k) − mean(ψ(n_class) + ψ(m)), in nats',
  cost: 'O(n √(k n)) a feature',
  params: z.object({
    neighbours: z.int().min(1).default(3).describe('k: neighbours that the estimate looks at'),
  }),
  async score(of, { neighbours }, run) {
    const { columns, train } = of;
    const { y: targets, classes } = trainingTargets(of, 'mutual-information');
    const values = new Float32Array(columns.length);
    let missing = 0;
    for (const [j, column] of columns.entries()) {
      run.progress('mutual information', j, columns.length);
      await run.breathe();
      // Rows without a value of the feature tell nothing of it.
      const places = Array.from(train.keys()).filter((i) => !Number.isNaN(column.values[train[i]]));
      missing += train.length - places.length;
      if (places.length < 2) continue;
      const x = {
        values: Float64Array.from(places, (i) => column.values[train[i]]),
        classes: isCoded(column.kind),
      };
      const y = { values: Float64Array.from(places, (i) => targets[i]), classes: classes !== undefined };
      values[j] = informationOf(x, y, { neighbours, random: run.random(`mutual-information/${j}`) });
    }
    if (missing > 0) run.log(`${missing} missing values are left out, each feature with the rows it has`);
    return { unit: 'feature', values, labels: columns.map((column) => column.name) };
  },
});

/** Whether values are codes, which are alike or not, and at no distance. */
function isCoded(kind: string): boolean {
  return kind === 'boolean' || kind === 'categorical' || kind === 'ordinal';
}
