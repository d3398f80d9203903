/** @file Prediction by the nearest rows. */

import type { Run } from '../../core/run.ts';
import { nearestSteps } from '../../numerics/neighbours/nearest.ts';
import type { Fitted, TrainingRows } from './estimator.ts';
import { checkOption, checkTraining, countRows } from './training-rows.ts';

export interface NeighboursOptions {
  /** How many are asked; default 5, as in scikit-learn; all where there are fewer rows. */
  readonly k?: number;
  /** What a neighbour counts: all alike (default), or 1 / distance, where those at distance 0 count alone. */
  readonly weights?: 'alike' | 'distance';
}

/**
 * k nearest neighbours by Euclidean distance: the share of each class among them, or the mean of their values. The lower row number
 * is nearer among equals. Give it columns of one scale.
 * @throws InputError as `checkTraining` does; ParameterError for k below 1; CancelledError, in predictions too.
 */
export async function fitNeighbours(data: TrainingRows, options: NeighboursOptions, run: Run): Promise<Fitted> {
  const { k = 5, weights = 'alike' } = options;
  const name = 'nearest neighbours';
  checkTraining(data, { name });
  checkOption('k', k, 1);
  const { x, y, columns, classes } = data;
  const outputs = classes ?? 1;
  return {
    name,
    columns,
    outputs,
    async predict(rows) {
      const n = countRows(rows, columns, name);
      const found = await run.drive(name, nearestSteps(rows, x, columns, { k }));
      const out = new Float64Array(n * outputs);
      for (let i = 0; i < n; i++) {
        const low = i * found.k;
        const touching = weights === 'distance' && found.distances[low] === 0;
        let sum = 0;
        for (let j = low; j < low + found.k; j++) {
          const distance = found.distances[j];
          const weight = weights === 'alike' ? 1 : touching ? Number(distance === 0) : 1 / distance;
          const value = y[found.indices[j]];
          if (classes === undefined) out[i] += weight * value;
          else out[i * outputs + value] += weight;
          sum += weight;
        }
        for (let c = 0; c < outputs; c++) out[i * outputs + c] /= sum;
      }
      return out;
    },
  };
}
