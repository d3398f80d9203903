import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { innerProduct } from '../../numerics/influence/gradient-alignment.ts';
import { intoBasis, layerBasis } from '../../numerics/influence/kronecker-curvature.ts';
import { int32 } from '../../runtime/index.ts';
import { inspect, nextToken } from '../decoder/inspect.ts';
import { readConfig } from '../decoder/read-config.ts';
import { initialWeights } from '../decoder/weights.ts';
import { decoderGradients } from './decoder-gradients.ts';
import type { ExampleGradient, ExampleGradients } from './example-gradients.ts';
import { influenceOf } from './influence-direction.ts';
import {
  classProbabilities,
  type LabelledFeatures,
  randomReluFeatures,
  softmaxGradients,
  softmaxLoss,
  trainSoftmax,
} from './softmax-regression.ts';

const base = {
  vocab_size: 20,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 4,
  max_position_embeddings: 32,
  tie_word_embeddings: false,
};
const families = {
  llama: base,
  qwen3: base,
  mixtral: { ...base, num_local_experts: 3, num_experts_per_tok: 2 },
};
const configOf = (family: keyof typeof families) =>
  readConfig({ model_type: family, ...families[family] }, 'the test’s config');

function weightsOf(family: keyof typeof families) {
  const weights = initialWeights(configOf(family), new Random(4, family));
  // Larger than fresh ones, so that no gradient is next to nothing.
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => {
      if (!/norm/.test(name)) for (let i = 0; i < tensor.data.length; i++) tensor.data[i] *= 12;
      return [name, tensor];
    }),
  );
}

const texts = [7, 12, 3, 20].map((length, t) => {
  const random = new Random(9, `text ${t}`);
  return Int32Array.from({ length }, () => random.integer(20));
});

async function all<Example>(model: ExampleGradients<Example>, examples: readonly Example[], bases?: never) {
  const made: ExampleGradient[] = [];
  for await (const one of model.gradients(examples, bases)) made[one.example] = one;
  return made;
}

