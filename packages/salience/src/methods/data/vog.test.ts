/** @file Scores of examples from trainings: worked numbers of VoG's brief, invariants, one real run each, pruning and training again, bad input. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BudgetError, InputError, ParameterError } from '../../core/errors.ts';
import { type Method, parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import { select } from '../../core/select.ts';
import { initialClassifier } from '../../models/classifier/classifier.ts';
import { encoded, relabelled } from '../../models/classifier/encode.ts';
import { hiddenLayer } from '../../models/classifier/example-programs.ts';
import { classifierParams, recorded, withClassification } from '../../subjects/dataset/classification.ts';
import { type Dataset, datasetInMemory } from '../../subjects/dataset/dataset.ts';
import { dataset } from '../../subjects/dataset/subject.ts';
import { AreaUnderMargin, aum } from './aum.ts';
import { el2n, errorNorm } from './el2n.ts';
import { exampleLoss } from './example-loss.ts';
import { exampleMargin } from './example-margin.ts';
import { ForgettingEvents, forgetting } from './forgetting.ts';
import { grand } from './grand.ts';
import { keptAfterPruning, randomArms, retrained } from './prune-and-retrain.ts';
import { pointwiseInformation, pvi } from './pvi.ts';
import { randomExamples } from './random-examples.ts';
import { selfInfluence, tracIn } from './tracin.ts';
import { normalisedBy, varianceOfGradients, vog } from './vog.ts';

const classes = ['a', 'b', 'c'];
const run = new Run({ seed: 5 });

/** Three clouds; the first tenth of the labels is wrong. */
function clouds(n: number, seed = 1, chunkLength?: number, wrong = 0.1): { data: Dataset; wrong: Uint8Array } {
  const random = new Random(seed, 'clouds');
  const truth = Uint32Array.from({ length: n }, (_, i) => i % 3);
  const values = Float32Array.from({ length: 2 * n }, (_, at) => {
    const c = truth[at >> 1];
    return random.normal() + (at % 2 ? 3 * Math.sin(2.1 * c) : 3 * Math.cos(2.1 * c));
  });
  const flipped = Uint8Array.from(truth, (_, i) => Number(i < wrong * n));
  const of = truth.map((c, i) => (flipped[i] ? (c + 1) % 3 : c));
  const data = datasetInMemory({ features: ['x', 'y'], values, labels: { classes, of }, chunkLength, name: 'clouds' });
  return { data, wrong: flipped };
}

const scored = (method: unknown, data: Dataset, params = {}, own = run) =>
  (method as Method<Dataset>).score(data, parseParams(method as Method<Dataset>, params), own) as Promise<Scores>;
const small = { batch: 20, hidden: 8, rate: 0.02 };

describe('worked numbers', () => {
  it('EL2N of logits 2, 1, 0 is .424336 for the first class and 1.153465 for the last', () => {
    expect(errorNorm([2, 1, 0], 0)).toBeCloseTo(0.424336, 6);
    expect(errorNorm([2, 1, 0], 2)).toBeCloseTo(1.153465, 6);
  });

  it('PVI against a uniform null model is .996911 bits for the first class and −1.888479 for the last', () => {
    expect(pointwiseInformation(Math.log(0.6652409557748219), Math.log(1 / 3))).toBeCloseTo(0.996911, 6);
    expect(pointwiseInformation(Math.log(0.09003057317038046), Math.log(1 / 3))).toBeCloseTo(-1.888479, 6);
  });

  it('the history 0110010 has two forgetting events, and 000 none though it was never learnt', () => {
    const counts = new ForgettingEvents(2);
    for (const right of '0110010') counts.see([Number(right), 0]);
    expect([...counts.events]).toEqual([2, 0]);
    expect([...counts.everLearned]).toEqual([1, 0]);
  });

  it('AUM is the mean of the margins over the epochs', () => {
    const area = new AreaUnderMargin(2);
    for (const margins of [
      [1, -2],
      [2, -2],
      [6, 1],
    ])
      area.see(margins);
    expect([...area.area]).toEqual([3, -1]);
  });

  it('VoG normalised within classes is −1, 1, −1.16248, 1.27872, −.11625, over all −1.14873 …, and not at all as it was', () => {
    const v = Float64Array.of(0.1, 0.4, 0.2, 0.9, 0.5);
    const labels = { classes: ['a', 'b'], of: Uint32Array.of(0, 0, 1, 1, 1) };
    expect(Array.from(normalisedBy('class', v, labels), (x) => Number(x.toFixed(5)))).toEqual([
      -1, 1, -1.16248, 1.27872, -0.11625,
    ]);
    expect(Array.from(normalisedBy('dataset', v, labels), (x) => Number(x.toFixed(5)))).toEqual([
      -1.14873, -0.0718, -0.78975, 1.7231, 0.28718,
    ]);
    expect(normalisedBy('none', v, labels)).toBe(v);
  });
});

