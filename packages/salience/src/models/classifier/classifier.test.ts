/** @file Small classifiers and what they say of single examples: VoG's worked numbers, invariants, real trainings, bad input. */

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError, ParameterError, SalienceError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { crossEntropy } from '../../nn/losses.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import { noTap } from '../../nn/tap.ts';
import { compile, float32, grad, int32, type JaxArray, numpy as np } from '../../runtime/index.ts';
import { orderedBatches, shuffledBatches } from './batches.ts';
import { type ClassifierConfig, classifier, type ExampleNetwork, initialClassifier } from './classifier.ts';
import {
  blank,
  type EncodedExamples,
  type Encoder,
  type ExampleSource,
  encoded,
  fitEncoder,
  relabelled,
  subsetOf,
  wordsOf,
} from './encode.ts';
import { ExamplePrograms, hiddenLayer, lastLayer, spreadOverCheckpoints } from './example-programs.ts';
import { logProbability, marginOf, probabilitiesOf } from './from-logits.ts';
import { checkSameExamples, recordTraining } from './record-training.ts';

const run = new Run({ seed: 3 });
const disposed: { dispose(): Promise<void> }[] = [];
const programsOf = (network: ExampleNetwork) => {
  const programs = new ExamplePrograms(network);
  disposed.push(programs);
  return programs;
};
afterAll(() => Promise.all(disposed.map((one) => one.dispose())));

/** A source in memory, in chunks of some length. */
function sourceOf(
  rows: { features?: readonly (readonly number[])[]; texts?: readonly string[] },
  chunkLength = Number.POSITIVE_INFINITY,
): ExampleSource & { reads: number } {
  const { features, texts } = rows;
  const n = features?.length ?? texts!.length;
  const chunks = [];
  for (let start = 0; start < n; start += chunkLength) chunks.push({ start, length: Math.min(chunkLength, n - start) });
  return {
    reads: 0,
    name: 'made',
    examples: n,
    features: features ? features[0].map((_, j) => `x${j}`) : [],
    hasText: texts !== undefined,
    chunks,
    async read({ start, length }) {
      this.reads++;
      return {
        features: Float32Array.from(features?.slice(start, start + length).flat() ?? []),
        texts: texts?.slice(start, start + length),
      };
    },
  };
}
const most = { vocabulary: 100, length: 8 };
const labelsOf = (of: readonly number[], classes = ['a', 'b', 'c']) => ({ classes, of: Uint32Array.from(of) });

const textConfig = (attention: boolean, words = 12, length = 5): ClassifierConfig => ({
  input: { kind: 'text', words, length, width: 4, attention },
  hidden: 6,
  classes: 3,
});

/** Examples of random words, some of them short. */
async function textExamples(n: number, chunkLength?: number): Promise<EncodedExamples> {
  const random = new Random(9, 'texts');
  const texts = Array.from({ length: n }, () =>
    Array.from({ length: 1 + random.integer(5) }, () => `w${random.integer(10)}`).join(' '),
  );
  const source = sourceOf({ texts }, chunkLength);
  const labels = labelsOf(Array.from({ length: n }, () => random.integer(3)));
  return encoded(source, { ...(await fitEncoder(source, most, run)), length: 5 } as Encoder, labels);
}

/** With these seeds no unit of the differences below comes to lie across the kink of its ReLU. */
async function checkpointsOf(config: ClassifierConfig, count: number): Promise<ParameterTensors[]> {
  return Array.from({ length: count }, (_, c) => initialClassifier(config, new Random(c + 10, 'checkpoint')));
}
const wordsIn = (examples: EncodedExamples, config: ClassifierConfig): ClassifierConfig => ({
  ...config,
  input: { ...config.input, words: 12, length: examples.width } as ClassifierConfig['input'],
});

const spread = (aggregate: 'var' | 'std') => {
  const program = compile((gradients: readonly JaxArray[], positions: JaxArray) =>
    spreadOverCheckpoints(gradients, positions, aggregate),
  );
  disposed.push(program);
  return async (gradients: readonly (readonly number[])[], shape: number[], positions: readonly number[]) => {
    const tensors = gradients.map((values) => float32(shape, values));
    return [...(await program(tensors as never, float32(shape.slice(0, 2), positions) as never)).data];
  };
};

