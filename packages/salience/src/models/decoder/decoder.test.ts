import { describe, expect, it } from 'vitest';
import { madeConfigs, madeDecoder, madeTokens } from '../../../test/made-decoders.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import { rotaryFrequencies } from '../../nn/rotary.ts';
import { compile, int32, type JaxArray, numpy as np, type Tensor } from '../../runtime/index.ts';
import type { DecoderConfig } from './config.ts';
import { decoder } from './decoder.ts';

const logitsOf = async ({ config, weights }: ReturnType<typeof madeDecoder>, tokens: Tensor<'int32'>) => {
  const program = compile((parameters: Parameters, ids: JaxArray) => decoder(parameters, config, ids));
  const { shape, data } = (await program(weights as never, tokens)) as Tensor<'float32'>;
  await program.dispose();
  return { shape, data };
};

const sum = (x: readonly number[]) => x.reduce((a, b) => a + b, 0);
const dot = (x: readonly number[], y: readonly number[]) => sum(x.map((a, i) => a * y[i]));
const add = (x: readonly number[], y: readonly number[]) => x.map((a, i) => a + y[i]);
const softmax = (x: readonly number[]) => {
  const raised = x.map((a) => Math.exp(a - Math.max(...x)));
  return raised.map((a) => a / sum(raised));
};

