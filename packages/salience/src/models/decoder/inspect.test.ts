import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MadeDecoder, madeConfigs, madeDecoder, madeTokens } from '../../../test/made-decoders.ts';
import {
  accumulatedAttention,
  type Change,
  moments,
  type Observation,
  secondMoments,
  sumOfSquares,
  valueAt,
  valuesAt,
} from '../../nn/observation.ts';
import { type Parameters, under } from '../../nn/parameters.ts';
import {
  compile,
  float32,
  int32,
  type JaxArray,
  numpy as np,
  type Tensor,
  tree,
  valueAndGrad,
} from '../../runtime/index.ts';
import { decoder } from './decoder.ts';
import { type InspectOptions, inspect, inspectLayer, nextToken } from './inspect.ts';
import { layerPoints, modelPoints } from './points.ts';

type Floats = Tensor<'float32'>;
const names = Object.keys(madeConfigs);
const tokens = madeTokens(2, 6);

async function passOf(
  { config, weights }: MadeDecoder,
  options: InspectOptions,
  ids: Tensor<'int32'> = tokens,
  inputs: Record<string, Tensor> = {},
) {
  const inspection = inspect(config, { observe: { logits: valueAt('logits') }, ...options });
  const { observed, ...rest } = await inspection.run(weights, ids, inputs);
  await inspection.dispose();
  return { ...rest, observed: observed as Record<string, Floats[]>, logits: (observed.logits?.[0] as Floats)?.data };
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, within: number): void {
  expect(actual.length).toBe(expected.length);
  let apart = 0;
  for (let i = 0; i < actual.length; i++) apart = Math.max(apart, Math.abs(actual[i] - expected[i]));
  expect(apart).toBeLessThan(within);
}

/** The slope at 0 by central differences with two steps, so that the error of the second order goes. */
async function slopeOf(f: (step: number) => Promise<number>): Promise<number> {
  const difference = async (step: number) => ((await f(step)) - (await f(-step))) / (2 * step);
  return (4 * (await difference(1e-3)) - (await difference(2e-3))) / 3;
}

/** The model with one tensor changed. */
function altered(model: MadeDecoder, name: string, change: (data: Float32Array) => Float32Array): MadeDecoder {
  const { shape, data } = model.weights[name];
  return { ...model, weights: { ...model.weights, [name]: float32(shape, change(data.slice())) } };
}

describe('inspect', () => {
  it.each(names)('%s: to observe every point changes no bit of the logits', async (name) => {
    const model = madeDecoder(name);
    const { config, weights } = model;
    const plain = compile((parameters: Parameters, ids: JaxArray) => decoder(parameters, config, ids));
    const expected = ((await plain(weights as never, tokens)) as Floats).data;
    await plain.dispose();
    const every = (sparse: boolean) =>
      layerPoints.filter(
        ({ name: point }) =>
          !/^mlp\.(gate|up|hidden|router|experts)/.test(point) || sparse === /router|experts/.test(point),
      );
    const observe = Object.fromEntries([
      ...modelPoints.map(({ name: point }) => [point, valueAt(point)] as const),
      ...config.sparse.flatMap((sparse, n) =>
        every(sparse).map(({ name: point }) => {
          const full = `layers.${n}.${point.replace('.E.', '.1.')}`;
          return [full, valueAt(full)] as const;
        }),
      ),
    ]);
    const { observed } = await passOf(model, { observe });
    expect((observed.logits[0] as Floats).data).toEqual(expected);
    // The residual stream is the sum of what was added to it.
    const at = (point: string) => (observed[point][0] as Floats).data;
    const sum = at('embeddings').map(
      (x, i) =>
        x +
        at('layers.0.attention.output')[i] +
        at('layers.0.mlp.output')[i] +
        at('layers.1.attention.output')[i] +
        at('layers.1.mlp.output')[i],
    );
    expectClose(at('layers.1.output'), sum, 1e-5);
  });

  it('gives one result a layer, and one for the model', async () => {
    const { observed } = await passOf(
      madeDecoder('dense, tied'),
      {
        observe: {
          weights: valuesAt('attention.weights'),
          logits: valueAt('logits'),
          third: {
            scope: 'layer',
            reduce: (see, layer, inputs) => see('output').sum().mul(0).add(inputs.by.mul(layer)),
          },
        },
      },
      tokens,
      { by: float32([], [2]) },
    );
    expect(observed.weights.map(({ shape }) => shape)).toEqual([
      [2, 4, 6, 6],
      [2, 4, 6, 6],
    ]);
    expect(observed.logits.map(({ shape }) => shape)).toEqual([[2, 6, 13]]);
    expect(observed.third.map(({ data }) => data[0])).toEqual([0, 2]);
    const row = observed.weights[1].data.subarray(5 * 6, 6 * 6);
    expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  });
});