describe('the spread of gradients over checkpoints', () => {
  const three = [
    [1, 0, 0, 2],
    [3, 0, 0, 2],
    [2, 0, 0, 5],
  ];

  it('is 0.666667 as variance and 0.557678 as deviation for three checkpoints of [2, 2]', async () => {
    const [variance] = await spread('var')(three, [1, 2, 2], [1, 1]);
    const [deviation] = await spread('std')(three, [1, 2, 2], [1, 1]);
    expect(variance).toBeCloseTo(0.666667, 6);
    expect(deviation).toBeCloseTo(0.557678, 6);
  });

  it('leaves positions that pad out of the mean, and gives 0 where all do', async () => {
    const [first] = await spread('var')(three, [1, 2, 2], [1, 0]);
    expect(first).toBeCloseTo(0.666667 / 2, 6);
    expect(await spread('var')(three, [1, 2, 2], [0, 0])).toEqual([0]);
  });

  it('is the variance of the coordinates, whatever the order of the checkpoints', async () => {
    const [of, deviations] = [spread('var'), spread('std')];
    const numbers = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(numbers, { minLength: 2, maxLength: 5 }), async (gradients) => {
        const n = gradients.length;
        const variances = gradients[0].map((_, i) => {
          const mean = gradients.reduce((sum, g) => sum + g[i], 0) / n;
          return gradients.reduce((sum, g) => sum + (g[i] - mean) ** 2, 0) / n;
        });
        const expected = variances.reduce((sum, value) => sum + value, 0) / 6;
        const [made] = await of(gradients, [1, 2, 3], [1, 1]);
        const [turned] = await of([...gradients].reverse(), [1, 2, 3], [1, 1]);
        expect(Math.abs(made - expected)).toBeLessThanOrEqual(1e-4 * (1 + expected));
        expect(Math.abs(turned - made)).toBeLessThanOrEqual(1e-4 * (1 + expected));
        const [deviation] = await deviations(gradients, [1, 2, 3], [1, 1]);
        const roots = variances.reduce((sum, value) => sum + Math.sqrt(value), 0) / 6;
        expect(Math.abs(deviation - roots)).toBeLessThanOrEqual(1e-3 * (1 + roots));
      }),
      { numRuns: 30 },
    );
  });
});

describe('probabilities, margins and losses', () => {
  it('has softmax(2, 1, 0) = .665241, .244728, .090031, exactly also where powers would overflow', () => {
    probabilitiesOf([2, 1, 0]).forEach((p, i) => {
      expect(p).toBeCloseTo([0.665241, 0.244728, 0.090031][i], 6);
    });
    expect([...probabilitiesOf([2000, -2000])]).toEqual([1, 0]);
    expect(logProbability([2000, -2000], 1)).toBe(-4000);
    expect(logProbability([2, 1, 0], 0)).toBeCloseTo(Math.log(0.665241), 5);
  });

  it('has margin 1 for the best and −2 for the last of 2, 1, 0', () => {
    expect(marginOf([2, 1, 0], 0)).toBe(1);
    expect(marginOf([2, 1, 0], 2)).toBe(-2);
  });
});

