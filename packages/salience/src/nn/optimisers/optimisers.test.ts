/** @file Optimisers against closed forms, and against numbers of PyTorch 1.13 (committed as they came). */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParameterError } from '../../core/errors.ts';
import { compile, float32, grad, type JaxArray, numpy as np, type Tensor } from '../../runtime/index.ts';
import type { Parameters, ParameterTensors } from '../parameters.ts';
import { adam, adamw } from './adam.ts';
import { chain, masked } from './chain.ts';
import { clipByGlobalNorm, sgd } from './sgd.ts';
import { applyUpdates, type OptimiserState, stateSize, type Transform } from './transform.ts';

/** Steps of an optimiser by given gradients; an absent gradient freezes the tensor. */
async function path(
  optimiser: Transform,
  start: ParameterTensors,
  gradients: readonly ParameterTensors[],
  rate: number | ((step: number) => number) = 0.1,
): Promise<ParameterTensors[]> {
  const step = compile((g: Parameters, state: OptimiserState<JaxArray>, w: Parameters, r: JaxArray, t: JaxArray) => {
    const made = optimiser.update(g, state, w, { rate: r, step: t });
    return { w: applyUpdates(w, made.updates), state: made.state };
  });
  let at: { w: ParameterTensors; state: OptimiserState } = { w: start, state: optimiser.init(start) };
  const passed: ParameterTensors[] = [];
  for (const [t, g] of gradients.entries()) {
    const now = typeof rate === 'number' ? rate : rate(t);
    at = (await step(g as never, at.state as never, at.w as never, float32([], [now]), float32([], [t]))) as never;
    passed.push(at.w);
  }
  await step.dispose();
  return passed;
}

const scalar = (x: number) => float32([], [x]);
const values = (passed: readonly ParameterTensors[], name = 'w') => passed.map((w) => [...w[name].data]);

/** Four steps on w·(1, 2, −3) + ½ Σ w³ from (1, −2, ½), as PyTorch takes them. */
const torch: Readonly<Record<string, readonly [Transform, number, readonly number[]]>> = {
  sgd: [sgd(), 0.01, [0.904287, -2.3514862, 0.6025208]],
  'sgd with momentum': [sgd({ momentum: 0.9 }), 0.01, [0.7835481, -2.7975411, 0.7316241]],
  "sgd with Nesterov's momentum": [sgd({ momentum: 0.9, nesterov: true }), 0.01, [0.7196868, -3.1695902, 0.8035883]],
  adam: [adam({ beta1: 0.8, beta2: 0.95, epsilon: 1e-3 }), 0.1, [0.6061424, -2.4020445, 0.8963075]],
  adamw: [adamw({ decay: 0.2 }), 0.1, [0.5395129, -2.2336638, 0.8473792]],
};

