/** @file The training loop against steps written by hand, and its promises: frozen is frozen, and going on is exact. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CancelledError, InputError, ParameterError, SalienceError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { float32, type JaxArray, numpy as np, type Tensor } from '../../runtime/index.ts';
import { linear } from '../layers.ts';
import { adamw } from '../optimisers/adam.ts';
import { chain } from '../optimisers/chain.ts';
import { constant, cosine } from '../optimisers/schedules.ts';
import { clipByGlobalNorm, sgd } from '../optimisers/sgd.ts';
import type { Parameters, ParameterTensors } from '../parameters.ts';
import type { Policy } from './policy.ts';
import { type Training, train } from './train.ts';

interface Batch {
  x: JaxArray;
  y: JaxArray;
}

interface BatchTensors {
  x: Tensor<'float32'>;
  y: Tensor<'float32'>;
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'salience-train-'));
  folders.push(folder);
  return folder;
}

function normal(random: Random, ...shape: number[]): Tensor<'float32'> {
  const size = shape.reduce((a, b) => a * b, 1);
  return float32(
    shape,
    Array.from({ length: size }, () => 0.5 * random.normal()),
  );
}

const start = (): ParameterTensors => {
  const random = new Random(1, 'start');
  return {
    'first.weight': normal(random, 6, 4),
    'first.bias': normal(random, 6),
    'second.weight': normal(random, 6, 6),
    'third.weight': normal(random, 1, 6),
  };
};

const net = (w: Parameters, x: JaxArray) => {
  const hidden = np.tanh(linear(x, w['first.weight'], w['first.bias']));
  return linear(np.tanh(linear(hidden, w['second.weight'])), w['third.weight']);
};
const squares = (w: Parameters, { x, y }: Batch) => {
  const wrong = net(w, x).sub(y);
  return wrong.mul(wrong).mean();
};

const batches = (step: number): BatchTensors => {
  const random = new Random(7, `batch ${step}`);
  const x = normal(random, 8, 4);
  const y = float32(
    [8, 1],
    Array.from({ length: 8 }, (_, i) => x.data[4 * i] * x.data[4 * i + 1]),
  );
  return { x, y };
};

const base = (more: Partial<Training<Batch, never>> = {}): Training<Batch, never> => ({
  parameters: start(),
  loss: squares,
  optimiser: chain(clipByGlobalNorm(1), adamw({ decay: 0.1 })),
  schedule: cosine({ rate: 0.02, steps: 12 }),
  steps: 12,
  batches,
  run: new Run({ seed: 3 }),
  ...more,
});

const bits = (tensors: ParameterTensors) =>
  Object.fromEntries(Object.entries(tensors).map(([n, t]) => [n, [...t.data]]));
/** All that a training gives, as plain numbers. */
const plain = (value: unknown) =>
  JSON.stringify(value, (_, x) => (ArrayBuffer.isView(x) ? [...(x as Float32Array)] : x));