describe.each([false, true])('per-example quantities, attention %s', (attention) => {
  const config = textConfig(attention);
  const network = classifier(config);
  const programs = programsOf(network);

  it('the spread is that of gradients taken one example and one coordinate at a time', async () => {
    const examples = await textExamples(7);
    const own = wordsIn(examples, config);
    const checkpoints = await checkpointsOf(own, 3);
    const made = await programs.spreads(checkpoints, examples, 'var', run);
    // By central differences: the logit of one example, its embedding moved at one coordinate.
    const logit = compile((p: Parameters, words: JaxArray, moved: JaxArray) =>
      network.logits(p, words, (point, value) => (point === 'embeddings' ? value.add(moved) : value)),
    );
    const inputs = await examples.inputs(examples.chunks[0]);
    const step = 1e-3;
    for (let i = 0; i < 7; i++) {
      const words = inputs.subarray(i * 5, (i + 1) * 5);
      const held = words.filter((word) => word > 0).length;
      let sum = 0;
      for (let at = 0; at < held * 4; at++) {
        const slopes: number[] = [];
        for (const parameters of checkpoints) {
          const [up, down] = await Promise.all(
            [step, -step].map(async (by) => {
              const moved = new Float32Array(20);
              moved[at] = by;
              const args = [parameters, int32([1, 5], words), float32([1, 5, 4], moved)] as never[];
              return (await (logit as never as (...of: never[]) => Promise<{ data: Float32Array }>)(...args)).data[
                examples.labels.of[i]
              ];
            }),
          );
          slopes.push((up - down) / (2 * step));
        }
        const mean = slopes.reduce((a, b) => a + b, 0) / 3;
        sum += slopes.reduce((a, b) => a + (b - mean) ** 2, 0) / 3;
      }
      const expected = sum / (held * 4);
      expect(Math.abs(made[i] - expected)).toBeLessThanOrEqual(0.02 * expected + 1e-5);
    }
    await logit.dispose();
  });

  it('a layer’s squared gradient norm is that of the gradient of one example’s loss', async () => {
    const examples = await textExamples(6);
    const [parameters] = await checkpointsOf(wordsIn(examples, config), 1);
    const lossGradient = compile((p: Parameters, words: JaxArray, label: JaxArray) =>
      grad((w: Parameters) => crossEntropy(network.logits(w, words, noTap), label))(p as never),
    );
    const inputs = await examples.inputs(examples.chunks[0]);
    for (const [layer, name] of [
      [hiddenLayer, 'hidden'],
      [lastLayer, 'output'],
    ] as const) {
      const made = await programs.gradientSquares(parameters, examples, layer, run);
      for (let i = 0; i < 6; i++) {
        const words = int32([1, 5], inputs.subarray(i * 5, (i + 1) * 5));
        const label = int32([1], [examples.labels.of[i]]);
        const gradients = (await lossGradient(
          parameters as never,
          words as never,
          label as never,
        )) as never as ParameterTensors;
        const squares = [`${name}.weight`, `${name}.bias`].flatMap((key) => [...gradients[key].data].map((g) => g * g));
        const expected = squares.reduce((a, b) => a + b, 0);
        expect(made[i]).toBeGreaterThanOrEqual(0);
        expect(Math.abs(made[i] - expected)).toBeLessThanOrEqual(1e-4 * expected + 1e-7);
      }
    }
    await lossGradient.dispose();
  });

  it('a constant on all logits changes no spread, and logits times s make it s² times as large', async () => {
    const examples = await textExamples(8);
    const checkpoints = await checkpointsOf(wordsIn(examples, config), 3);
    const before = await programs.spreads(checkpoints, examples, 'var', run);
    const changed = (weight: number, bias: number) =>
      checkpoints.map((parameters) => ({
        ...parameters,
        'output.weight': float32(
          [3, 6],
          parameters['output.weight'].data.map((w) => w * weight),
        ),
        'output.bias': float32(
          [3],
          parameters['output.bias'].data.map((b) => b + bias),
        ),
      }));
    const shifted = await programs.spreads(changed(1, 5), examples, 'var', run);
    const scaled = await programs.spreads(changed(3, 0), examples, 'var', run);
    before.forEach((value, i) => {
      expect(shifted[i]).toBeCloseTo(value, 6);
      expect(Math.abs(scaled[i] - 9 * value)).toBeLessThanOrEqual(1e-4 * 9 * value + 1e-7);
    });
  });

  it('identical checkpoints have no spread, and the spread does not know their order', async () => {
    const examples = await textExamples(8);
    const checkpoints = await checkpointsOf(wordsIn(examples, config), 4);
    const same = await programs.spreads([checkpoints[0], checkpoints[0], checkpoints[0]], examples, 'var', run);
    expect([...same]).toEqual(new Array(8).fill(0));
    const one = await programs.spreads(checkpoints, examples, 'var', run);
    const other = await programs.spreads([...checkpoints].reverse(), examples, 'var', run);
    one.forEach((value, i) => {
      expect(Math.abs(other[i] - value)).toBeLessThanOrEqual(1e-4 * value + 1e-7);
    });
  });

  it('equal texts score alike, and padding changes nothing', async () => {
    const source = sourceOf({ texts: ['w1 w2', 'w3', 'w1 w2', '', 'w4 w5 w6 w7 w8'] });
    const encoder = await fitEncoder(source, most, run);
    const labels = labelsOf([1, 0, 1, 2, 0]);
    const short = encoded(
      sourceOf({ texts: ['w1 w2', 'w3'] }),
      { ...encoder, length: 2 } as typeof encoder,
      labelsOf([1, 0]),
    );
    const checkpoints = await checkpointsOf(textConfig(attention), 3);
    const scores = await programs.spreads(checkpoints, encoded(source, encoder, labels), 'var', run);
    expect(scores[0]).toBe(scores[2]);
    expect(scores[3]).toBe(0);
    const alone = await programs.spreads(checkpoints, short, 'var', run);
    expect(alone[0]).toBeCloseTo(scores[0], 6);
    expect(alone[1]).toBeCloseTo(scores[1], 6);
  });

  it('scores do not depend on the chunks that examples come in', async () => {
    const checkpoints = await checkpointsOf(config, 2);
    const whole = await programs.spreads(checkpoints, await textExamples(23), 'var', run);
    const inChunks = await programs.spreads(checkpoints, await textExamples(23, 5), 'var', run);
    whole.forEach((value, i) => {
      expect(inChunks[i]).toBeCloseTo(value, 6);
    });
  });
});