describe.each(Object.keys(families) as (keyof typeof families)[])('gradients of a %s decoder’s texts', (family) => {
  const config = configOf(family);
  const weights = weightsOf(family);

  it('are those of each text alone, whatever it is batched with', async () => {
    const model = decoderGradients(config, weights, 'both', new Run());
    const made = await all(model, texts);
    const inspection = inspect(config, {
      loss: nextToken,
      gradients: { weights: (name) => name.includes('.layers.') },
    });
    for (const [t, text] of texts.entries()) {
      const { weightGradients } = await inspection.run(weights, int32([1, text.length], text));
      const of = (name: string) => Array.from(weightGradients[`model.layers.1.${name}.weight`].data);
      const own = Object.fromEntries(model.layers.map(({ name }, l) => [name, made[t].layers[l]]));
      const scale = text.length - 1;
      const check = (layer: string, names: string[]) => {
        const expected = names.flatMap(of);
        const found = own[`layers.1.${layer}`];
        expect(found.length).toBe(expected.length);
        expected.forEach((value, i) => {
          expect(found[i] / scale).toBeCloseTo(value, 5);
        });
        expect(expected.some((value) => Math.abs(value) > 1e-4)).toBe(true);
      };
      check('attention queries, keys, values', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
      check('attention output', ['self_attn.o_proj']);
      if (family === 'mixtral') {
        check('mlp.experts.0.gate', ['block_sparse_moe.experts.0.w1']);
        check('mlp.experts.0.down', ['block_sparse_moe.experts.0.w2']);
      } else {
        for (const name of ['gate', 'up', 'down']) check(`mlp.${name}`, [`mlp.${name}_proj`]);
      }
    }
    await inspection.dispose();
    await model.dispose();
  });

  it('need not be formed for products and norms, and turn in the program as outside of it', async () => {
    const model = decoderGradients(config, weights, 'attention', new Run());
    const made = await all(model, texts);
    const random = new Random(8, 'directions');
    const directions = model.layers.map(({ rows, columns }) =>
      Float64Array.from({ length: rows * columns }, () => random.normal()),
    );
    const { inner, squares, predictions } = await model.along(texts, directions);
    made.forEach(({ layers }, t) => {
      const expected = innerProduct(directions, layers);
      expect(Math.abs(inner[t] - expected)).toBeLessThan(1e-4 * (1 + Math.abs(expected)));
      expect(squares[t] / innerProduct(layers, layers)).toBeCloseTo(1, 4);
    });
    expect([...predictions]).toEqual(texts.map(({ length }) => length - 1));

    const moments = await model.moments(texts);
    const bases = moments.map((m, l) => layerBasis({ ...model.layers[l], ...m }));
    const turned = await all(model, texts, bases as never);
    turned.forEach(({ layers }, t) => {
      layers.forEach((layer, l) => {
        intoBasis(bases[l], made[t].layers[l]).forEach((value, i) => {
          expect(layer[i]).toBeCloseTo(value, 4);
        });
      });
    });
    await model.dispose();
  });
});

describe('gradients of texts', () => {
  it('of attention and of the MLP together are both', () => {
    const names = (which: 'attention' | 'mlp' | 'both') =>
      decoderGradients(configOf('llama'), weightsOf('llama'), which, new Run()).layers.map(({ name }) => name);
    expect(new Set([...names('attention'), ...names('mlp')])).toEqual(new Set(names('both')));
    expect(names('attention')).toHaveLength(4);
    expect(names('mlp')).toHaveLength(6);
  });

  it('are refused for a text of one token and for directions of other layers', async () => {
    const model = decoderGradients(configOf('llama'), weightsOf('llama'), 'mlp', new Run());
    await expect(model.moments([Int32Array.of(1)])).rejects.toThrow('text 0 has 1 tokens');
    await expect(model.along(texts, [new Float64Array(3)])).rejects.toThrow('directions of 1 layers for a model of 6');
    await expect(
      model.along(
        texts,
        model.layers.map(() => new Float64Array(3)),
      ),
    ).rejects.toThrow('a direction has 3 numbers and the layer 384');
  });

  it('a text’s influence on itself is above 0 and greater than on another, on a real decoder', async () => {
    const model = decoderGradients(configOf('llama'), weightsOf('llama'), 'both', new Run());
    const { score } = await influenceOf(model, texts, [texts[1]]);
    const scores = await score(texts);
    expect(scores[1]).toBeGreaterThan(0);
    expect(scores.indexOf(Math.max(...scores))).toBe(1);
    await model.dispose();
  });
});

/** Three classes around three centres. */
function rows(random: Random, count: number): { x: number[]; label: number }[] {
  return Array.from({ length: count }, (_, i) => {
    const label = i % 3;
    return { x: [Math.cos(2 * label) + 0.4 * random.normal(), Math.sin(2 * label) + 0.4 * random.normal()], label };
  });
}

describe('softmax regression on random features', () => {
  const random = new Random(6, 'rows');
  const drawn = rows(random, 150);
  const map = randomReluFeatures(
    drawn.flatMap(({ x }) => x),
    { inputs: 2, outputs: 30, random },
  );
  const examples: LabelledFeatures[] = drawn.map(({ x, label }) => ({ x: map.apply(x), label }));
  const weights = trainSoftmax(examples, { classes: 3, steps: 150 });

  it('learns what features tell apart, and each step lowers the loss', () => {
    const loss = (steps: number) => softmaxLoss(trainSoftmax(examples, { classes: 3, steps }), examples).loss;
    expect(loss(0)).toBeCloseTo(Math.log(3), 10);
    expect(softmaxLoss(weights, examples).accuracy).toBeGreaterThan(0.9);
    const course = [1, 2, 5, 20, 100].map(loss);
    course.slice(1).forEach((value, i) => {
      expect(value).toBeLessThan(course[i]);
    });
  });

  it('its gradients are the slopes of the loss', async () => {
    const one = examples[4];
    const [{ layers }] = await all(softmaxGradients(weights, 30), [one]);
    const lossAt = (i: number, by: number) => {
      const moved = weights.slice();
      moved[i] += by;
      return -Math.log(classProbabilities(moved, one.x)[one.label]);
    };
    for (const i of [0, 17, 45, 80]) {
      expect(layers[0][i]).toBeCloseTo((lossAt(i, 1e-5) - lossAt(i, -1e-5)) / 2e-5, 7);
    }
  });

  it('influence by a long route is influence by the short one, with a cosine or with lengths', async () => {
    const model = softmaxGradients(weights, 30);
    const [sample, reference, asked] = [examples.slice(0, 60), examples.slice(60, 64), examples.slice(100, 110)];
    const { score, direction } = await influenceOf(model, sample, reference, { curvature: 'k-fac' });
    const gradients = await all(model, asked);
    const scores = await score(asked);
    gradients.forEach(({ layers }, e) => {
      const cosine = innerProduct(direction, layers) / Math.sqrt(innerProduct(layers, layers));
      expect(scores[e]).toBeCloseTo(cosine, 10);
    });
    const plain = await influenceOf(model, sample, reference, { cosine: false, damping: 1e9 });
    const mean = await all(model, reference);
    const long = await plain.score(asked);
    gradients.forEach(({ layers }, e) => {
      const expected = mean.reduce((sum, r) => sum + innerProduct(r.layers, layers) / 4, 0);
      expect(long[e] * 1e9).toBeCloseTo(expected, 6);
    });
  });

  it('great damping gives the cosine of plain gradients', async () => {
    const model = softmaxGradients(weights, 30);
    const none = await influenceOf(model, examples, examples.slice(0, 5), { curvature: 'none' });
    const damped = await influenceOf(model, examples, examples.slice(0, 5), { damping: 1e9 });
    const [a, b] = [await none.score(examples), await damped.score(examples)];
    a.forEach((value, e) => {
      expect(b[e]).toBeCloseTo(value, 6);
    });
  });

  it('a projection of many dimensions keeps the order of the scores', async () => {
    const model = softmaxGradients(weights, 30);
    const asked = examples.slice(50, 90);
    const exact = await (await influenceOf(model, examples, examples.slice(0, 4))).score(asked);
    const projection = { dimension: 4096, random: new Random(1, 'projection') };
    const rough = await (await influenceOf(model, examples, examples.slice(0, 4), { projection })).score(asked);
    exact.forEach((value, e) => {
      expect(Math.abs(rough[e] - value)).toBeLessThan(0.1);
    });
  });

  it('an example with a gradient of 0 scores 0; no reference and no damping are refused', async () => {
    const model = softmaxGradients(weights, 30);
    const blank = { x: new Float64Array(30), label: 0 };
    const { score } = await influenceOf(model, examples, examples.slice(0, 2));
    expect([...(await score([blank]))]).toEqual([0]);
    await expect(influenceOf(model, examples, [])).rejects.toThrow('a reference, and that has no example');
    await expect(influenceOf(model, [], examples)).rejects.toThrow('taken from a sample');
    await expect(influenceOf(model, examples, examples, { damping: 0 })).rejects.toThrow('damping = 0');
    expect(() => trainSoftmax([], { classes: 2, steps: 1 })).toThrow('needs an example');
    expect(() => trainSoftmax([{ x: blank.x, label: 4 }], { classes: 2, steps: 1 })).toThrow('is of class 4');
  });
});