describe('a change', () => {
  it('that masks a head is the output projection without its columns', async () => {
    const model = madeDecoder('dense, tied');
    const head: Change = {
      point: 'layers.1.attention.heads',
      apply: (value, { inputs }) => value.mul(inputs.mask.reshape([4, 1])),
    };
    const { logits } = await passOf(model, { change: [head] }, tokens, { mask: float32([4], [1, 1, 0, 1]) });
    const without = altered(model, 'model.layers.1.self_attn.o_proj.weight', (data) =>
      data.map((w, i) => (Math.floor((i % 16) / 4) === 2 ? 0 : w)),
    );
    expectClose(logits, (await passOf(without, {})).logits, 1e-6);
  });

  it('that scales an MLP to 0 removes it', async () => {
    const model = madeDecoder('dense, tied');
    const { logits } = await passOf(model, {
      change: [{ point: 'layers.0.mlp.output', apply: (value) => value.mul(0) }],
    });
    const without = altered(model, 'model.layers.0.mlp.down_proj.weight', (data) => data.fill(0));
    expect(logits).toEqual((await passOf(without, {})).logits);
  });

  it('that replaces attention gives each head what the new weights mix of the values', async () => {
    const even: Change = {
      point: 'layers.*.attention.weights',
      apply: (value) => value.mul(0).add(1 / 6),
    };
    const { observed } = await passOf(madeDecoder('dense, tied'), {
      change: [even],
      observe: {
        heads: valuesAt('attention.heads'),
        values: valuesAt('attention.values'),
        weights: valuesAt('attention.weights'),
      },
    });
    for (const n of [0, 1]) {
      expect(new Set(observed.weights[n].data)).toEqual(new Set([Math.fround(1 / 6)]));
      // heads [2, 6, 4, 4], values [2, 2, 6, 4]: head h reads key head h / 2.
      const [heads, values] = [observed.heads[n].data, observed.values[n].data];
      for (const [b, t, h, c] of [
        [0, 0, 0, 0],
        [1, 5, 3, 2],
        [0, 3, 1, 3],
        [1, 2, 2, 1],
      ]) {
        const seen = [0, 1, 2, 3, 4, 5].map((s) => values[((b * 2 + (h >> 1)) * 6 + s) * 4 + c]);
        expect(heads[((b * 6 + t) * 4 + h) * 4 + c]).toBeCloseTo(seen.reduce((x, y) => x + y) / 6, 5);
      }
    }
  });

  it('that forbids an expert is the model without it', async () => {
    const json = madeConfigs['of experts, as Mixtral names them'];
    const model = madeDecoder(json);
    const forbid: Change = {
      point: 'layers.*.mlp.router.scores',
      apply: (value) => np.where(np.equal(np.arange(4), 1), -1e30, value),
    };
    const { logits, observed } = await passOf(model, {
      change: [forbid],
      observe: { logits: valueAt('logits'), gates: valuesAt('mlp.router.gates') },
    });
    for (const { data } of observed.gates) {
      expect(data.filter((_, i) => i % 4 === 1).every((gate) => gate === 0)).toBe(true);
      for (let t = 0; t < 12; t++) expect(data.subarray(4 * t, 4 * t + 4).filter((gate) => gate > 0)).toHaveLength(2);
    }
    const weights = Object.fromEntries(
      Object.entries(model.weights).flatMap(([name, tensor]) => {
        const expert = /experts\.(\d)\./.exec(name)?.[1];
        if (expert === '1') return [];
        if (expert !== undefined && expert > '1')
          return [[name.replace(/experts\.\d/, `experts.${Number(expert) - 1}`), tensor]];
        if (!name.endsWith('block_sparse_moe.gate.weight')) return [[name, tensor]];
        return [[name, float32([3, 16], [...tensor.data.slice(0, 16), ...tensor.data.slice(32)])]];
      }),
    );
    const { config } = madeDecoder({ ...json, num_local_experts: 3 });
    expectClose(logits, (await passOf({ config, weights }, {})).logits, 1e-6);
  });

  it('sees the points before it, and the points after it see what it made', async () => {
    const twice: Change = {
      point: 'layers.1.mlp.output',
      apply: (value, { layer, see }) => see(`layers.${layer - 1}.mlp.output`).add(value.mul(0)),
    };
    const { observed } = await passOf(madeDecoder('dense, tied'), {
      change: [twice],
      observe: { mlp: valuesAt('mlp.output'), output: valuesAt('output'), middle: valuesAt('middle') },
    });
    expect(observed.mlp[1].data).toEqual(observed.mlp[0].data);
    expect(observed.output[1].data).toEqual(observed.middle[1].data.map((x, i) => x + observed.mlp[0].data[i]));
  });

  it('comes after the changes before it in the list', async () => {
    const by = (factor: number): Change => ({ point: 'embeddings', apply: (value) => value.add(1).mul(factor) });
    const { observed } = await passOf(madeDecoder('dense, tied'), {
      change: [by(2), by(3)],
      observe: { made: valueAt('embeddings') },
    });
    const { observed: plain } = await passOf(madeDecoder('dense, tied'), { observe: { made: valueAt('embeddings') } });
    expectClose(
      observed.made[0].data,
      plain.made[0].data.map((x) => ((x + 1) * 2 + 1) * 3),
      1e-5,
    );
  });

  it('of another shape is refused', async () => {
    const cut: Change = { point: 'layers.0.output', apply: (value) => value.slice([], [0, 3]) };
    await expect(passOf(madeDecoder('dense, tied'), { change: [cut] })).rejects.toThrow(
      'a change of layers.0.output gave shape [2,3,16]; the value there has [2,6,16]',
    );
  });

  it('of a point that the model has not is refused, and so is its observation', async () => {
    const model = madeDecoder('dense, tied');
    const change = [{ point: 'layers.2.output', apply: (value: JaxArray) => value }];
    await expect(passOf(model, { change })).rejects.toThrow('the pass has no point "layers.2.output" to change');
    await expect(passOf(model, { observe: { of: valuesAt('mlp.gates') } })).rejects.toThrow(
      /not come by a point "mlp.gates"; it has come by input, attention.input,/,
    );
    await expect(passOf(model, { loss: nextToken, gradients: { points: ['layers.0.mlp.gates'] } })).rejects.toThrow(
      'there is no point "layers.0.mlp.gates"',
    );
  });
});