describe('a network that is linear in its embeddings', () => {
  const linearNetwork: ExampleNetwork = {
    classes: 3,
    positions: (inputs) => np.ones([inputs.shape[0], 1]),
    logits(p, inputs, tap) {
      const x = tap('embeddings', inputs.reshape([inputs.shape[0], 1, 2])).reshape([inputs.shape[0], 2]);
      return tap('logits', np.matmul(x, np.transpose(p.weight)));
    },
  };

  it('has one gradient for all examples of a class, so that their spreads are equal', async () => {
    const source = sourceOf({
      features: [
        [1, 2],
        [3, -1],
        [0, 5],
        [2, 2],
      ],
    });
    const examples = encoded(source, await fitEncoder(source, most, run), labelsOf([0, 0, 1, 0]));
    const checkpoints = [1, 2].map((seed) => {
      const random = new Random(seed);
      return {
        weight: float32(
          [3, 2],
          Array.from({ length: 6 }, () => random.normal()),
        ),
      };
    });
    const scores = await programsOf(linearNetwork).spreads(checkpoints, examples, 'var', run);
    expect(scores[0]).toBe(scores[1]);
    expect(scores[0]).toBe(scores[3]);
    expect(scores[0]).not.toBe(scores[2]);
  });
});

describe('encoding', () => {
  it('numbers words by frequency, ties alphabetically, and reads a capped number of them', async () => {
    const source = sourceOf({ texts: ['b a, b!', 'A c b', 'd'] }, 2);
    const encoder = await fitEncoder(source, { vocabulary: 3, length: 2 }, run);
    if (encoder.kind !== 'text') throw new Error('texts are encoded as words');
    expect(encoder.length).toBe(2);
    expect([...encoder.numbers]).toEqual([
      ['b', 2],
      ['a', 3],
      ['c', 4],
    ]);
    const examples = encoded(source, encoder, labelsOf([0, 1, 2]));
    expect([...(await examples.inputs(examples.chunks[0]))]).toEqual([2, 3, 3, 4]);
    expect([...(await examples.inputs(examples.chunks[1]))]).toEqual([1, 0]);
  });

  it('takes characters of scripts without spaces as words', () => {
    expect(wordsOf('Grüße, naïve 3x 数据')).toEqual(['grüße', 'naïve', '3x', '数', '据']);
  });

  it('standardises features, a constant one to 0', async () => {
    const source = sourceOf(
      {
        features: [
          [1, 7],
          [2, 7],
          [3, 7],
        ],
      },
      2,
    );
    const examples = encoded(source, await fitEncoder(source, most, run), labelsOf([0, 1, 2]));
    const first = await examples.inputs(examples.chunks[0]);
    expect(first[0]).toBeCloseTo(-Math.sqrt(1.5), 6);
    expect([first[1], first[2], first[3]]).toEqual([0, 0, 0]);
  });

  it('reads each chunk twice in all: to learn the encoding, and to hold it', async () => {
    const source = sourceOf({ texts: ['a', 'b', 'c', 'd'] }, 2);
    const examples = encoded(source, await fitEncoder(source, most, run), labelsOf([0, 1, 2, 0]));
    for (let pass = 0; pass < 3; pass++) for (const chunk of examples.chunks) await examples.inputs(chunk);
    expect(source.reads).toBe(4);
  });

  it('reads chunks again for every pass where all together are more than 256 MiB', async () => {
    const width = 2 ** 14;
    const rows = 2 ** 13;
    let reads = 0;
    const source: ExampleSource = {
      name: 'large',
      examples: rows,
      features: Array.from({ length: width }, (_, j) => `x${j}`),
      hasText: false,
      chunks: Array.from({ length: rows }, (_, start) => ({ start, length: 1 })),
      async read() {
        reads++;
        return { features: new Float32Array(width) };
      },
    };
    const encoder: Encoder = {
      kind: 'features',
      means: new Float64Array(width),
      deviations: new Float64Array(width).fill(1),
    };
    const examples = encoded(source, encoder, labelsOf(Array.from({ length: rows }, (_, i) => i % 3)));
    for (let pass = 0; pass < 3; pass++) await examples.inputs(examples.chunks[0]);
    expect(reads).toBe(3);
  });

  it('a subset has the kept examples in their order, by chunks', async () => {
    const examples = await textExamples(11, 4);
    const kept = Uint32Array.of(0, 3, 8, 10);
    const some = subsetOf(examples, kept);
    const all: number[][] = [];
    for await (const { start, length, inputs } of orderedBatches(examples, 3)) {
      for (let i = 0; i < length; i++) all[start + i] = [...inputs.data.slice(i * 5, (i + 1) * 5)];
    }
    for await (const { start, length, inputs, labels } of orderedBatches(some, 3)) {
      for (let i = 0; i < length; i++) {
        expect([...inputs.data.slice(i * 5, (i + 1) * 5)]).toEqual(all[kept[start + i]]);
        expect(labels.data[i]).toBe(examples.labels.of[kept[start + i]]);
      }
    }
    expect(some.chunks).toEqual([
      { start: 0, length: 2 },
      { start: 2, length: 2 },
    ]);
  });
});

