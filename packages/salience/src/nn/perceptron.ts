/** @file The multilayer perceptron: linear layers with ReLU between them. */

import type { Random } from '../core/random.ts';
import { float32, type JaxArray, nn, type Tensor } from '../runtime/index.ts';
import { linear } from './layers.ts';
import type { Parameters, ParameterTensors } from './parameters.ts';

/**
 * Layers `1.weight` [out, in], `1.bias`, `2.weight`, … applied in turn, ReLU before each but the first: x [n, in] → [n, out].
 * @param layers how many there are.
 */
export function perceptron(parameters: Parameters, x: JaxArray, layers: number): JaxArray {
  let out = x;
  for (let l = 1; l <= layers; l++) {
    out = linear(l > 1 ? nn.relu(out) : out, parameters[`${l}.weight`], parameters[`${l}.bias`]);
  }
  return out;
}

/**
 * He's normal weights and biases of 0.
 * @param widths of the input, of each hidden layer and of the output.
 */
export function initialPerceptron(widths: readonly number[], random: Random): ParameterTensors {
  const tensors: Record<string, Tensor<'float32'>> = {};
  for (let l = 1; l < widths.length; l++) {
    const [from, to] = [widths[l - 1], widths[l]];
    const deviation = Math.sqrt(2 / from);
    tensors[`${l}.weight`] = float32(
      [to, from],
      Float32Array.from({ length: to * from }, () => deviation * random.normal()),
    );
    tensors[`${l}.bias`] = float32([to], new Float32Array(to));
  }
  return tensors;
}
