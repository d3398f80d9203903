/** @file The tensors of a residual network: torchvision's names and shapes, and fresh ones to train. */

import type { Random } from '../../core/random.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { float32 } from '../../runtime/index.ts';
import type { ResnetConfig } from './resnet.ts';

/** Every tensor by its published name, in the order data flows through them; kernels are [out, in, height, width]. */
export function resnetShapes({
  channels,
  classes,
  stem,
  stages,
}: ResnetConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const convolution = (name: string, norm: string, out: number, into: number, kernel: number) => {
    shapes.set(`${name}.weight`, [out, into, kernel, kernel]);
    for (const part of ['weight', 'bias', 'running_mean', 'running_var']) shapes.set(`${norm}.${part}`, [out]);
  };
  let width = stages[0].width;
  convolution('conv1', 'bn1', width, channels, stem.kernel);
  stages.forEach(({ width: out, blocks }, s) => {
    for (let b = 0; b < blocks; b++) {
      const name = `layer${s + 1}.${b}`;
      convolution(`${name}.conv1`, `${name}.bn1`, out, width, 3);
      convolution(`${name}.conv2`, `${name}.bn2`, out, out, 3);
      if (b === 0 && (s > 0 || out !== width))
        convolution(`${name}.downsample.0`, `${name}.downsample.1`, out, width, 1);
      width = out;
    }
  });
  shapes.set('fc.weight', [classes, width]);
  shapes.set('fc.bias', [classes]);
  return shapes;
}

/** Whether a tensor is learned by gradients: all but the running statistics of batch norms. */
export function isLearned(name: string): boolean {
  return !/\.running_(mean|var)$/.test(name);
}

/** Fresh tensors: kernels normal with variance 2 / (out · height · width) (arXiv:1502.01852), the head's uniform within ±1/√in. */
export function initialResnet(config: ResnetConfig, random: Random): ParameterTensors {
  const made: Record<string, ReturnType<typeof float32>> = {};
  for (const [name, shape] of resnetShapes(config)) {
    const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
    const draws = random.stream(name);
    if (shape.length === 4) {
      const deviation = Math.sqrt(2 / (shape[0] * shape[2] * shape[3]));
      for (let i = 0; i < data.length; i++) data[i] = deviation * draws.normal();
    } else if (name === 'fc.weight') {
      const bound = shape[1] ** -0.5;
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * draws.uniform() - 1);
    } else if (/\.(weight|running_var)$/.test(name)) {
      data.fill(1);
    }
    made[name] = float32(shape, data);
  }
  return made;
}
