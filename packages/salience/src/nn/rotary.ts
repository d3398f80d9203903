/** @file Rotary positions (arXiv:2104.09864): each pair of channels of a query or a key is turned by an angle that grows with its position. */

import { type JaxArray, numpy as np } from '../runtime/index.ts';

/** How fast each pair of channels turns, and what the turned vectors are multiplied by. */
export interface RotaryFrequencies {
  /** Radians a position, shape [headSize / 2]. */
  readonly frequencies: Float32Array;
  readonly factor: number;
}

/** Scaling beyond the trained length: all positions pressed together, or slow pairs only. */
export type RotaryScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalPositions: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalPositions: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Factor on cos and sin. */
      readonly attentionFactor: number;
    };

export interface Rotary {
  readonly base: number;
  readonly scaling?: RotaryScaling;
}

/** The frequencies of heads of this size: base^(−2i / headSize), scaled as the published models do. */
export function rotaryFrequencies({ base, scaling }: Rotary, headSize: number): RotaryFrequencies {
  const plain = Array.from({ length: headSize / 2 }, (_, i) => base ** ((-2 * i) / headSize));
  if (!scaling) return { frequencies: Float32Array.from(plain), factor: 1 };
  switch (scaling.kind) {
    case 'linear':
      return { frequencies: Float32Array.from(plain, (f) => f / scaling.factor), factor: 1 };
    case 'llama3': {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions } = scaling;
      const scaled = plain.map((f) => {
        const turns = (originalPositions * f) / (2 * Math.PI);
        const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
        return (1 - share) * (f / factor) + share * f;
      });
      return { frequencies: Float32Array.from(scaled), factor: 1 };
    }
    case 'yarn': {
      // arXiv:2309.00071: pairs that turn often within the trained length stay, those that turn seldom are interpolated.
      const { factor, originalPositions, betaFast, betaSlow, attentionFactor } = scaling;
      const pairOf = (turns: number) =>
        (headSize * Math.log(originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(base));
      const first = Math.max(0, Math.floor(pairOf(betaFast)));
      const last = Math.min(headSize - 1, Math.ceil(pairOf(betaSlow)));
      const scaled = plain.map((f, i) => {
        const slow = Math.min(1, Math.max(0, (i - first) / Math.max(last - first, 1e-3)));
        return slow * (f / factor) + (1 - slow) * f;
      });
      return { frequencies: Float32Array.from(scaled), factor: attentionFactor };
    }
  }
}

/** The turns of some positions. */
export interface Rotation {
  /** Shape [tokens, headSize / 2]. */
  readonly cos: JaxArray;
  /** Shape [tokens, headSize / 2]. */
  readonly sin: JaxArray;
}

/** The turns of these positions (int32, shape [tokens]). */
export function rotationOf(positions: JaxArray, { frequencies, factor }: RotaryFrequencies): Rotation {
  const angles = positions.astype(np.float32).reshape([-1, 1]).mul(np.array(frequencies));
  return { cos: np.cos(angles).mul(factor), sin: np.sin(angles).mul(factor) };
}

/** Turns x, shape [..., tokens, headSize]: channel i and channel i + headSize / 2 are a pair, as in the published checkpoints. */
export function rotate(x: JaxArray, { cos, sin }: Rotation): JaxArray {
  const [first, second] = np.split(x, 2, -1);
  return np.concatenate([first.mul(cos).sub(second.mul(sin)), second.mul(cos).add(first.mul(sin))], -1);
}
