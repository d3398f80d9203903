/**
 * @file The gradients of a decoder's linear layers for each text of a batch: what each layer reads and the slope of the loss along what
 * it gives, from one backward pass, reduced in the program. Queries, keys and values are one layer (arXiv:2409.16986).
 */

import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { linear } from '../../nn/layers.ts';
import { crossEntropy } from '../../nn/losses.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import type { Tap } from '../../nn/tap.ts';
import {
  compile,
  float32,
  grad,
  int32,
  type JaxArray,
  numpy as np,
  rmsNorm,
  type Tensor,
} from '../../runtime/index.ts';
import type { DecoderConfig } from '../decoder/config.ts';
import { decoder } from '../decoder/decoder.ts';
import type { ExampleGradients, LinearLayer } from './example-gradients.ts';

/** Which linear layers of a decoder are looked at. */
export type DecoderLayers = 'attention' | 'mlp' | 'both';

/** A linear layer, the point it reads and the points it gives. */
interface TappedLayer extends LinearLayer {
  readonly input: string;
  readonly outputs: readonly { readonly point: string; readonly rows: number }[];
}

function tappedLayers(config: DecoderConfig, which: DecoderLayers): TappedLayer[] {
  const { width, heads, keyValueHeads, headSize, hidden, experts } = config;
  const made: TappedLayer[] = [];
  for (let n = 0; n < config.layers; n++) {
    const at = `layers.${n}.`;
    const add = (name: string, columns: number, input: string, outputs: readonly (readonly [string, number])[]) =>
      made.push({
        name: at + name,
        rows: outputs.reduce((sum, [, rows]) => sum + rows, 0),
        columns,
        input: at + input,
        outputs: outputs.map(([point, rows]) => ({ point: at + point, rows })),
      });
    if (which !== 'mlp') {
      add('attention queries, keys, values', width, 'attention.input', [
        ['attention.queriesUnrotated', heads * headSize],
        ['attention.keysUnrotated', keyValueHeads * headSize],
        ['attention.values', keyValueHeads * headSize],
      ]);
      add('attention output', heads * headSize, 'attention.heads', [['attention.output', width]]);
    }
    if (which === 'attention') continue;
    const mlp = (prefix: string, inner: number) => {
      add(`${prefix}gate`, width, `${prefix}input`, [[`${prefix}gate`, inner]]);
      add(`${prefix}up`, width, `${prefix}input`, [[`${prefix}up`, inner]]);
      add(`${prefix}down`, inner, `${prefix}hidden`, [[`${prefix}output`, width]]);
    };
    if (!config.sparse[n]) mlp('mlp.', hidden);
    else for (let e = 0; e < experts!.count; e++) mlp(`mlp.experts.${e}.`, experts!.hidden);
  }
  return made;
}

type Arrays = Readonly<Record<string, JaxArray>>;

/** Each layer's inputs x [batch, tokens, columns] and slopes δ [batch, tokens, rows]; δ is 0 where a text has ended. */
type Slopes = readonly { readonly x: JaxArray; readonly d: JaxArray }[];

/** Numbers of gradients that are formed at a time. */
const mostNumbers = 2 ** 22;
/** Tokens that go through at a time. */
const mostTokens = 1024;

/**
 * Gradients of the cross entropy of each token given those before it, summed over a text. An example is a text's tokens, 2 or more.
 * @param run its signal ends a long look.
 */
