import { describe, expect, it } from 'vitest';
import { InputError, SalienceError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { valueAt } from '../../nn/observation.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { float32, int32, type Tensor } from '../../runtime/index.ts';
import { inspect } from './inspect.ts';
import { layersInMemory, type WalkState, walkLayers } from './layer-walk.ts';
import { inputSecondMoments, inputSquares, linearMaps } from './linear-maps.ts';
import { readConfig } from './read-config.ts';
import { initialWeights, weightShapes } from './weights.ts';

const base = {
  vocab_size: 12,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 4096,
};
const dense = readConfig({ ...base, model_type: 'llama' }, 'config.json');
const mixture = readConfig(
  { ...base, model_type: 'mixtral', num_local_experts: 4, num_experts_per_tok: 2, sliding_window: null },
  'config.json',
);
const run = new Run();
const random = new Random(6);
const blocks = int32(
  [5, 12],
  Int32Array.from({ length: 60 }, () => random.integer(12)),
);

function weightsOf(config: typeof dense): ParameterTensors {
  const weights = initialWeights(config, new Random(5));
  for (const { shape, data } of Object.values(weights))
    if (shape.length === 2) for (let i = 0; i < data.length; i++) data[i] *= 10;
  return weights;
}

type Statistics = Readonly<Record<string, Tensor<'float32'>>>;

describe('a walk through the layers', () => {
  it.each([
    ['dense', dense],
    ['of experts', mixture],
  ] as const)('sees in a %s model what one pass through the whole model sees', async (_, config) => {
    const weights = weightsOf(config);
    const inspection = inspect(config, {
      observe: { inputs: { scope: 'layer', reduce: (see, n, given) => inputSquares(config, n).reduce(see, n, given) } },
    });
    const { observed } = await inspection.run(weights, blocks);
    await inspection.dispose();
    const source = layersInMemory({ config, weights });
    const observe = (n: number) => ({ inputs: inputSquares(config, n) });
    let layers = 0;
    for await (const { n, observed: walked } of walkLayers(source, blocks, { observe, run })) {
      layers++;
      for (const [input, { data }] of Object.entries(walked.inputs as Statistics)) {
        const whole = (observed.inputs[n] as Statistics)[input].data;
        data.forEach((sum, j) => {
          expect(Math.abs(sum - whole[j])).toBeLessThanOrEqual(1e-4 * whole[j] + 1e-6);
        });
      }
    }
    expect(layers).toBe(3);
  });

  it('shows each layer what changed layers before it make', async () => {
    const weights = weightsOf(dense);
    const nothing = (name: string) => float32(weights[name].shape, new Float32Array(weights[name].data.length));
    const changed: ParameterTensors = {
      ...weights,
      'model.layers.0.self_attn.o_proj.weight': nothing('model.layers.0.self_attn.o_proj.weight'),
      'model.layers.0.mlp.down_proj.weight': nothing('model.layers.0.mlp.down_proj.weight'),
    };
    const observe = () => ({ inputs: inputSquares(dense, 0) });
    const seen: Statistics[] = [];
    for await (const { n, weights: own, observed } of walkLayers(layersInMemory({ config: dense, weights }), blocks, {
      observe,
      run,
    })) {
      seen.push(observed.inputs as Statistics);
      if (n === 0)
        for (const name of ['self_attn.o_proj.weight', 'mlp.down_proj.weight'])
          own[name] = changed[`model.layers.0.${name}`];
    }
    let n = 0;
    for await (const { observed } of walkLayers(layersInMemory({ config: dense, weights: changed }), blocks, {
      observe,
      run,
    })) {
      if (n > 0)
        expect([...seen[n]['attention.input'].data]).toEqual([
          ...(observed.inputs as Statistics)['attention.input'].data,
        ]);
      n++;
    }
  });

  it('adds up texts in several passes as in one', async () => {
    const long = int32(
      [3, 3000],
      Int32Array.from({ length: 9000 }, () => random.integer(12)),
    );
    const weights = weightsOf(dense);
    const observe = (n: number) => ({ squares: inputSquares(dense, n), moments: inputSecondMoments(dense, n) });
    const walk = walkLayers(layersInMemory({ config: dense, weights }), long, { observe, run });
    const { observed } = (await walk.next()).value!;
    await walk.return(undefined);
    const [squares, moments] = [observed.squares as Statistics, observed.moments as Statistics];
    for (const [input, { data }] of Object.entries(squares)) {
      expect(moments[input].shape).toEqual([data.length, data.length]);
      data.forEach((sum, j) => {
        expect(Math.abs(moments[input].data[j * data.length + j] - sum)).toBeLessThanOrEqual(1e-3 * sum);
      });
    }
    // RMS norms of 1: the squares of the first input are about one a channel of a token.
    const total = squares['attention.input'].data.reduce((sum, value) => sum + value, 0);
    expect(Math.abs(total / (9000 * 16) - 1)).toBeLessThan(0.02);
  });

  it('goes on from a saved state', async () => {
    const weights = weightsOf(dense);
    const saved: { next: number; hidden: Float32Array }[] = [];
    const state: WalkState = {
      load: async () => saved[0],
      save: async (next, hidden) => void saved.unshift({ next, hidden: hidden.slice() }),
    };
    const observe = (n: number) => ({ inputs: inputSquares(dense, n) });
    const source = layersInMemory({ config: dense, weights });
    const all: Statistics[] = [];
    for await (const { observed } of walkLayers(source, blocks, { observe, run }))
      all.push(observed.inputs as Statistics);
    const first = walkLayers(source, blocks, { observe, run, state });
    await first.next();
    await first.next();
    await first.return(undefined);
    expect(saved[0].next).toBe(1);
    const rest: number[] = [];
    for await (const { n, observed } of walkLayers(source, blocks, { observe, run, state })) {
      rest.push(n);
      expect(observed.inputs).toEqual(all[n]);
    }
    expect(rest).toEqual([1, 2]);
    for await (const _ of walkLayers(source, blocks, { observe, run, state }))
      throw new Error('nothing was left to walk');
  });

  it('names the layer whose output is not finite', async () => {
    const weights = { ...weightsOf(dense) };
    weights['model.layers.1.mlp.down_proj.weight'] = float32([16, 24], new Float32Array(16 * 24).fill(1e38));
    const walk = async () => {
      const observe = (n: number) => ({ inputs: inputSquares(dense, n) });
      for await (const _ of walkLayers(layersInMemory({ config: dense, weights }), blocks, { observe, run }));
    };
    await expect(walk()).rejects.toThrow(/the output of layer 1 is not finite/);
    await expect(walk()).rejects.toThrow(SalienceError);
    await expect(walk()).rejects.not.toThrow(InputError);
  });
});

describe('the matrices of a layer', () => {
  it.each([
    ['dense', dense],
    ['of experts', mixture],
  ] as const)('%s, are all of its matrices but routers, with the shapes they have', (_, config) => {
    const shapes = weightShapes(config);
    const maps = linearMaps(config, 1).map(({ name, rows, columns }) => [`model.layers.1.${name}`, [rows, columns]]);
    const expected = [...shapes].filter(
      ([name, shape]) => name.startsWith('model.layers.1.') && shape.length === 2 && !/moe\.gate\./.test(name),
    );
    expect(maps).toEqual(expected);
  });

  it('of experts read the tokens sent to them alone: every token counts twice among them', async () => {
    const weights = weightsOf(mixture);
    const observe = (n: number) => ({ inputs: inputSquares(mixture, n) });
    const plain = inspect(mixture, { observe: { x: valueAt('layers.0.mlp.input') } });
    const { observed } = await plain.run(weights, blocks);
    await plain.dispose();
    const { data } = observed.x[0] as Tensor<'float32'>;
    const walk = walkLayers(layersInMemory({ config: mixture, weights }), blocks, { observe, run });
    const statistics = (await walk.next()).value!.observed.inputs as Statistics;
    await walk.return(undefined);
    for (let j = 0; j < 16; j++) {
      let all = 0;
      for (let i = j; i < data.length; i += 16) all += data[i] ** 2;
      let sent = 0;
      for (let e = 0; e < 4; e++) sent += statistics[`mlp.experts.${e}.input`].data[j];
      expect(Math.abs(sent / (2 * all) - 1)).toBeLessThan(1e-4);
    }
  });
});
