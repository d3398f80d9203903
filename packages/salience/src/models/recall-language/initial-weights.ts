/**
 * @file Weights from which a decoder learns to look facts up within minutes. Left to chance, the two heads that such a lookup takes (one
 * that marks each token with the one before it, one that finds the token so marked) need thousands of steps to find each other. Here
 * the first two layers begin with a rough version of both (mimetic initialisation, arXiv:2305.09828); training does the rest.
 */

import { Matrix, QrDecomposition } from 'ml-matrix';
import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { rotaryFrequencies } from '../../nn/rotary.ts';
import { float32 } from '../../runtime/index.ts';
import type { DecoderConfig } from '../decoder/config.ts';
import { weightShapes } from '../decoder/weights.ts';

/** Standard deviation of an embedding's entries, to which what the first heads write is scaled. */
const scale = 0.1;
/** Channel that is the same for all tokens, so that a head can attend by position alone. */
const constant = 0.25;
/** What layers write into the stream at first, as a share of the usual. */
const quiet = 0.05;
/** How much the score falls one position off the token before. */
const sharpness = 4;
/** Gain of queries and keys of the head that matches. */
const gain = 1.3;

/**
 * Fresh weights for a decoder of two layers or more, tied head and no biases.
 * @throws ParameterError for a decoder in which the two heads have no room.
 */
export function initialRecallWeights(config: DecoderConfig, random: Random): ParameterTensors {
  const { width, heads, keyValueHeads, headSize, layers, tied, rotary } = config;
  if (layers < 2 || !tied || config.queryKeyValueBias || config.queryKeyNorm || width < 4 * headSize)
    throw new ParameterError(
      'initial weights for recall are for tied decoders without biases, of 2 layers and width 4 × head size or more',
    );
  const group = heads / keyValueHeads;
  const weights: Record<string, ReturnType<typeof float32>> = {};
  for (const [name, shape] of weightShapes(config)) {
    const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
    const writes = /(o_proj|down_proj|w2)\.weight$/.test(name);
    const spread = name.includes('embed') ? scale : (writes ? quiet : 1) / Math.sqrt(shape[shape.length - 1]);
    for (let i = 0; i < data.length; i++) data[i] = shape.length === 1 ? 1 : spread * random.normal();
    weights[name] = float32(shape, data);
  }
  // The stream: channel 0 is constant, `content` holds a token's own mark, `before` waits for the mark of the token before.
  const content = { from: 1, size: 2 * headSize - 1 };
  const before = 2 * headSize;
  const table = weights['model.embed_tokens.weight'].data;
  for (let at = 0; at < table.length; at += width) {
    table[at] = 0;
    table.fill(0, at + before, at + before + headSize);
    let square = 0;
    for (let c = 0; c < width; c++) square += table[at + c] ** 2;
    for (let c = 0; c < width; c++) table[at + c] *= (scale * Math.sqrt(width) * 0.85) / Math.sqrt(square);
    table[at] = constant;
  }
  const normed = constant / Math.sqrt((scale * 0.85) ** 2 + constant ** 2 / width);
  const set = (name: string, row: number, column: number, value: number) => {
    const { data, shape } = weights[name];
    data[row * shape[1] + column] = value;
  };
  const clear = (name: string, from: number, rows: number, share: number) => {
    const { data, shape } = weights[name];
    for (let i = from * shape[1]; i < (from + rows) * shape[1]; i++) data[i] *= share;
  };
  const layer = (n: number, name: string) => `model.layers.${n}.self_attn.${name}_proj.weight`;

  // Layer 0: queries turned back by one position, keys not, on the pairs that turn fastest.
  const { frequencies } = rotaryFrequencies(rotary, headSize);
  const pairs = [...frequencies.subarray(0, 4)];
  const fall = pairs.reduce((sum, f) => sum + 1 - Math.cos(f), 0);
  const strength = Math.sqrt((sharpness * Math.sqrt(headSize)) / fall) / normed;
  clear(layer(0, 'q'), 0, group * headSize, quiet);
  clear(layer(0, 'k'), 0, headSize, quiet);
  pairs.forEach((f, i) => {
    for (let h = 0; h < group; h++) {
      set(layer(0, 'q'), h * headSize + i, 0, strength * Math.cos(f));
      set(layer(0, 'q'), h * headSize + headSize / 2 + i, 0, -strength * Math.sin(f));
    }
    set(layer(0, 'k'), i, 0, strength);
  });
  // Its values are the content of the token; they go to `before`.
  const mark = orthonormalRows(random, headSize, content.size);
  const copied = orthonormalRows(random, headSize, content.size);
  const spread = Math.sqrt(content.size / headSize) / 1.4;
  for (let r = 0; r < headSize; r++) {
    for (const [n, name, rows, share] of [
      [0, 'v', mark, spread],
      [1, 'v', copied, 1],
    ] as const) {
      clear(layer(n, name), r, 1, 0);
      for (const [c, value] of rows[r].entries()) set(layer(n, name), r, content.from + c, share * value);
    }
    // Layer 1: the queries read the token's own mark, the keys the mark of the token before.
    clear(layer(1, 'k'), r, 1, 0);
    set(layer(1, 'k'), r, before + r, gain);
    for (let h = 0; h < group; h++) {
      clear(layer(1, 'q'), h * headSize + r, 1, 0);
      for (const [c, value] of mark[r].entries())
        set(layer(1, 'q'), h * headSize + r, content.from + c, gain * spread * value);
    }
    for (let h = 0; h < group; h++) {
      for (let row = 0; row < width; row++) {
        set(layer(0, 'o'), row, h * headSize + r, row === before + r ? scale / 2 : 0);
        const c = row - content.from;
        set(layer(1, 'o'), row, h * headSize + r, c >= 0 && c < content.size ? 0.7 * scale * copied[r][c] : 0);
      }
    }
  }
  return weights;
}

/** Orthonormal rows of chance, [count][size]. */
function orthonormalRows(random: Random, count: number, size: number): number[][] {
  const chance = Matrix.zeros(size, count).apply(function (this: Matrix, i, j) {
    this.set(i, j, random.normal());
  });
  return new QrDecomposition(chance).orthogonalMatrix
    .subMatrix(0, size - 1, 0, count - 1)
    .transpose()
    .to2DArray();
}