export function decoderGradients(
  config: DecoderConfig,
  weights: ParameterTensors,
  which: DecoderLayers,
  run: Run,
): ExampleGradients<Int32Array> {
  const layers = tappedLayers(config, which);
  const size = layers.reduce((sum, { rows, columns }) => sum + rows * columns, 0);

  /** `valid` [batch, tokens] is 1 for the tokens of a text and 0 behind its end. */
  const slopesOf = (w: Parameters, tokens: JaxArray, valid: JaxArray): Slopes => {
    const [batch, length] = tokens.shape;
    const zeros: Record<string, JaxArray> = {};
    for (const { outputs } of layers)
      for (const { point, rows } of outputs) zeros[point] = np.zeros([batch, length, rows]);
    const loss = (probes: Arrays) => {
      const seen = new Map<string, JaxArray>();
      const tap: Tap = (point, value) => {
        seen.set(point, value);
        return probes[point] ? probed(config, w, point, value, probes[point], seen) : value;
      };
      const logits = decoder(w, config, tokens, { tap });
      const value = crossEntropy(logits.slice([], [0, -1]), tokens.slice([], [1]), {
        weights: valid.slice([], [1]),
        reduction: 'sum',
      });
      const inputs = layers.map(({ input, columns }) =>
        seen
          .get(input)!
          .reshape([batch, length, columns])
          .mul(valid.reshape([batch, length, 1])),
      );
      return [value, inputs] as const;
    };
    const [slopes, inputs] = (
      grad(loss as never, { hasAux: true }) as unknown as (probes: Arrays) => [Arrays, JaxArray[]]
    )(zeros);
    return layers.map(({ outputs }, l) => ({
      x: inputs[l],
      d: np.concatenate(
        outputs.map(({ point }) => slopes[point]),
        -1,
      ),
    }));
  };

  const moments = compile((w: Parameters, tokens: JaxArray, valid: JaxArray) =>
    slopesOf(w, tokens, valid).map(({ x, d }) => ({ a: gram(x), s: gram(d) })),
  );
  const gradients = compile(
    (w: Parameters, tokens: JaxArray, valid: JaxArray, bases: readonly { a: JaxArray; s: JaxArray }[]) =>
      slopesOf(w, tokens, valid).map(({ x, d }, l) => {
        const [inputs, slopes] = bases.length > 0 ? [np.matmul(x, bases[l].a), np.matmul(d, bases[l].s)] : [x, d];
        return np.matmul(np.moveaxis(slopes, -1, -2), inputs);
      }),
  );
  const along = compile((w: Parameters, tokens: JaxArray, valid: JaxArray, directions: readonly JaxArray[]) => {
    const each = slopesOf(w, tokens, valid).map(({ x, d }, l) => ({
      inner: d.mul(np.matmul(x, np.moveaxis(directions[l], 0, 1))).sum([1, 2]),
      squares: np
        .matmul(d, np.moveaxis(d, -1, -2))
        .mul(np.matmul(x, np.moveaxis(x, -1, -2)))
        .sum([1, 2]),
    }));
    const total = (of: 'inner' | 'squares') => each.map((one) => one[of]).reduce((a, b) => a.add(b));
    return { inner: total('inner'), squares: total('squares') };
  });

  /** Batches of texts of about one length, padded to a power of two, so that few programs serve all. */
  async function* batches(examples: readonly Int32Array[], what: string, numbersEach = 0) {
    examples.forEach((tokens, e) => {
      if (tokens.length < 2)
        throw new InputError(`text ${e} has ${tokens.length} tokens; a loss of next tokens needs 2 or more`);
    });
    const order = examples.map((_, e) => e).sort((a, b) => examples[a].length - examples[b].length);
    for (let from = 0; from < order.length; ) {
      const length = Math.max(8, 2 ** Math.ceil(Math.log2(examples[order[from]].length)));
      const most = Math.max(
        1,
        Math.min(16, Math.floor(mostTokens / length), numbersEach > 0 ? Math.floor(mostNumbers / numbersEach) : 16),
      );
      const own = order.slice(from, from + most).filter((e) => examples[e].length <= length);
      const tokens = new Int32Array(most * length);
      const valid = new Float32Array(most * length);
      own.forEach((e, b) => {
        tokens.set(examples[e], b * length);
        valid.fill(1, b * length, b * length + examples[e].length);
      });
      run.check();
      yield { own, tokens: int32([most, length], tokens), valid: float32([most, length], valid) };
      from += own.length;
      run.progress(what, from, order.length);
      await run.breathe();
    }
  }
  const matrix = (rows: number, columns: number, values: ArrayLike<number>) => {
    if (values.length !== rows * columns) {
      throw new InputError(
        `a direction has ${values.length} numbers and the layer ${rows * columns}; they must be of the same parameters`,
      );
    }
    return float32([rows, columns], Float32Array.from(values));
  };

  return {
    layers: layers.map(({ name, rows, columns }) => ({ name, rows, columns })),
    async moments(examples) {
      if (examples.length === 0) throw new InputError('moments of no text');
      const sums = layers.map(({ rows, columns }) => ({
        s: new Float64Array(rows * rows),
        a: new Float64Array(columns * columns),
      }));
      for await (const { tokens, valid } of batches(examples, 'curvature')) {
        const made = (await moments(weights as never, tokens, valid)) as unknown as { a: Tensor; s: Tensor }[];
        made.forEach((layer, l) => {
          for (const name of ['a', 's'] as const) {
            const sum = sums[l][name];
            const { data } = layer[name];
            for (let i = 0; i < sum.length; i++) sum[i] += data[i];
          }
        });
      }
      const count = examples.reduce((sum, { length }) => sum + length, 0);
      return sums.map(({ s, a }) => ({ s: s.map((value) => value / count), a: a.map((value) => value / count) }));
    },
    async *gradients(examples, bases = []) {
      const turns = bases.map(({ a, s, rows, columns }) => ({
        a: matrix(columns, columns, a.vectors),
        s: matrix(rows, rows, s.vectors),
      }));
      for await (const { own, tokens, valid } of batches(examples, 'gradients', size)) {
        const made = (await gradients(weights as never, tokens, valid, turns as never)) as unknown as Tensor[];
        for (const [b, example] of own.entries()) {
          yield {
            example,
            predictions: examples[example].length - 1,
            layers: layers.map(({ rows, columns }, l) => {
              const each = rows * columns;
              return made[l].data.slice(b * each, (b + 1) * each) as Float32Array;
            }),
          };
        }
      }
    },
    async along(examples, directions) {
      if (directions.length !== layers.length) {
        throw new InputError(
          `directions of ${directions.length} layers for a model of ${layers.length}; they must be of the same parameters`,
        );
      }
      const by = layers.map(({ rows, columns }, l) => matrix(rows, columns, directions[l]));
      const inner = new Float64Array(examples.length);
      const squares = new Float64Array(examples.length);
      for await (const { own, tokens, valid } of batches(examples, 'influence')) {
        const made = await along(weights as never, tokens, valid, by as never);
        own.forEach((e, b) => {
          inner[e] = made.inner.data[b];
          squares[e] = Math.max(0, made.squares.data[b]);
        });
      }
      return { inner, squares, predictions: Float64Array.from(examples, ({ length }) => length - 1) };
    },
    async dispose() {
      for (const program of [moments, gradients, along]) await program.dispose();
    },
  };
}