describe('optimisers', () => {
  it.each(Object.keys(torch))('%s takes the steps that PyTorch takes', async (name) => {
    const [optimiser, rate, last] = torch[name];
    const loss = (w: JaxArray) =>
      w
        .mul(np.array([1, 2, -3]))
        .sum()
        .add(w.mul(w).mul(w).sum().mul(0.5));
    const step = compile((w: JaxArray, state: OptimiserState<JaxArray>, r: JaxArray) => {
      const made = optimiser.update({ w: grad(loss)(w) }, state, { w }, { rate: r, step: r });
      return { ...applyUpdates({ w }, made.updates), state: made.state };
    });
    let w: Tensor = float32([3], [1, -2, 0.5]);
    let state = optimiser.init({ w: w as Tensor<'float32'> });
    for (let t = 0; t < 4; t++) ({ w, state } = (await step(w, state as never, scalar(rate))) as never);
    await step.dispose();
    last.forEach((x, i) => {
      expect(w.data[i]).toBeCloseTo(x, 5);
    });
  });

  it('a frozen step leaves value, moments and step count (LISA: 0.899, 0.899, 0.899, 0.801583)', async () => {
    const optimiser = adamw({ decay: 0.01 });
    const g: ParameterTensors[] = [{ w: scalar(1) }, {}, {}, { w: scalar(2) }];
    const kept = values(await path(optimiser, { w: scalar(1) }, g)).flat();
    expect(kept.map((x) => Number(x.toFixed(6)))).toEqual([0.899, 0.899, 0.899, 0.801583]);
    const [first] = await path(optimiser, { w: scalar(1) }, [g[0]]);
    const [dropped] = values(await path(optimiser, first, [g[3]])).flat();
    expect(dropped).toBeCloseTo(0.798101, 6);
  });

  it('gradients of 0 are not frozen: momentum and decay go on (0.899, 0.831095, 0.778468, 0.706745)', async () => {
    const g = [1, 0, 0, 2].map((x) => ({ w: scalar(x) }));
    const moved = values(await path(adamw({ decay: 0.01 }), { w: scalar(1) }, g)).flat();
    [0.899, 0.831095, 0.778468, 0.706745].forEach((x, i) => {
      expect(moved[i]).toBeCloseTo(x, 5);
    });
  });

  it("Adam's first step is the rate times the gradient's sign, however small the gradient", async () => {
    const [w] = await path(
      adam({ epsilon: 0 }),
      { w: float32([3], [0, 0, 0]) },
      [{ w: float32([3], [1e-6, -3, 40]) }],
      0.5,
    );
    [-0.5, 0.5, -0.5].forEach((x, i) => {
      expect(w.w.data[i]).toBeCloseTo(x, 6);
    });
  });

  it('by equal gradients every step of Adam is the rate, also the five hundredth', async () => {
    const passed = values(
      await path(adam({ epsilon: 0 }), { w: scalar(0) }, Array(500).fill({ w: scalar(0.3) }), 0.01),
    );
    expect(passed[499][0]).toBeCloseTo(-5, 3);
    expect(passed[499][0] - passed[498][0]).toBeCloseTo(-0.01, 5);
  });

  it('gradients are clipped by their norm together, and smaller ones stay as they are', async () => {
    const start = { a: float32([2], [0, 0]), b: scalar(0) };
    const steps = (most: number) =>
      path(chain(clipByGlobalNorm(most), sgd()), start, [{ a: float32([2], [2, -3]), b: scalar(6) }], 1);
    const [{ a, b }] = await steps(3.5);
    expect([...a.data, ...b.data]).toEqual([-1, 1.5, -3]);
    const [whole] = await steps(7.5);
    expect([...whole.a.data, ...whole.b.data]).toEqual([-2, 3, -6]);
  });

  it('gradients that are all 0 are clipped to 0, and frozen tensors do not count', async () => {
    const start = { a: scalar(1), b: scalar(1) };
    const [{ a, b }] = await path(chain(clipByGlobalNorm(1), sgd()), start, [{ a: scalar(0) }]);
    expect([a.data[0], b.data[0]]).toEqual([1, 1]);
  });

  it('decay is for the chosen tensors only', async () => {
    const start = { weight: scalar(2), bias: scalar(2) };
    const optimiser = adamw({ decay: 0.5, decays: ['weight'] });
    const [{ weight, bias }] = await path(optimiser, start, [{ weight: scalar(0), bias: scalar(0) }]);
    expect(weight.data[0]).toBeCloseTo(2 - 0.1 * 0.5 * 2, 6);
    expect(bias.data[0]).toBe(2);
  });

  it('a masked-out tensor has no moments, and no bit of it changes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 3, maxLength: 3 }),
        async (start) => {
          const optimiser = masked(adamw({ decay: 0.1 }), (name) => name !== 'frozen');
          const w = { frozen: float32([3], start), free: float32([3], start) };
          expect(stateSize(optimiser.init(w))).toBe(7);
          const g = { frozen: float32([3], [1, 2, 3]), free: float32([3], [1, 2, 3]) };
          const last = (await path(optimiser, w, [g, g]))[1];
          expect([...last.frozen.data]).toEqual([...w.frozen.data]);
          expect([...last.free.data]).not.toEqual([...w.free.data]);
        },
      ),
      { numRuns: 5 },
    );
  });

  it('options out of range are refused', () => {
    expect(() => sgd({ momentum: 1 })).toThrow(ParameterError);
    expect(() => sgd({ nesterov: true })).toThrow(ParameterError);
    expect(() => adam({ beta1: 1 })).toThrow('beta1 is above 0 and below 1, not 1');
    expect(() => adamw({ decay: -1 })).toThrow(ParameterError);
    expect(() => clipByGlobalNorm(0)).toThrow('above 0, not 0');
  });
});
