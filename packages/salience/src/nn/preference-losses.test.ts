import { describe, expect, it } from 'vitest';
import { compile, float32, type JaxArray, type Tensor, valueAndGrad } from '../runtime/index.ts';
import { diffusionDpoLosses, dpoLosses, preferenceLosses } from './preference-losses.ts';

const column = (...values: number[]) => float32([values.length], values);
const close = ({ data }: Tensor, expected: readonly number[], digits = 4) => {
  expect(data).toHaveLength(expected.length);
  expected.forEach((x, i) => {
    expect(data[i]).toBeCloseTo(x, digits);
  });
};

describe('losses of preferences', () => {
  it('are −log σ, also where e^x would overflow, with slope −σ(−x), a half at 0', async () => {
    const at = compile(preferenceLosses);
    close(await at(column(0, 0.6, -0.6, 200, -200)), [Math.LN2, 0.4375, 1.0375, 0, 200]);
    const [, slope] = await compile(valueAndGrad((x: JaxArray) => preferenceLosses(x).sum()))(
      column(0, 0.6, -0.6, 200, -200),
    );
    close(slope, [-0.5, -0.35434, -0.64566, 0, -1]);
  });

  it('of Diffusion-DPO: errors .8 and 1.1 against a reference of 1 and 1 at βT = 2 cost .4375', async () => {
    const loss = compile((w: JaxArray, l: JaxArray, one: JaxArray) =>
      diffusionDpoLosses({ preferred: w, other: l }, { preferred: one, other: one }, 2),
    );
    close(await loss(column(0.8), column(1.1), column(1)), [0.4375]);
    // The other way round the policy is worse on what is preferred.
    close(await loss(column(1.1), column(0.8), column(1)), [1.0375]);
  });

  it('of DPO: a log-likelihood ratio of .3 between the answers at β = 2 costs .4375', async () => {
    const loss = compile((w: JaxArray, l: JaxArray, rw: JaxArray, rl: JaxArray) =>
      dpoLosses({ preferred: w, other: l }, { preferred: rw, other: rl }, 2),
    );
    close(await loss(column(-1, -1), column(-3, -2), column(-1.2, -1), column(-2.9, -2)), [0.4375, Math.LN2]);
  });

  it('are log 2 for every pair where the policy is the reference, and the slope there is −β/2 whatever the reference’s value', async () => {
    const of = (losses: typeof dpoLosses) =>
      compile(
        valueAndGrad((w: JaxArray, rw: JaxArray, rl: JaxArray) =>
          losses({ preferred: w, other: rl }, { preferred: rw, other: rl }, 4).sum(),
        ),
      );
    for (const [losses, slope] of [
      [dpoLosses, -2],
      [diffusionDpoLosses, 2],
    ] as const) {
      const step = of(losses);
      for (const value of [0.25, -7, 100]) {
        const [sum, slopes] = await step(column(value, 2), column(value, 2), column(1, value));
        expect(sum.data[0]).toBeCloseTo(2 * Math.LN2, 5);
        close(slopes, [slope, slope]);
      }
    }
  });
});