const methods = [vog, el2n, grand, forgetting, exampleLoss, exampleMargin, aum, tracIn, pvi];

describe.each(methods.map((method) => [method.id, method] as const))('%s', (_, method) => {
  const params = { ...small, ...('runs' in method.params.shape && { runs: 2 }) };

  it('gives a finite score for every example, alike for one seed, in chunks too', async () => {
    const { data } = clouds(90);
    const one = await scored(method, data, params);
    expect(one.values.length).toBe(90);
    expect(one.values.every(Number.isFinite)).toBe(true);
    expect(new Set(one.values).size).toBeGreaterThan(1);
    expect(one.groups?.of).toBe(data.labels?.of);
    expect((await scored(method, data, params)).values).toEqual(one.values);
    expect((await scored(method, clouds(90, 1, 30).data, params)).values.every(Number.isFinite)).toBe(true);
  });

  it('scores the other side with the sign turned', async () => {
    const { data } = clouds(60);
    const easy = await scored(method, data, { ...params, side: 'easy' });
    const hard = await scored(method, data, { ...params, side: 'hard' });
    expect([...hard.values]).toEqual(Array.from(easy.values, (value) => -value));
  });

  it('scores texts, through attention too', async () => {
    const random = new Random(2, 'texts');
    const of = Uint32Array.from({ length: 60 }, (_, i) => i % 3);
    const texts = Array.from(of, (c) => `the word${c} is ${'no yes so'.split(' ')[random.integer(3)]}`);
    const data = datasetInMemory({ texts, labels: { classes, of } });
    const scores = await scored(method, data, { ...params, attention: true, width: 4 });
    expect(scores.values.every(Number.isFinite)).toBe(true);
  });

  it('refuses a dataset without labels, and a feature that is missing', async () => {
    const bare = datasetInMemory({ features: ['x'], values: Float32Array.of(1, 2, 3) });
    await expect(scored(method, bare)).rejects.toThrow(/has no labels; name the column of the classes with --target/);
    const missing = datasetInMemory({
      features: ['x'],
      values: Float32Array.of(1, Number.NaN, 3),
      labels: { classes, of: Uint32Array.of(0, 1, 2) },
    });
    await expect(scored(method, missing)).rejects.toThrow(/example 1, column x is missing/);
  });

  it('stops when it is cancelled', async () => {
    const stopped = new AbortController();
    stopped.abort();
    const { data } = clouds(60);
    await expect(scored(method, data, params, new Run({ signal: stopped.signal }))).rejects.toThrow('cancelled');
  });
});