describe('train', () => {
  it('by gradient descent on w² takes the steps w ← w (1 − 2 rate), by one program whatever the rate', async () => {
    const { parameters, losses, programs } = await train({
      parameters: { w: float32([], [1]) },
      loss: (w: Parameters) => w.w.mul(w.w),
      optimiser: sgd(),
      schedule: (step) => [0.25, 0.1, 0][step],
      steps: 3,
      batches: () => [],
      run: new Run(),
    });
    expect(parameters.w.data[0]).toBeCloseTo(0.4, 6);
    losses.forEach((loss, t) => {
      expect(loss).toBeCloseTo([1, 0.25, 0.16][t], 6);
    });
    expect(programs).toBe(1);
  });

  it('learns, changes no tensor it was given, and gives the same bits again', async () => {
    const parameters = start();
    const first = await train(base({ parameters, steps: 120, schedule: constant(0.02) }));
    expect(bits(parameters)).toEqual(bits(start()));
    const mean = (list: readonly number[]) => list.reduce((a, b) => a + b) / list.length;
    expect(mean(first.losses.slice(-20))).toBeLessThan(mean(first.losses.slice(0, 20)) / 2);
    const second = await train(base({ parameters, steps: 120, schedule: constant(0.02) }));
    expect(plain(second)).toBe(plain(first));
  });

  it('goes on from a checkpoint bit for bit, state, losses and evaluations included', async () => {
    const evaluate = { every: 3, measure: async (w: ParameterTensors) => ({ first: w['first.bias'].data[0] }) };
    const whole = await train(base({ evaluate }));
    const folder = folderOf();
    const checkpoint = { folder, every: 4 };
    const stop = new AbortController();
    const broken = train(
      base({
        evaluate,
        checkpoint,
        run: new Run({ seed: 3, signal: stop.signal }),
        batches: (step) => {
          if (step === 6) stop.abort();
          return batches(step);
        },
      }),
    );
    await expect(broken).rejects.toThrow(CancelledError);
    const seen: number[] = [];
    const rest = await train(
      base({
        evaluate,
        checkpoint,
        batches: (step) => {
          seen.push(step);
          return batches(step);
        },
      }),
    );
    expect(seen[0]).toBe(4);
    expect(plain({ ...rest, programs: 0 })).toBe(plain({ ...whole, programs: 0 }));
    expect(readdirSync(folder)).toEqual(['training.safetensors']);
    expect((await train(base({ evaluate, checkpoint }))).programs).toBe(0);
  });

  it('with a policy that draws, masks, grows and remembers, it goes on bit for bit too', async () => {
    const grown: Record<number, ParameterTensors> = {
      0: { extra: float32([2], [1, 1]) },
      3: { extra: float32([1], [0.5]) },
    };
    const policy = (run: Run): Policy<BatchTensors, { size: Tensor }> => {
      let seen = 0;
      return {
        before: ({ step, parameters }) => ({
          trained: step % 2 === 0 ? Object.keys(parameters) : ['first.weight', 'extra'],
          parameters: grown[step] ?? {},
          extras: {
            mask: float32(
              [6, 4],
              Array.from({ length: 24 }, () => Number(run.random(`mask ${step}`).uniform() > 0.2)),
            ),
          },
          forget: step === 5 ? ['second.weight'] : [],
        }),
        project: (w, { mask }) => ({ ...w, 'first.weight': w['first.weight'].mul(mask as JaxArray) }),
        observe: ({ gradients }) => ({ size: np.abs(gradients['first.weight']).sum() }),
        after: (_, observed) => {
          seen += observed?.size.data[0] ?? 0;
          return { parameters: { remembered: float32([1], [seen]) } };
        },
        save: () => ({ tensors: { seen: float32([1], [seen]) }, notes: { seen } }),
        restore: ({ notes }) => {
          ({ seen } = notes as { seen: number });
        },
      };
    };
    const loss = (w: Parameters, batch: Batch) => squares(w, batch).add(w.extra.mul(w.extra).sum().mul(0.1));
    const of = (run: Run, more: object) => base({ loss, run, policy: policy(run) as never, ...more });
    const whole = await train(of(new Run({ seed: 5 }), {}));
    const checkpoint = { folder: folderOf(), every: 4 };
    const failing = {
      checkpoint,
      batches: (step: number) => (step === 9 ? Promise.reject(new Error('power cut')) : batches(step)),
    };
    await expect(train(of(new Run({ seed: 5 }), failing))).rejects.toThrow('power cut');
    const rest = await train(of(new Run({ seed: 5 }), { checkpoint }));
    expect(plain({ ...rest, programs: 0 })).toBe(plain({ ...whole, programs: 0 }));
  });

  it('refuses a checkpoint of another training, and says what differs', async () => {
    const checkpoint = { folder: folderOf(), every: 2 };
    await train(base({ steps: 2, checkpoint }));
    const { 'third.weight': third, ...fewer } = start();
    const refusals: readonly (readonly [Partial<Training<Batch, never>>, string])[] = [
      [{ run: new Run({ seed: 4 }) }, 'its seed is 3, not 4'],
      [{ parameters: fewer }, 'it has a parameter "third.weight"'],
      [{ parameters: { ...start(), other: third } }, 'it has no parameter "other"'],
      [
        { parameters: { ...fewer, 'third.weight': float32([6], third.data) } },
        'its "third.weight" has shape [1, 6], not [6]',
      ],
      [{ parameters: { ...fewer, 'third.weight': float32([1, 6], [0, 0, 0, 0, 0, 0]) } }, 'other values'],
      [{ steps: 1 }, 'it is 2 steps long'],
    ];
    for (const [more, message] of refusals) {
      const refused = train(base({ steps: 2, checkpoint, ...more }));
      await expect(refused).rejects.toThrow(InputError);
      await expect(train(base({ steps: 2, checkpoint, ...more }))).rejects.toThrow(message);
    }
  });

  it('refuses a checkpoint that is not whole', async () => {
    const checkpoint = { folder: folderOf(), every: 2 };
    await train(base({ steps: 2, checkpoint }));
    const path = join(checkpoint.folder, 'training.safetensors');
    const whole = readFileSync(path);
    for (const cut of [0, 5, 100, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, cut));
      await expect(train(base({ steps: 2, checkpoint }))).rejects.toThrow(InputError);
    }
  });

  it('a loss that is not finite is refused with its step and the first tensor with such a gradient', async () => {
    const poisoned = (step: number) => {
      const { x, y } = batches(step);
      return { x, y: step === 5 ? float32([8, 1], Array(8).fill(Number.NaN)) : y };
    };
    const refused = train(base({ batches: poisoned }));
    await expect(refused).rejects.toThrow(SalienceError);
    await expect(train(base({ batches: poisoned }))).rejects.toThrow(
      /^step 5: the loss is NaN and the first gradient that is not finite is that of "first\.weight"/,
    );
    // √0 has a value but no slope.
    const loss = (w: Parameters) => np.sqrt(w.b.mul(w.b)).add(w.a);
    const rooted = train(base({ loss, parameters: { a: float32([], [1]), b: float32([], [0]) } }));
    await expect(rooted).rejects.toThrow(/^step 0: the loss is 1 and .* that of "b"/);
  });

  it('the set of trained tensors is frozen outside: no bit, no moment, no decay; two sets are two programs', async () => {
    const sets = [['first.weight'], ['second.weight', 'first.bias']];
    const stood: ParameterTensors[] = [];
    const policy: Policy<BatchTensors> = {
      before: ({ step, parameters }) => {
        stood.push({ ...parameters });
        return { trained: sets[Math.floor(step / 2) % 2] };
      },
    };
    const { parameters, state, programs } = await train(base({ policy: policy as never, steps: 8 }));
    expect(programs).toBe(2);
    stood.push(parameters);
    for (let step = 0; step < 8; step++) {
      for (const name of Object.keys(parameters)) {
        const moved = plain(stood[step][name]) !== plain(stood[step + 1][name]);
        expect([step, name, moved]).toEqual([step, name, sets[Math.floor(step / 2) % 2].includes(name)]);
      }
    }
    expect(Object.keys(state).sort()).toEqual(['first.bias', 'first.weight', 'second.weight']);
  });

  it('tensors that are not moved stay bit for bit with their state, by one program, and as if they were not trained', async () => {
    const sets = [['first.weight'], ['second.weight', 'first.bias'], ['first.weight', 'third.weight']];
    const by = (key: 'trained' | 'moved') =>
      train(base({ policy: { before: ({ step }) => ({ [key]: sets[step % 3] }) } as Policy as never }));
    const [apart, together] = [await by('trained'), await by('moved')];
    expect([apart.programs, together.programs]).toEqual([3, 1]);
    for (const name of Object.keys(apart.parameters)) {
      apart.parameters[name].data.forEach((x, i) => {
        expect(together.parameters[name].data[i]).toBeCloseTo(x, 5);
      });
    }
    const steps = (name: string) => JSON.parse(plain(together.state[name]))[1][0].steps.data;
    expect(Object.keys(start()).map((name) => steps(name)[0])).toEqual([8, 4, 4, 4]);
  });

  it('all tensors moved is the same as no choice, bit for bit', async () => {
    const all = await train(base({ policy: { before: () => ({ moved: Object.keys(start()) }) } as Policy as never }));
    expect(plain(all.parameters)).toBe(plain((await train(base())).parameters));
  });

  it('a watched tensor of zeros gives the gradient of what it is added to, and is not updated', async () => {
    const delta = float32([6, 6], new Float32Array(36));
    const merged = (w: Parameters): Parameters => ({ ...w, 'second.weight': w['second.weight'].add(w.delta) });
    const seen: number[][] = [];
    const policy: Policy<BatchTensors, { of: Tensor; own: Tensor }> = {
      before: () => ({ trained: ['second.weight'], watched: ['delta'] }),
      observe: ({ gradients }) => ({ of: gradients.delta, own: gradients['second.weight'] }),
      after: (_, observed) => {
        seen.push([...observed!.of.data], [...observed!.own.data]);
        return undefined;
      },
    };
    const parameters = { ...start(), delta };
    const made = await train(base({ parameters, transform: merged, policy: policy as never, steps: 2 }));
    expect(seen[0]).toEqual(seen[1]);
    expect(made.parameters.delta).toBe(delta);
    expect(Object.keys(made.state)).toEqual(['second.weight']);
  });

  it('a mask in the transform stops gradients, a mask in the projection makes zeros', async () => {
    const mask = float32(
      [6, 4],
      Array.from({ length: 24 }, (_, i) => i % 2),
    );
    const extras = { mask };
    const project: Policy['project'] = (w, { mask: by }) => ({
      ...w,
      'first.weight': w['first.weight'].mul(by as JaxArray),
    });
    const policy = { before: () => ({ extras }), project } as Policy as never;
    const { parameters } = await train(base({ policy }));
    parameters['first.weight'].data.forEach((x, i) => {
      expect(x === 0).toBe(i % 2 === 0);
    });
    const transform = project as never;
    const before = { before: () => ({ extras }) } as Policy as never;
    const { parameters: inside } = await train(base({ policy: before, transform, optimiser: sgd() }));
    inside['first.weight'].data.forEach((x, i) => {
      expect(x === start()['first.weight'].data[i]).toBe(i % 2 === 0);
    });
  });

  it('rates of single tensors scale their update', async () => {
    const w = { a: float32([], [1]), b: float32([], [1]) };
    const loss = (p: Parameters) => p.a.add(p.b);
    const policy = { before: () => ({ rates: { b: 0.5 } }) } as Policy as never;
    const { parameters } = await train(
      base({ parameters: w, loss, policy, optimiser: sgd(), steps: 1, schedule: constant(1) }),
    );
    expect([parameters.a.data[0], parameters.b.data[0]]).toEqual([0, 0.5]);
  });

  it('buffers of the loss are renewed, its metrics reported, and a buffer that is trained is refused', async () => {
    const loss = (w: Parameters, { x }: Batch) =>
      [
        w.a.mul(w.a).sum(),
        { buffers: { mean: w.mean.mul(0.5).add(x.mean().mul(0.5)) }, metrics: { twice: w.a.mul(2) } },
      ] as const;
    const metrics: number[] = [];
    const policy: Policy<BatchTensors> = {
      after: ({ metrics: { twice } }) => {
        metrics.push(twice);
        return undefined;
      },
    };
    const parameters = { a: float32([], [1]), mean: float32([], [0]) };
    const options = { loss, parameters, steps: 2, optimiser: sgd(), schedule: constant(0.25), policy: policy as never };
    const made = await train(base({ ...options, trained: ['a'] }));
    const means = [0, 1].map((step) => batches(step).x.data.reduce((a, b) => a + b) / 32);
    expect(made.parameters.mean.data[0]).toBeCloseTo(means[0] / 4 + means[1] / 2, 6);
    expect(metrics).toEqual([2, 1]);
    await expect(train(base(options))).rejects.toThrow('the loss renews "mean", which is trained');
  });

  it("a policy's loss is that of a forward pass, with other parameters where it asks", async () => {
    const losses: number[] = [];
    const policy: Policy<BatchTensors> = {
      before: async ({ step, loss, parameters }) => {
        losses.push(await loss(batches(step)));
        losses.push(
          await loss(batches(step), {}, { ...parameters, 'third.weight': float32([1, 6], [0, 0, 0, 0, 0, 0]) }),
        );
        return undefined;
      },
    };
    const made = await train(base({ policy: policy as never, steps: 2 }));
    expect(losses[0]).toBeCloseTo(made.losses[0], 6);
    expect(losses[2]).toBeCloseTo(made.losses[1], 6);
    const { y } = batches(0);
    expect(losses[1]).toBeCloseTo(y.data.reduce((sum, v) => sum + v * v, 0) / 8, 6);
  });

  it('no more than eight programs are kept: twelve sets in turn are compiled anew each time', async () => {
    const names = Object.keys(start());
    const subset = (step: number) => names.filter((_, i) => ((step % 12) + 1) & (1 << i));
    const policy = { before: ({ step }: { step: number }) => ({ trained: subset(step) }) } as Policy as never;
    const once = await train(base({ policy, steps: 24 }));
    expect(once.programs).toBe(24);
  });

  it('what cannot be is refused', async () => {
    await expect(train(base({ steps: -1 }))).rejects.toThrow(ParameterError);
    await expect(train(base({ schedule: () => Number.NaN }))).rejects.toThrow('the schedule gives NaN at step 0');
    await expect(train(base({ trained: [] }))).rejects.toThrow('step 0: no tensor is trained');
    const plans: readonly (readonly [object, string])[] = [
      [{ trained: ['x'] }, 'there is no parameter "x" to be trained'],
      [{ trained: ['first.bias'], moved: ['first.weight'] }, '"first.weight" is to be moved but is not trained'],
    ];
    for (const [plan, message] of plans) {
      await expect(train(base({ policy: { before: () => plan } as Policy as never }))).rejects.toThrow(message);
    }
    expect((await train(base({ steps: 0 }))).losses).toEqual([]);
  });
});