describe('gradients', () => {
  it.each(names)('%s: of weights are those of the plain loss', async (name) => {
    const model = madeDecoder(name);
    const { config, weights } = model;
    const plain = compile(
      valueAndGrad((parameters: Parameters, ids: JaxArray) =>
        nextToken(decoder(parameters, config, ids), ids, {}, () => ids),
      ) as never,
    ) as unknown as (...args: unknown[]) => Promise<[Floats, Record<string, Floats>]>;
    const [value, slopes] = await plain(weights, tokens);
    const { loss, weightGradients } = await passOf(model, { loss: nextToken, gradients: { weights: () => true } });
    expect(loss).toBeCloseTo(value.data[0], 6);
    expect(Object.keys(weightGradients).sort()).toEqual(Object.keys(weights).sort());
    for (const [tensor, { shape, data }] of Object.entries(weightGradients)) {
      expect([tensor, shape]).toEqual([tensor, weights[tensor].shape]);
      expectClose(data, slopes[tensor].data, 1e-6);
    }
  });

  it.each(names)('%s: are the slopes that finite differences find', async (name) => {
    const model = madeDecoder(name);
    const { config, weights } = model;
    const sparse = config.sparse[1];
    const points = [
      'embeddings',
      'layers.0.attention.heads',
      'layers.0.attention.weights',
      'layers.1.middle',
      sparse ? 'layers.1.mlp.experts.0.hidden' : 'layers.1.mlp.hidden',
      'layers.1.mlp.output',
    ];
    // A step of each point along a direction of its own, weighed by an input.
    const direction = (shape: readonly number[]) =>
      np
        .sin(
          np
            .arange(shape.reduce((a, b) => a * b, 1))
            .astype(np.float32)
            .mul(1.7),
        )
        .reshape([...shape]);
    const stepped = points.map(
      (point): Change => ({
        point,
        apply: (value, { inputs }) => value.add(direction(value.shape).mul(inputs[point])),
      }),
    );
    const inspection = inspect(config, {
      loss: nextToken,
      gradients: { points, weights: (w) => w.endsWith('k_proj.weight') },
      change: stepped,
    });
    const at = (point?: string, size = 0) =>
      inspection.run(
        weights,
        tokens,
        Object.fromEntries(points.map((p) => [p, float32([], [p === point ? size : 0])])),
      );
    const { pointGradients } = await at();
    for (const point of points) {
      const found = await slopeOf(async (step) => (await at(point, step)).loss!);
      const slope = pointGradients[point].data.reduce((sum, g, i) => sum + g * Math.sin(1.7 * i), 0);
      expect(Math.abs(found - slope)).toBeLessThan(3e-3 * Math.max(1, Math.abs(slope)));
    }
    await inspection.dispose();
    // And of a weight.
    const tensor = 'model.layers.0.self_attn.k_proj.weight';
    const found = await slopeOf(async (step) => {
      const moved = altered(model, tensor, (data) => data.map((w, i) => w + step * Math.cos(2.3 * i)));
      return (await passOf(moved, { loss: nextToken })).loss!;
    });
    const { weightGradients } = await passOf(model, {
      loss: nextToken,
      gradients: { weights: (weight) => weight === tensor },
    });
    expect(Object.keys(weightGradients)).toEqual([tensor]);
    const slope = weightGradients[tensor].data.reduce((sum, g, i) => sum + g * Math.cos(2.3 * i), 0);
    expect(Math.abs(found - slope)).toBeLessThan(3e-3 * Math.max(1, Math.abs(slope)));
  });

  it('of a point count what later changes read off it', async () => {
    // The loss sees nothing of the embeddings but what the change adds at the end: Σ e, so that each slope is 1.
    const model = madeDecoder('dense, tied');
    const { pointGradients, loss } = await passOf(model, {
      loss: (logits) => logits.sum(),
      change: [
        {
          point: 'logits',
          apply: (value, { see }) =>
            value.mul(0).add(
              see('embeddings')
                .sum()
                .mul(1 / (2 * 6 * 13)),
            ),
        },
      ],
      gradients: { points: ['embeddings'] },
      observe: { embeddings: valueAt('embeddings') },
    });
    expectClose(pointGradients.embeddings.data, new Float32Array(2 * 6 * 16).fill(1), 1e-6);
    expect(Number.isFinite(loss)).toBe(true);
  });

  it('are of any loss, which reads points and inputs too', async () => {
    const { pointGradients, observed } = await passOf(
      madeDecoder('dense, tied'),
      {
        loss: (_, __, { weight }, see) => see('layers.1.mlp.hidden').mul(weight).sum(),
        gradients: { points: ['layers.1.mlp.hidden', 'layers.1.mlp.up'] },
        observe: { gate: valuesAt('mlp.gate') },
      },
      tokens,
      { weight: float32([], [3]) },
    );
    expect(new Set(pointGradients['layers.1.mlp.hidden'].data)).toEqual(new Set([3]));
    const silu = observed.gate[1].data.map((x) => (3 * x) / (1 + Math.exp(-x)));
    expectClose(pointGradients['layers.1.mlp.up'].data, silu, 1e-5);
  });

  it('want a loss', () => {
    const { config } = madeDecoder('dense, tied');
    expect(() => inspect(config, { gradients: { weights: () => true } })).toThrow(
      'gradients are of a loss, and none is given',
    );
  });
});