describe('VoG', () => {
  const task = <Result>(data: Dataset, use: Parameters<typeof withClassification<Result>>[3]) =>
    withClassification(data, z.object(classifierParams).parse(small), run, use);

  it('has mean 0 in every class when normalised within them, and 0 for a class of one example', async () => {
    const { data } = clouds(61);
    const of = data.labels!.of.map((c) => Math.min(c, 1));
    of[60] = 2;
    const scores = await scored(vog, { ...data, labels: { classes, of } }, { ...small, checkpoints: 3 });
    for (const c of [0, 1]) {
      const own = [...scores.values].filter((_, i) => of[i] === c);
      expect(own.reduce((a, b) => a + b, 0) / own.length).toBeCloseTo(0, 5);
    }
    expect(scores.values[60]).toBe(0);
  });

  it('gives examples that are the same the same score', async () => {
    const { data } = clouds(40);
    const { features } = await data.read(data.chunks[0]);
    const twice = datasetInMemory({
      features: ['x', 'y'],
      values: Float32Array.from([...features, ...features]),
      labels: { classes, of: Uint32Array.from([...data.labels!.of, ...data.labels!.of]) },
    });
    const { values } = await scored(vog, twice, { ...small, checkpoints: 3 });
    for (let i = 0; i < 40; i++) expect(values[i + 40]).toBeCloseTo(values[i], 4);
  });

  it('drawn by sampling keeps other examples than the cut, as many, and more of the high ones than of the low', async () => {
    const { data } = clouds(150);
    const params = { ...small, checkpoints: 3, normalise: 'dataset' };
    const cut = await scored(vog, data, params);
    const order = [...cut.values.keys()].sort((i, j) => cut.values[j] - cut.values[i]);
    for (const sampling of ['softmax', 'linear']) {
      const { kept } = select(await scored(vog, data, { ...params, sampling }), '50%');
      expect(kept.length).toBe(75);
      const high = new Set(order.slice(0, 75));
      const ofHigh = [...kept].filter((i) => high.has(i)).length;
      expect(ofHigh).toBeGreaterThan(40);
      expect(ofHigh).toBeLessThan(75);
    }
  });

  it('refuses fewer than 2 checkpoints, and a record of other examples', async () => {
    expect(() => parseParams(vog, { checkpoints: 1 })).toThrow(ParameterError);
    expect(() => parseParams(vog, { eps: 0 })).toThrow(/eps/);
    const { data } = clouds(30);
    await task(data, async (of) => {
      const record = await recorded(of, { epochs: 2, stream: 'test' }, run);
      await expect(
        varianceOfGradients({ ...record, checkpoints: record.checkpoints.slice(1) }, of, 'var', run),
      ).rejects.toThrow(/2 checkpoints or more, not 1/);
      const turned = relabelled(of.examples, of.examples.labels.of.slice().reverse());
      await expect(varianceOfGradients(record, { ...of, examples: turned }, 'var', run)).rejects.toThrow(InputError);
      await expect(selfInfluence(record, { ...of, examples: turned }, hiddenLayer, run)).rejects.toThrow(/same order/);
    });
  });
});

describe('what the scores find', () => {
  it('loss, margin, AUM, EL2N and PVI rank most wrong labels as hard', async () => {
    const { data, wrong } = clouds(300, 3);
    const count = wrong.reduce((a, b) => a + b, 0);
    for (const method of [exampleLoss, exampleMargin, aum, el2n, pvi]) {
      const runs = 'runs' in method.params.shape && { runs: 2 };
      const { values } = await scored(method, data, { ...small, ...runs, side: 'easy' });
      const hardest = [...values.keys()].sort((i, j) => values[j] - values[i]).slice(0, count);
      expect(hardest.filter((i) => wrong[i]).length / count).toBeGreaterThan(0.7);
    }
  });

  it('AUM drops the hard side first where nothing else is said', async () => {
    const { data, wrong } = clouds(300, 3);
    const { values } = await scored(aum, data, small);
    const mean = (one: number) => {
      const own = [...values].filter((_, i) => wrong[i] === one);
      return own.reduce((a, b) => a + b, 0) / own.length;
    };
    expect(mean(1)).toBeLessThan(mean(0));
  });

  it('forgetting says how many examples were never learnt', async () => {
    const { findings } = await scored(forgetting, clouds(90).data, { ...small, runs: 1 });
    expect(findings?.[0]).toMatchObject({
      kind: 'text',
      text: expect.stringMatching(/^\d+ of 90 examples were never right/),
    });
  });

  it('forgetting refuses checks too far apart to see a change', async () => {
    await expect(scored(forgetting, clouds(90).data, { ...small, every: 50 })).rejects.toThrow(
      /every = 50 gives fewer than 2 checks in 10 steps/,
    );
  });
});