/** Σ over batch and tokens of x xᵀ, shape [channels, channels]. */
function gram(x: JaxArray): JaxArray {
  const rows = x.reshape([-1, x.shape[x.shape.length - 1]]);
  return np.matmul(np.transpose(rows), rows);
}

/** The value at a point with a probe [batch, tokens, rows] added to what the layer gives, ahead of a norm over heads. */
function probed(
  { queryKeyNorm, headSize, normEpsilon }: DecoderConfig,
  weights: Parameters,
  point: string,
  value: JaxArray,
  probe: JaxArray,
  seen: ReadonlyMap<string, JaxArray>,
): JaxArray {
  const head = /^(layers\.\d+\.)attention\.(queriesUnrotated|keysUnrotated|values)$/.exec(point);
  if (!head) return value.add(probe);
  const [, layer, kind] = head;
  const byHead = (y: JaxArray) => np.moveaxis(y.reshape([y.shape[0], y.shape[1], -1, headSize]), 1, 2);
  if (!queryKeyNorm || kind === 'values') return value.add(byHead(probe));
  // The point is behind the norm: the layer and its norm once more, with the probe between them.
  const name = `model.${layer}self_attn.${kind === 'queriesUnrotated' ? 'q' : 'k'}`;
  const x = seen.get(`${layer}attention.input`)!;
  const y = linear(x, weights[`${name}_proj.weight`], weights[`${name}_proj.bias`]).add(probe);
  return rmsNorm(byHead(y), weights[`${name}_norm.weight`], normEpsilon);
}