/** The same network once more, in loops over numbers of 64 bits; logits of each position of one text. */
function plainDecoder(config: DecoderConfig, weights: ParameterTensors, tokens: readonly number[]): number[][] {
  const { heads, keyValueHeads, headSize, normEpsilon, experts } = config;
  const rows = (name: string) => {
    const { shape, data } = weights[name];
    return Array.from({ length: shape[0] }, (_, r) => [...data.subarray(r * shape[1], (r + 1) * shape[1])]);
  };
  const linear = (name: string, x: readonly number[]) => {
    const y = rows(`${name}.weight`).map((row) => dot(row, x));
    return `${name}.bias` in weights ? add(y, [...weights[`${name}.bias`].data]) : y;
  };
  const norm = (name: string, x: readonly number[]) => {
    const root = Math.sqrt(dot(x, x) / x.length + normEpsilon);
    return x.map((a, i) => (a / root) * weights[`${name}.weight`].data[i]);
  };
  const gated = (block: string, [gate, up, down]: readonly string[], x: readonly number[]) => {
    const opened = linear(`${block}.${gate}`, x).map((a) => a / (1 + Math.exp(-a)));
    const inner = linear(`${block}.${up}`, x).map((a, i) => a * opened[i]);
    return linear(`${block}.${down}`, inner);
  };
  const turned = (x: readonly number[], position: number) => {
    const half = headSize / 2;
    return x.map((a, i) => {
      const angle = position * rotaryFrequencies(config.rotary, headSize).frequencies[i % half];
      return a * Math.cos(angle) + (i < half ? -x[i + half] : x[i - half]) * Math.sin(angle);
    });
  };
  const table = rows('model.embed_tokens.weight');
  let stream = tokens.map((token) => table[token]);
  for (let n = 0; n < config.layers; n++) {
    const at = `model.layers.${n}`;
    const normed = stream.map((x) => norm(`${at}.input_layernorm`, x));
    const projected = (name: string, count: number, position = false) =>
      normed.map((x, t) => {
        const y = linear(`${at}.self_attn.${name}_proj`, x);
        return Array.from({ length: count }, (_, h) => {
          const head = y.slice(h * headSize, (h + 1) * headSize);
          const own = position && config.queryKeyNorm ? norm(`${at}.self_attn.${name}_norm`, head) : head;
          return position ? turned(own, t) : own;
        });
      });
    const q = projected('q', heads, true);
    const k = projected('k', keyValueHeads, true);
    const v = projected('v', keyValueHeads);
    const middle = stream.map((x, t) => {
      const mixed = q[t].flatMap((query, h) => {
        const group = Math.floor(h / (heads / keyValueHeads));
        const first = Math.max(0, t + 1 - (config.windows[n] ?? Infinity));
        const seen = Array.from({ length: t + 1 - first }, (_, i) => first + i);
        const shares = softmax(seen.map((s) => dot(query, k[s][group]) / Math.sqrt(headSize)));
        return Array.from({ length: headSize }, (_, c) => sum(seen.map((s, i) => shares[i] * v[s][group][c])));
      });
      return add(x, linear(`${at}.self_attn.o_proj`, mixed));
    });
    stream = middle.map((x) => {
      const y = norm(`${at}.post_attention_layernorm`, x);
      if (!config.sparse[n]) return add(x, gated(`${at}.mlp`, ['gate_proj', 'up_proj', 'down_proj'], y));
      const mixtral = experts!.naming === 'mixtral';
      const block = `${at}.${mixtral ? 'block_sparse_moe' : 'mlp'}`;
      const names = mixtral ? ['w1', 'w3', 'w2'] : ['gate_proj', 'up_proj', 'down_proj'];
      const shares = softmax(linear(`${block}.gate`, y));
      const chosen = shares
        .map((_, e) => e)
        .sort((a, b) => shares[b] - shares[a])
        .slice(0, experts!.perToken);
      const whole = experts!.normalised ? sum(chosen.map((e) => shares[e])) : 1;
      return chosen.reduce(
        (total, e) =>
          add(
            total,
            gated(`${block}.experts.${e}`, names, y).map((a) => (a * shares[e]) / whole),
          ),
        x,
      );
    });
  }
  const head = rows(config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight');
  return stream.map((x) => head.map((row) => dot(row, norm('model.norm', x))));
}

describe('decoder', () => {
  it.each(Object.keys(madeConfigs))('%s: its logits are those of plain loops', async (name) => {
    const model = madeDecoder(name);
    const tokens = madeTokens(2, 7);
    const { shape, data } = await logitsOf(model, tokens);
    expect(shape).toEqual([2, 7, 13]);
    const expected = [0, 7].flatMap((from) =>
      plainDecoder(model.config, model.weights, [...tokens.data.subarray(from, from + 7)]).flat(),
    );
    expected.forEach((logit, i) => {
      expect(Math.abs(data[i] - logit)).toBeLessThan(2e-5);
    });
  });

  it.each(Object.keys(madeConfigs))('%s: a token changes no logit before it', async (name) => {
    const model = madeDecoder(name);
    const tokens = madeTokens(1, 6);
    const other = int32([1, 6], tokens.data.with(4, (tokens.data[4] + 1) % 13));
    const [one, two] = [await logitsOf(model, tokens), await logitsOf(model, other)];
    expect(two.data.subarray(0, 4 * 13)).toEqual(one.data.subarray(0, 4 * 13));
    expect(two.data.subarray(4 * 13)).not.toEqual(one.data.subarray(4 * 13));
  });

  it('sees no further back than its windows together reach', async () => {
    const model = madeDecoder('with a window');
    // Two layers that each see 3 positions: the last of 6 tokens depends on tokens 1 to 5.
    const tokens = madeTokens(1, 6);
    const last = async (changed: number) => {
      const ids = tokens.data.with(changed, (tokens.data[changed] + 1) % 13);
      return (await logitsOf(model, int32([1, 6], ids))).data.slice(5 * 13);
    };
    const whole = (await logitsOf(model, tokens)).data.slice(5 * 13);
    expect(await last(0)).toEqual(whole);
    expect(await last(1)).not.toEqual(whole);
  });

  it('gives the head one token alone where only one is wanted', async () => {
    const model = madeDecoder('dense, tied');
    const tokens = madeTokens(2, 5);
    const program = compile((weights: Parameters, ids: JaxArray) =>
      decoder(weights, model.config, ids, { only: np.array([3]).astype(np.int32) }),
    );
    const { shape, data } = (await program(model.weights as never, tokens)) as Tensor<'float32'>;
    expect(shape).toEqual([2, 1, 13]);
    const whole = await logitsOf(model, tokens);
    [0, 1].forEach((b) => {
      for (let v = 0; v < 13; v++) expect(data[b * 13 + v]).toBeCloseTo(whole.data[(b * 5 + 3) * 13 + v], 5);
    });
    await program.dispose();
  });

  it('knows only how far positions are apart', async () => {
    const { config, weights } = madeDecoder('dense, tied');
    const program = compile((parameters: Parameters, ids: JaxArray, positions: JaxArray) =>
      decoder(parameters, config, ids, { positions }),
    );
    const tokens = madeTokens(1, 5);
    const at = async (first: number) =>
      (
        await program(
          weights as never,
          tokens,
          int32(
            [5],
            [0, 1, 2, 3, 4].map((i) => first + i),
          ),
        )
      ).data as Float32Array;
    const [here, there] = [await at(0), await at(40)];
    here.forEach((logit, i) => {
      expect(Math.abs(there[i] - logit)).toBeLessThan(1e-4);
    });
    await program.dispose();
  });
});
