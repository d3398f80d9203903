/**
 * @file Responsiveness of one person with 10 features: scores within ±2% with 95% confidence, by a logistic regression and a forest.
 * Draws in three looks, as the method takes them, beside the number that Hoeffding asks for.
 */

import { Random, Run } from '../dist/core/index.js';
import { scorePeople, threeLooks } from '../dist/numerics/actions/score-people.js';
import { hoeffdingDraws } from '../dist/numerics/statistics/binomial-interval.js';
import { actionSetOf } from '../dist/subjects/action-set/action-set-of.js';
import { blackBoxFor } from '../dist/subjects/table/black-box-of.js';
import { rowsOf, tableInMemory } from '../dist/subjects/table/table.js';
import { inTurns, seconds, times } from './timing.js';

const features = 10;
const rows = 2000;
const people = 7;
const target = 0.05;

/** Ten features, the first ones numbers and the others whole, and a noisy linear label. */
function generated(numbers) {
  const random = new Random(5, 'bench');
  const columns = Array.from({ length: features }, (_, j) => ({
    name: `x${j}`,
    kind: j < numbers ? 'number' : 'integer',
    values: Float64Array.from({ length: rows }, () => (j < numbers ? random.normal() : random.integer(9))),
  }));
  const values = Float64Array.from({ length: rows }, (_, i) => {
    const sum = columns.reduce((s, { values }, j) => s + (j < numbers ? values[i] : (values[i] - 4) / 2), 0);
    return Number(sum + 2 * random.normal() > 0);
  });
  return tableInMemory(columns, { name: 'y', kind: 'boolean', values, levels: ['0', '1'] });
}

/** Seconds for the scores of each of the first denied people. */
async function timesOf(table, model, sampling) {
  const run = new Run({ seed: 1 });
  const box = await blackBoxFor(table, { model }, run);
  const set = actionSetOf(table);
  const all = rowsOf(table);
  const decisions = await box.predict(all);
  const denied = Array.from(decisions.keys()).filter((i) => decisions[i] < 0.5);
  const options = { method: 'sample', weighting: 'points', cap: 200_000, batch: 16_384, threshold: 0.5, sampling };
  let asked = 0;
  const decide = (some) => {
    asked += some.length / features;
    return box.predict(some);
  };
  const one = async (i) => {
    const started = performance.now();
    await scorePeople(set, all.slice(i * features, (i + 1) * features), decide, options, run.random(`person ${i}`));
    return (performance.now() - started) / 1000;
  };
  for (const i of denied.slice(0, 5)) await one(i);
  asked = 0;
  const functions = Object.fromEntries(denied.slice(5, 5 + people).map((i) => [i, () => one(i)]));
  const medians = Object.values(await inTurns(5, functions)).sort((a, b) => a - b);
  return { median: medians[people >> 1], worst: medians[people - 1], asked: Math.round(asked / (5 * people)) };
}

export async function bench() {
  const hoeffding = { draws: hoeffdingDraws(0.02, 0.05), delta: 0.05 };
  const looks = threeLooks(0.02, 0.05);
  const made = [];
  for (const [numbers, about] of [
    [10, '10 numbers'],
    [5, '5 numbers, 5 whole'],
  ]) {
    const table = generated(numbers);
    for (const model of ['logistic', 'forest']) {
      for (const [name, sampling] of [
        ['three looks', looks],
        [`${hoeffding.draws.toLocaleString('en-US')} draws`, hoeffding],
      ]) {
        const { median, worst, asked } = await timesOf(table, model, sampling);
        made.push({
          case: `${about}, ${model}, ${name} (${asked.toLocaleString('en-US')} predictions)`,
          ours: `${seconds(median)}, slowest person ${seconds(worst)}`,
          peer: '',
          ratio: times(median / target),
          target: 'at most 50 ms',
          met: median <= target,
        });
      }
    }
  }
  return {
    title: 'Responsiveness scores of one person',
    notes: [
      `Ten features, all sampled, each within ±2% with 95% confidence: by Hoeffding’s inequality ${hoeffding.draws.toLocaleString('en-US')} draws, or up to ${looks.looks.at(-1).draws.toLocaleString('en-US')} in three looks that stop where an exact interval is narrow enough. The method does the latter unless told otherwise. Models trained on ${rows.toLocaleString('en-US')} rows; the forest has 100 trees of full depth. Medians over ${people} denied people after a warm-up; the ratio is to 50 ms.`,
    ],
    rows: made,
  };
}