describe('random examples', () => {
  it('stratified keep the shares of the classes, which need labels', async () => {
    const { data } = clouds(300);
    const { kept } = select(await scored(randomExamples, data, { stratified: true }), '10%');
    const counts = [0, 0, 0];
    for (const i of kept) counts[data.labels!.of[i]]++;
    const all = [0, 0, 0];
    for (const c of data.labels!.of) all[c]++;
    counts.forEach((count, c) => {
      expect(Math.abs(count - all[c] / 10)).toBeLessThanOrEqual(2);
    });
    const bare = datasetInMemory({ features: ['x'], values: Float32Array.of(1, 2, 3) });
    expect((await scored(randomExamples, bare)).values.length).toBe(3);
    await expect(scored(randomExamples, bare, { stratified: true })).rejects.toThrow(/no labels to keep the shares of/);
  });
});

describe('pruning', () => {
  const scores = (values: readonly number[], of?: readonly number[]): Scores => ({
    unit: 'example',
    values: Float32Array.from(values),
    ...(of && { groups: { names: classes, of: Uint32Array.from(of) } }),
  });

  it('keeps round((1 − share) n) of the highest, ties to the lower index, all at 0 and all but one', () => {
    expect([...keptAfterPruning(scores([3, 1, 2, 2, 5]), 0.4)]).toEqual([0, 2, 4]);
    expect([...keptAfterPruning(scores([1, 1, 1, 1]), 0.5)]).toEqual([0, 1]);
    expect([...keptAfterPruning(scores([3, 1, 2]), 0)]).toEqual([0, 1, 2]);
    expect([...keptAfterPruning(scores([3, 1, 2, 0]), 0.25)]).toEqual([0, 1, 2]);
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (values, share) => {
          const count = Math.round((1 - share) * values.length);
          fc.pre(count > 0);
          expect(keptAfterPruning(scores(values), share).length).toBe(count);
        },
      ),
    );
  });

  it('refuses shares outside of [0, 1), a cut that leaves nothing, a class without members, and NaN', () => {
    for (const share of [1, -0.1, Number.NaN])
      expect(() => keptAfterPruning(scores([1, 2]), share)).toThrow(ParameterError);
    expect(() => keptAfterPruning(scores([1, 2]), 0.9)).toThrow(BudgetError);
    const lost = scores([3, 2, 1, 0], [0, 0, 1, 1]);
    expect(() => keptAfterPruning(lost, 0.5)).toThrow(/leaves none of class b; prune less, or allow an empty class/);
    expect([...keptAfterPruning(lost, 0.5, { allowEmptyClass: true })]).toEqual([0, 1]);
    expect(() => keptAfterPruning(scores([1, Number.NaN]), 0)).toThrow(InputError);
  });

  it('retraining on all learns, depends on the kept examples alone, and refuses to be tested on what it was trained on', async () => {
    const { data } = clouds(150, 1, undefined, 0);
    const { data: other } = clouds(120, 2, undefined, 0);
    await withClassification(data, z.object(classifierParams).parse(small), run, async (task) => {
      const test = encoded(other, task.encoder, other.labels);
      const initial = initialClassifier(task.config, run.random('initial'));
      const among = { even: Uint8Array.from({ length: 120 }, (_, i) => Number(i % 2 === 0)) };
      const of = { ...task, initial, epochs: 10, test, among };
      const all = await retrained(
        of,
        Uint32Array.from({ length: 150 }, (_, i) => i),
        run,
      );
      expect(all.all).toBeGreaterThan(0.9);
      expect(all.among.even).toBeGreaterThan(0.85);
      const { random, stratified } = randomArms(task.examples.labels, run.random('arms'));
      for (const arm of [random, stratified]) {
        const kept = keptAfterPruning(scores([...arm]), 0.45);
        expect(await retrained(of, kept, run)).toEqual(await retrained(of, kept, run));
      }
      await expect(retrained({ ...of, test: task.examples }, Uint32Array.of(1), run)).rejects.toThrow(InputError);
      await expect(retrained(of, new Uint32Array(0), run)).rejects.toThrow(/no example is kept/);
    });
  });
});

describe('the dataset’s own sample', () => {
  it('is scored by VoG, and a budget keeps rows', async () => {
    const data = await dataset.sample(run);
    const scores = await scored(vog, data, { checkpoints: 4 });
    expect(select(scores, '10%').kept.length).toBe(Math.ceil(data.examples / 10));
  });
});