describe('reductions over batches', () => {
  const reductions: Record<string, Observation> = {
    squares: sumOfSquares('attention.heads'),
    moments: moments('mlp.hidden'),
    second: secondMoments('mlp.hidden'),
    attention: accumulatedAttention,
    values: valuesAt('mlp.hidden'),
    heads: valuesAt('attention.heads'),
    weights: valuesAt('attention.weights'),
  };
  const model = madeDecoder('dense, tied');
  const inspection = inspect(model.config, {
    observe: reductions,
    loss: nextToken,
    gradients: { weights: (name) => name === 'model.norm.weight' },
  });
  const all = madeTokens(8, 5, 3);
  const texts = (from: number, to: number) => int32([to - from, 5], all.data.slice(from * 5, to * 5));

  it('equal those over all values at once, however the texts are divided', async () => {
    const cutsOf = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cutsOf, async (cuts) => {
        const bounds = [0, ...cuts.sort((a, b) => a - b), 8];
        const batches = bounds.slice(1).map((to, i) => texts(bounds[i], to));
        const { observed, loss } = await inspection.runAll(model.weights, batches);
        let whole = 0;
        for (const batch of batches) whole += (await inspection.run(model.weights, batch)).loss!;
        expect(loss).toBeCloseTo(whole, 5);
        for (const n of [0, 1]) {
          const of = (name: string) => tree.leaves(observed[name][n] as never) as unknown as Floats[];
          const [values] = of('values');
          expect(values.shape).toEqual([8, 5, 12]);
          const rows = Array.from({ length: 40 }, (_, r) => [...values.data.subarray(12 * r, 12 * r + 12)]);
          const column = (c: number) => rows.map((row) => row[c]);
          const sum = (x: readonly number[]) => x.reduce((a, b) => a + b, 0);
          const [count, mean, deviations] = of('moments');
          expect(count.data[0]).toBe(40);
          const means = Array.from({ length: 12 }, (_, c) => sum(column(c)) / 40);
          expectClose(mean.data, means, 1e-5);
          expectClose(
            deviations.data,
            means.map((m, c) => sum(column(c).map((x) => (x - m) ** 2))),
            1e-3,
          );
          expectClose(
            of('second')[0].data,
            Array.from({ length: 144 }, (_, i) => sum(rows.map((row) => row[Math.floor(i / 12)] * row[i % 12]))),
            1e-3,
          );
          const heads = of('heads')[0].data;
          expectClose(
            of('squares')[0].data,
            Array.from({ length: 16 }, (_, c) => sum([...heads].filter((_, i) => i % 16 === c).map((x) => x * x))),
            1e-3,
          );
          const weights = of('weights')[0].data;
          const received = Array.from({ length: 20 }, (_, i) => {
            const [h, k] = [Math.floor(i / 5), i % 5];
            return sum([...weights].filter((_, j) => j % 5 === k && Math.floor(j / 25) % 4 === h));
          });
          expect(of('attention')[0].shape).toEqual([4, 5]);
          expectClose(of('attention')[0].data, received, 1e-4);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('tell how many batches are done, and are none without batches', async () => {
    const told: number[] = [];
    await inspection.runAll(model.weights, [texts(0, 2), texts(2, 4)], (done) => void told.push(done));
    expect(told).toEqual([1, 2]);
    expect(await inspection.runAll(model.weights, [])).toEqual({
      observed: {},
      weightGradients: {},
      pointGradients: {},
    });
  });

  it('take the inputs that a batch brings', async () => {
    const weighed = inspect(model.config, {
      observe: { by: { scope: 'model', reduce: (_, __, { by }) => by.sum() } },
    });
    const batches = [1, 2, 4].map((by) => ({ tokens: texts(0, 1), inputs: { by: float32([2], [by, by]) } }));
    expect((await weighed.runAll(model.weights, batches)).observed.by[0]).toEqual(float32([], [14]));
    await weighed.dispose();
  });

  it('that are asked for twice, or hand on what they are given, are joined like any other', async () => {
    const twice = inspect(model.config, {
      observe: {
        one: sumOfSquares('mlp.input'),
        same: sumOfSquares('mlp.input'),
        given: { scope: 'model', reduce: (_, __, { by }) => by },
      },
    });
    const by = float32([2], Float32Array.of(3, 4));
    const batches = [texts(0, 2), texts(2, 4), texts(4, 6)].map((ids) => ({ tokens: ids, inputs: { by } }));
    const { observed } = await twice.runAll(model.weights, batches);
    expect(observed.same).toEqual(observed.one);
    expect(observed.given[0]).toEqual(float32([2], [9, 12]));
    expect([...by.data]).toEqual([3, 4]);
    const [whole] = (await twice.run(model.weights, texts(0, 6), { by })).observed.one as Floats[];
    expectClose((observed.one[0] as Floats).data, whole.data, 1e-3);
    await twice.dispose();
  });

  it('of texts of other lengths are refused where they cannot be joined', async () => {
    const longer = int32([1, 6], [1, 2, 3, 4, 5, 6]);
    await expect(inspection.runAll(model.weights, [texts(0, 1), longer])).rejects.toThrow(
      /results of shapes \[4, 5\] and \[4, 6\] cannot be joined|cannot be joined; batches of texts of one length can/,
    );
    const slopes = inspect(model.config, { loss: nextToken, gradients: { points: ['embeddings'] } });
    await expect(slopes.runAll(model.weights, [texts(0, 2), texts(2, 3)])).rejects.toThrow(
      'results of 160 and 80 numbers cannot be added',
    );
    await slopes.dispose();
  });
});

describe('inspectLayer', () => {
  it.each(names)('%s: layer by layer it is the whole pass', async (name) => {
    const model = madeDecoder(name);
    const { config, weights } = model;
    const observe = { weights: valuesAt('attention.weights'), squares: sumOfSquares('mlp.input') };
    const half: Change = { point: 'layers.*.attention.output', apply: (value) => value.mul(0.5) };
    const whole = await passOf(model, {
      observe: { ...observe, output: valuesAt('output'), embeddings: valueAt('embeddings') },
      change: [half],
    });
    let x = whole.observed.embeddings[0];
    for (let n = 0; n < config.layers; n++) {
      const layer = inspectLayer(config, n, { observe, change: [half] });
      const { output, observed } = await layer.run(under(weights, `model.layers.${n}.`), x);
      await layer.dispose();
      expectClose(output.data, whole.observed.output[n].data, 1e-6);
      expectClose((observed.weights as Floats).data, whole.observed.weights[n].data, 1e-6);
      expectClose((observed.squares as Floats).data, whole.observed.squares[n].data, 1e-4);
      x = output;
    }
  });

  it('on some of the tokens, at their positions, is the whole layer with the other keys hidden', async () => {
    const { config, weights } = madeDecoder('with biases');
    const own = under(weights, 'model.layers.0.');
    const x = float32([1, 6, 16], weights['model.embed_tokens.weight'].data.slice(0, 96));
    const kept = [0, 2, 5];
    const hide: Change = {
      point: 'layers.0.attention.scores',
      apply: (value, { inputs }) => value.add(inputs.hidden.mul(-1e30)),
    };
    const [whole, part] = [inspectLayer(config, 0, { change: [hide] }), inspectLayer(config, 0, {})];
    const hidden = float32([6], Float32Array.of(0, 1, 0, 1, 1, 0));
    const rows = (data: Float32Array) => kept.flatMap((t) => [...data.subarray(16 * t, 16 * t + 16)]);
    const { output } = await part.run(own, float32([1, 3, 16], rows(x.data)), {}, int32([3], kept));
    expectClose(output.data, rows((await whole.run(own, x, { hidden })).output.data), 1e-5);
    // At other distances the layer is another function.
    const near = await part.run(own, float32([1, 3, 16], rows(x.data)));
    expect(near.output.data).not.toEqual(output.data);
    await Promise.all([whole.dispose(), part.dispose()]);
  });

  it('without anything to look at gives the output alone', async () => {
    const { config, weights } = madeDecoder('dense, tied');
    const layer = inspectLayer(config, 0, {});
    const { output, observed } = await layer.run(
      under(weights, 'model.layers.0.'),
      float32([1, 2, 16], new Float32Array(32).fill(1)),
    );
    expect([output.shape, observed]).toEqual([[1, 2, 16], {}]);
    await layer.dispose();
  });
});
