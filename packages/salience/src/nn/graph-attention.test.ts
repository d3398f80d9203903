import { afterAll, describe, expect, it } from 'vitest';
import { Random } from '../core/random.ts';
import { compile, float32, type JaxArray, Tensor } from '../runtime/index.ts';
import {
  attentionReceived,
  type GraphAttentionTensors,
  graphAttention,
  graphAttentionNetwork,
} from './graph-attention.ts';
import type { Parameters } from './parameters.ts';

const one = compile((x: JaxArray, graph: JaxArray, tensors: GraphAttentionTensors) => {
  const { outputs, attention } = graphAttention(x, graph, tensors);
  return { outputs, attention, received: attentionReceived(attention) };
});
const network = compile((tensors: Parameters, x: JaxArray, graph: JaxArray) =>
  graphAttentionNetwork(tensors, x, graph),
);
afterAll(async () => {
  await one.dispose();
  await network.dispose();
});

const bool = (n: number, data: readonly number[]) => new Tensor('bool', [n, n], Uint8Array.from(data));
const close = (actual: ArrayLike<number>, expected: readonly number[], digits = 5) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, digits);
  });
};

/** The path 1–2–3 with W = diag(1, 2), worked by hand. */
const path = {
  x: float32([3, 2], [1, 0, 0, 1, 1, 1]),
  graph: bool(3, [1, 1, 0, 1, 1, 1, 0, 1, 1]),
  tensors: {
    weight: float32([1, 2, 2], [1, 0, 0, 2]),
    destination: float32([1, 2], [0.5, -0.5]),
    source: float32([1, 2], [1, 0.25]),
  },
};
const run = (x: Tensor, graph: Tensor, tensors: object) => one(x as never, graph as never, tensors as never);

describe('graph attention', () => {
  it('on a path of three nodes is as worked by hand', async () => {
    const { outputs, attention, received } = await run(path.x, path.graph, path.tensors);
    close(attention.data, [0.622459, 0.377541, 0, 0.281408, 0.254629, 0.463963, 0, 0.268941, 0.731059]);
    close(received.data, [0.281408, 0.646482, 0.463963]);
    // out_1 = α_11 z_1 + α_12 z_2 with z = (1, 0), (0, 2), (1, 2).
    close(outputs.data.slice(0, 2), [0.622459, 0.755081]);
  });

  it('with zero attention vectors is 1 / degree', async () => {
    const zero = float32([1, 2], [0, 0]);
    const { attention } = await run(path.x, path.graph, { ...path.tensors, destination: zero, source: zero });
    close(attention.data, [1 / 2, 1 / 2, 0, 1 / 3, 1 / 3, 1 / 3, 0, 1 / 2, 1 / 2]);
  });

  it('sums to 1 over the neighbours of each node in every head, and is 0 elsewhere', async () => {
    const random = new Random(3);
    const [n, d, heads, width] = [17, 5, 3, 4];
    const draw = (...shape: number[]) =>
      float32(
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 3 * random.normal()),
      );
    const bits = Array.from({ length: n * n }, (_, p) => Number(p % (n + 1) === 0 || random.uniform() < 0.2));
    const { attention } = await run(draw(n, d), bool(n, bits), {
      weight: draw(heads, width, d),
      destination: draw(heads, width),
      source: draw(heads, width),
    });
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < n; i++) {
        const row: number[] = Array.from(attention.data.slice((h * n + i) * n, (h * n + i + 1) * n));
        expect(row.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 5);
        row.forEach((a, j) => {
          if (bits[i * n + j] === 0) expect(a).toBe(0);
        });
      }
    }
  });

  it('in a network of two layers has a logit a class, and nodes with one neighbourhood and one row have the same logits', async () => {
    const random = new Random(5);
    const draw = (...shape: number[]) =>
      float32(
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
      );
    const [heads, hidden, d, classes] = [2, 3, 2, 4];
    const tensors = {
      'first.weight': draw(heads, hidden, d),
      'first.destination': draw(heads, hidden),
      'first.source': draw(heads, hidden),
      'first.bias': draw(heads * hidden),
      'last.weight': draw(heads, classes, heads * hidden),
      'last.destination': draw(heads, classes),
      'last.source': draw(heads, classes),
      'last.bias': draw(classes),
    };
    // Nodes 0 and 1 are twins: the same row, joined with each other and with node 2.
    const x = float32([3, d], [1, -2, 1, -2, 0.5, 0.25]);
    const { logits, attention } = await network(
      tensors as never,
      x as never,
      bool(3, [1, 1, 1, 1, 1, 1, 1, 1, 1]) as never,
    );
    expect(logits.shape).toEqual([3, classes]);
    expect([attention[0], attention[1]].map(({ shape }) => shape)).toEqual([
      [heads, 3, 3],
      [heads, 3, 3],
    ]);
    close(logits.data.slice(classes, 2 * classes), [...logits.data.slice(0, classes)]);
  });
});