describe('batches', () => {
  it.each([1, 4, 7, 100])('have every example once an epoch in chunks of %i, in another order each', async (chunk) => {
    const examples = await textExamples(23, chunk);
    const { at, perEpoch } = shuffledBatches(examples, 5, new Random(1));
    expect(perEpoch).toBe(5);
    const orders: string[] = [];
    for (const begun of [0, 1]) {
      const seen: string[] = [];
      for (let b = 0; b < perEpoch; b++) {
        const { inputs, labels, weights } = await at(begun * perEpoch + b);
        expect(inputs.shape).toEqual([5, 5]);
        for (let i = 0; i < 5; i++) {
          if (weights.data[i] === 1) seen.push([...inputs.data.slice(i * 5, i * 5 + 5), labels.data[i]].join());
        }
      }
      expect(seen.length).toBe(23);
      orders.push(seen.join(' '));
      const all: string[] = [];
      for await (const { length, inputs, labels } of orderedBatches(examples, 4)) {
        for (let i = 0; i < length; i++) all.push([...inputs.data.slice(i * 5, i * 5 + 5), labels.data[i]].join());
      }
      expect(seen.toSorted()).toEqual(all.toSorted());
    }
    expect(orders[0]).not.toBe(orders[1]);
  });

  it('are the same for the same step, also when asked for out of turn', async () => {
    const examples = await textExamples(23, 7);
    const one = shuffledBatches(examples, 5, new Random(1));
    const other = shuffledBatches(examples, 5, new Random(1));
    const inTurn = [];
    for (let step = 0; step < 8; step++) inTurn.push(await one.at(step));
    for (const step of [7, 2, 3, 0]) expect((await other.at(step)).inputs.data).toEqual(inTurn[step].inputs.data);
  });
});

describe('a recorded training', () => {
  it('learns, keeps the ends of epochs, and is the same for the same seed', async () => {
    const random = new Random(4);
    const features = Array.from({ length: 90 }, (_, i) => [
      random.normal() + 4 * (i % 3),
      random.normal() - 4 * (i % 3),
    ]);
    const source = sourceOf({ features }, 40);
    const examples = encoded(source, await fitEncoder(source, most, run), labelsOf(features.map((_, i) => i % 3)));
    const config: ClassifierConfig = { input: { kind: 'features', width: 2 }, hidden: 8, classes: 3 };
    const network = classifier(config);
    const programs = programsOf(network);
    const looks: number[] = [];
    const options = {
      network,
      initial: initialClassifier(config, run.random('initial')),
      examples,
      epochs: 20,
      batch: 20,
      rate: 0.02,
      look: { every: 50, programs, see: (_: Float32Array, step: number) => void looks.push(step) },
    };
    const record = await recordTraining({ ...options, checkpoints: 3 }, run);
    expect(record.steps).toBe(100);
    expect(record.checkpoints.map(({ step }) => step)).toEqual([5, 10, 15]);
    expect(looks).toEqual([50, 100]);
    const logits = await programs.logits(record.parameters, examples, run);
    const right = features.filter((_, i) => marginOf(logits.subarray(3 * i, 3 * i + 3), i % 3) > 0).length;
    expect(right).toBeGreaterThan(85);
    const again = await recordTraining({ ...options, look: undefined, checkpointEvery: 50 }, run);
    expect(again.parameters).toEqual(record.parameters);
    expect(again.checkpoints.map(({ step }) => step)).toEqual([50, 100]);
    await expect(recordTraining({ ...options, checkpointEvery: 0.5 }, run)).rejects.toThrow(ParameterError);

    expect(() => checkSameExamples(record, examples)).not.toThrow();
    const turned = relabelled(examples, examples.labels.of.slice().reverse());
    expect(() => checkSameExamples(record, turned)).toThrow(/example 0 has label 2 and had 0 .* same order/);
    expect(() => checkSameExamples(record, subsetOf(examples, Uint32Array.of(1)))).toThrow(
      /1 examples, .* recorded on 90/,
    );
  });

  it('on blank inputs learns how frequent the classes are', async () => {
    const source = sourceOf({ features: Array.from({ length: 100 }, (_, i) => [i]) });
    const of = Array.from({ length: 100 }, (_, i) => (i < 50 ? 0 : i < 80 ? 1 : 2));
    const examples = blank(encoded(source, await fitEncoder(source, most, run), labelsOf(of)));
    const config: ClassifierConfig = { input: { kind: 'features', width: 1 }, hidden: 4, classes: 3 };
    const network = classifier(config);
    const initial = initialClassifier(config, run.random('initial'));
    const { parameters } = await recordTraining(
      { network, initial, examples, epochs: 200, batch: 100, rate: 0.03 },
      run,
    );
    const logits = await programsOf(network).logits(parameters, examples, run);
    probabilitiesOf(logits.subarray(0, 3)).forEach((p, c) => {
      expect(p).toBeCloseTo([0.5, 0.3, 0.2][c], 2);
    });
  });
});

describe('refused', () => {
  it('examples that see each other, as batch statistics let them', async () => {
    const inner = classifier({ input: { kind: 'features', width: 2 }, hidden: 4, classes: 3 });
    const mixing: ExampleNetwork = {
      ...inner,
      logits: (p, inputs, tap) =>
        inner.logits(p, inputs, (point, value) => {
          const seen = tap(point, value);
          return point === 'hidden'
            ? seen.sub(seen.mean(0, { keepdims: true }).mul(np.arange(seen.shape[0]).reshape([-1, 1])))
            : seen;
        }),
    };
    const source = sourceOf({
      features: [
        [1, 2],
        [3, -1],
        [0, 5],
        [2, 2],
      ],
    });
    const examples = encoded(source, await fitEncoder(source, most, run), labelsOf([0, 1, 2, 1]));
    const config: ClassifierConfig = { input: { kind: 'features', width: 2 }, hidden: 4, classes: 3 };
    const scored = programsOf(mixing).spreads(await checkpointsOf(config, 3), examples, 'var', run);
    await expect(scored).rejects.toThrow(SalienceError);
    await expect(scored).rejects.toThrow(/batch statistics or dropout/);
  });

  it('labels that are missing, too few, out of range or of one class', async () => {
    const source = sourceOf({ features: [[1], [2]] });
    const encoder = await fitEncoder(source, most, run);
    expect(() => encoded(source, encoder, undefined)).toThrow(/has no labels; .*--target/);
    expect(() => encoded(source, encoder, labelsOf([0]))).toThrow(/1 labels for 2 examples/);
    expect(() => encoded(source, encoder, labelsOf([0, 3]))).toThrow(
      /label of example 1 is 3, and there are 3 classes/,
    );
    expect(() => encoded(source, encoder, labelsOf([0, 0], ['only']))).toThrow(/one class, only/);
  });

  it('features that are no finite numbers, texts without a word, and nothing to train on', async () => {
    const fit = (rows: Rows) => fitEncoder(sourceOf(rows, 2), most, run);
    await expect(
      fit({
        features: [
          [1, 2],
          [3, 4],
          [5, Number.NaN],
        ],
      }),
    ).rejects.toThrow(/example 2, column x1 is missing or no number/);
    await expect(fit({ features: [[Infinity]] })).rejects.toThrow(/example 0, column x0 is Infinity/);
    await expect(fit({ texts: ['…', ''] })).rejects.toThrow(/no text has a word/);
    await expect(fit({ features: [[]] })).rejects.toThrow(InputError);
    expect(() => subsetOf({} as EncodedExamples, new Uint32Array(0))).toThrow(/no example is kept/);
  });
});

type Rows = { features?: readonly (readonly number[])[]; texts?: readonly string[] };
