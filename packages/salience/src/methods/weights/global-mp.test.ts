import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bf16,
  f32,
  type MadeTensor,
  safetensors,
  temporaryFolder,
  writeFiles,
} from '../../../test/made-safetensors.ts';
import type { AnyMethod } from '../../catalogue.ts';
import { BudgetError, CancelledError, InputError, OutputError } from '../../core/errors.ts';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import { keep } from '../../keep.ts';
import { openCheckpoint } from '../../models/checkpoint/checkpoint-files.ts';
import { readTensorChunk } from '../../models/checkpoint/tensor-chunk.ts';
import { globalMp, gradualPlan, minimumThreshold } from './global-mp.ts';
import { randomPruning } from './random-pruning.ts';

const root = temporaryFolder();
let made = 0;

/** Prunes made-up tensors and reads back every tensor as float32. */
async function pruned(
  tensors: MadeTensor[],
  budget: string,
  params: Record<string, unknown> = {},
  method: unknown = globalMp,
  run = new Run(),
): Promise<Record<string, number[]>> {
  const folder = join(root, String(made++));
  mkdirSync(folder);
  writeFiles(folder, { 'model.safetensors': safetensors(tensors), 'config.json': { model_type: 'made' } });
  const output = { path: `${folder}-kept`, force: false };
  await keep(method as AnyMethod, await openCheckpoint(folder), budget, { params, output, run });
  const result = await openCheckpoint(output.path);
  expect(result.companions).toEqual(['config.json']);
  return Object.fromEntries(
    result.tensors.map(({ name, path, dtype, offset, shape }) => [
      name,
      [
        ...readTensorChunk(
          { path, dtype: dtype as 'F32', offset },
          shape.reduce((x, y) => x * y, 1),
        ).values,
      ],
    ]),
  );
}

const mask = (values: number[]) => values.map((value) => Number(value !== 0));

// Three layers of 4, 8 and 3 weights.
const A = [0.9, -0.05, 0.3, -0.6];
const B = [0.02, -0.01, 0.04, 0.03, -0.5, 0.07, 0.06, -0.08];
const C = [0.015, -0.025, 0.2];
const layers = [f32('a', [2, 2], A), f32('b', [2, 4], B), f32('c', [1, 3], C)];

describe('global magnitude pruning', () => {
  it('removes exactly ⌊κN⌋ weights by one threshold over all layers: 9 of 15 at κ = 0.6', async () => {
    const { a, b, c } = await pruned(layers, '40%');
    expect([mask(a), mask(b), mask(c)]).toEqual([
      [1, 0, 1, 1],
      [0, 0, 0, 0, 1, 0, 0, 1],
      [0, 0, 1],
    ]);
    expect(a).toEqual([...Float32Array.of(0.9, 0, 0.3, -0.6)]);
  });

  it('lets a layer collapse at κ = 0.8, and says so', async () => {
    const { a, b, c } = await pruned(layers, '20%');
    expect([mask(a), mask(b), mask(c)]).toEqual([
      [1, 0, 0, 1],
      [0, 0, 0, 0, 1, 0, 0, 0],
      [0, 0, 0],
    ]);
    const folder = join(root, 'collapse');
    mkdirSync(folder);
    writeFiles(folder, { 'model.safetensors': safetensors(layers) });
    const { report } = await keep(globalMp as unknown as AnyMethod, await openCheckpoint(folder), '20%', {
      output: { path: `${folder}-kept`, force: false },
    });
    expect(report.blocks).toContainEqual({ kind: 'text', text: 'Collapsed: c kept no weight.' });
  });

  it('as the released code cuts (keep s ≥ τ, the ⌊κN⌋-th smallest) keeps one weight more', async () => {
    const at = async (tau: number) => Object.values(await pruned(layers, `>=${Math.fround(tau)}`)).flat();
    expect(mask(await at(0.07)).filter((kept) => kept === 0)).toHaveLength(8);
    const high = await at(0.3);
    expect(mask(high).filter((kept) => kept === 0)).toHaveLength(11);
    expect(high.slice(-3)).toEqual([0, 0, 0]);
  });

  it('keeps everything at 100% and nothing at 0%', async () => {
    expect(Object.values(await pruned(layers, '100%')).flat()).toEqual([...Float32Array.of(...A, ...B, ...C)]);
    expect(mask(Object.values(await pruned(layers, '0%')).flat())).toEqual(Array(15).fill(0));
  });

  it('breaks ties by layer, then by place', async () => {
    const equal = [f32('a', [2, 2], [1, 1, -1, 1]), f32('b', [1, 2], [-1, 1])];
    const { a, b } = await pruned(equal, '3');
    expect([mask(a), mask(b)]).toEqual([
      [1, 1, 1, 0],
      [0, 0],
    ]);
  });

  it('leaves embeddings, norms, heads, vectors and whole numbers alone, unless told otherwise', async () => {
    const tensors: MadeTensor[] = [
      f32('model.embed_tokens.weight', [1, 2], [0.001, 0.001]),
      f32('model.layers.0.input_layernorm.weight', [1, 2], [0.001, 0.001]),
      f32('lm_head.weight', [1, 2], [0.001, 0.001]),
      f32('model.layers.0.mlp.up_proj.weight', [1, 2], [3, 2]),
      f32('model.layers.0.mlp.up_proj.bias', [2], [0.001, 0.001]),
      { name: 'steps', dtype: 'I64', shape: [1, 1], bytes: new Uint8Array(8).fill(7) },
    ];
    const touched = (after: Record<string, number[]>) =>
      Object.keys(after).filter((name) => name !== 'steps' && after[name].includes(0));
    expect(touched(await pruned(tensors, '50%'))).toEqual(['model.layers.0.mlp.up_proj.weight']);
    expect(touched(await pruned(tensors, '50%', { exclude: 'lm_*,*norm*' }))).toEqual(['model.embed_tokens.weight']);
    await expect(pruned(tensors, '50%', { include: 'q_proj' })).rejects.toThrow(/none of its 6 tensors/);
  });

  it('reads and writes bfloat16 in its own format', async () => {
    const { w } = await pruned([bf16('w', [2, 3], [0.5, -0.25, 8, 1, -0.125, 2])], '3');
    expect(w).toEqual([0, 0, 8, 1, 0, 2]);
  });

  it('is nested: what is kept at 10% is kept at 20%', async () => {
    const weights = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(0.001) }), {
      minLength: 10,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(weights, async (values) => {
        const tensor = [f32('w', [1, values.length], values)];
        const few = mask((await pruned(tensor, '10%')).w);
        const more = mask((await pruned(tensor, '20%')).w);
        expect(few.every((kept, i) => kept <= more[i])).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('does not change with a scale on all weights or with signs, and does with a scale moved from one layer to the next', async () => {
    const scaled = (factors: number[]) =>
      [A, B, C].map((w, l) =>
        f32(
          'abc'[l],
          [1, w.length],
          w.map((x) => x * factors[l]),
        ),
      );
    const masks = async (tensors: MadeTensor[], budget: string) =>
      Object.values(await pruned(tensors, budget)).map(mask);
    const plain = await masks(scaled([1, 1, 1]), '40%');
    expect(await masks(scaled([4, 4, 4]), '40%')).toEqual(plain);
    expect(await masks(scaled([-1, -1, -1]), '40%')).toEqual(plain);
    // The function of a ReLU network is the same when one layer is scaled by 8 and the next by 1/8.
    expect(await masks(scaled([1 / 8, 8, 1]), '40%')).not.toEqual(plain);
    expect(await masks(scaled([1 / 8, 8, 1]), '40% per group')).toEqual(
      await masks(scaled([1, 1, 1]), '40% per group'),
    );
  });

  it('names the tensor and the weight that is not finite', async () => {
    await expect(pruned([f32('a', [1, 2], [1, 2]), f32('b', [1, 3], [1, Number.NaN, 2])], '50%')).rejects.toThrow(
      /b: the score of weight 1 is NaN/,
    );
    await expect(pruned([f32('a', [1, 2], [1, -Infinity])], '50%')).rejects.toThrow(InputError);
  });

  it('does not replace an output without force, and leaves nothing behind when cancelled', async () => {
    const folder = join(root, 'guarded');
    mkdirSync(folder);
    writeFiles(folder, { 'model.safetensors': safetensors(layers) });
    const subject = await openCheckpoint(folder);
    const method = globalMp as unknown as AnyMethod;
    const output = { path: join(root, 'guarded-out'), force: false };
    await keep(method, subject, '50%', { output });
    await expect(keep(method, subject, '50%', { output })).rejects.toThrow(OutputError);
    const controller = new AbortController();
    const run = new Run({
      signal: controller.signal,
      onProgress: ({ what }) => what === 'writing' && controller.abort(),
    });
    const cancelled = { path: join(root, 'cancelled-out'), force: false };
    await expect(keep(method, subject, '50%', { output: cancelled, run })).rejects.toThrow(CancelledError);
    expect(readdirSync(root).filter((name) => name.includes('cancelled-out'))).toEqual([]);
  });
});

describe('the minimum threshold', () => {
  it('gives the sparsities that the published loop of rescaling and capping converges to', () => {
    const layer = fc.tuple(fc.integer({ min: 20, max: 400 }), fc.double({ min: 0.5, max: 0.95, noNaN: true }));
    fc.assert(
      fc.property(fc.array(layer, { minLength: 2, maxLength: 6 }), (layout) => {
        const sizes = layout.map(([w]) => w);
        const counts = layout.map(([w, sparsity]) => Math.round(w * (1 - sparsity)));
        const n = sizes.reduce((x, y) => x + y);
        const survivors = Math.floor((n * 0.5) / 100);
        const removed = n - counts.reduce((x, y) => x + y);
        const total = (p: number[]) => p.reduce((sum, share, l) => sum + share * sizes[l], 0);
        let p = sizes.map((w, l) => (w > survivors ? 1 - counts[l] / w : 0));
        for (let round = 0; round < 5000; round++) {
          const scale = removed / total(p);
          p = p.map((share, l) => Math.min(share * scale, 1 - survivors / sizes[l]));
        }
        minimumThreshold(sizes, counts, 0.5).forEach((kept, l) => {
          expect(Math.abs(sizes[l] - kept - p[l] * sizes[l])).toBeLessThan(1.000001);
        });
      }),
    );
  });

  it('of 50 weights allows 98.4848% of 1000, 10000, 200 and 20 weights to go, and no more', () => {
    const sizes = [1000, 10000, 200, 20];
    const kept = (total: number) => minimumThreshold(sizes, [0, total, 0, 0], (100 * 50) / 11220);
    expect(kept(11220 - 11050)).toEqual([50, 50, 50, 20]);
    expect(() => kept(11220 - 11051)).toThrow(/98\.4848% at most/);
  });

  it('leaves layers of M weights or fewer dense', () => {
    expect(minimumThreshold([1000, 10000, 200, 20], [500, 300, 1, 2], (100 * 50) / 11220)[3]).toBe(20);
    expect(minimumThreshold([1000, 50], [100, 5], (100 * 50) / 1050)[1]).toBe(50);
  });

  it('repairs the collapsed layer of the example, and the total stays 3 of 15', async () => {
    const after = await pruned(layers, '20%', { minimum: 100 / 15 });
    expect(Object.values(after).map((w) => mask(w).reduce((x, y) => x + y))).toEqual([1, 1, 1]);
    expect(mask(after.c)).toEqual([0, 0, 1]);
  });

  it('refuses what no scale can reach, with the highest sparsity that can', () => {
    expect(() => minimumThreshold([4, 8, 3], [2, 0, 0], 100 / 15)).toThrow(BudgetError);
    expect(() => minimumThreshold([4, 8, 3], [2, 0, 0], 100 / 15)).toThrow(
      /allows a sparsity of 80\.0000% at most; the budget asks for 86\.6667%/,
    );
  });

  it('of no weights leaves the global counts as they are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true })), {
          minLength: 1,
          maxLength: 6,
        }),
        (layout) => {
          const sizes = layout.map(([w]) => w);
          const counts = layout.map(([w, share]) => Math.round(w * share));
          expect(minimumThreshold(sizes, counts, 0)).toEqual(counts);
        },
      ),
    );
  });

  it('keeps as many as before in all, and in each layer its minimum or everything', () => {
    const layer = fc.tuple(fc.integer({ min: 1, max: 400 }), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(layer, { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        (layout, minimum) => {
          const sizes = layout.map(([w]) => w);
          const counts = layout.map(([w, share]) => Math.round(w * share));
          const n = sizes.reduce((x, y) => x + y);
          const survivors = Math.floor((n * minimum) / 100);
          try {
            const kept = minimumThreshold(sizes, counts, minimum);
            expect(kept.reduce((x, y) => x + y)).toBe(counts.reduce((x, y) => x + y));
            kept.forEach((count, l) => {
              expect(count).toBeGreaterThanOrEqual(Math.min(survivors, sizes[l]));
              expect(count).toBeLessThanOrEqual(sizes[l]);
            });
          } catch (error) {
            expect(error).toBeInstanceOf(BudgetError);
          }
        },
      ),
    );
  });
});

describe('gradual pruning', () => {
  it('follows κ (1 − (1 − t/T)³) to exactly the budget', () => {
    expect(gradualPlan(0.1, 2)).toEqual([1 - 0.9 * 0.875, 1 - 0.9]);
    const plan = gradualPlan(0.1, 10);
    expect(plan).toHaveLength(10);
    expect(plan.every((keep, t) => t === 0 || keep < plan[t - 1])).toBe(true);
  });
});

describe('random pruning', () => {
  it('keeps the number asked for, the same for the same seed, others for another', async () => {
    const tensor = [f32('w', [10, 20], Array(200).fill(1))];
    const once = mask((await pruned(tensor, '30%', {}, randomPruning, new Run({ seed: 1 }))).w);
    expect(once.reduce((x, y) => x + y)).toBe(60);
    expect(mask((await pruned(tensor, '30%', {}, randomPruning, new Run({ seed: 1 }))).w)).toEqual(once);
    expect(mask((await pruned(tensor, '30%', {}, randomPruning, new Run({ seed: 2 }))).w)).not.toEqual(once);
  });
});

const shared = fileURLToPath(new URL('../../../../../../shared/models/bard', import.meta.url));
const bard = existsSync(shared);

/** A Python with numpy, if there is one. */
function python(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((name) => {
    try {
      execFileSync(name, ['-c', 'import numpy'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

const numpy = `
import json, struct, sys
import numpy as np
raw = bytearray(open(sys.argv[1], 'rb').read())
n = struct.unpack('<Q', raw[:8])[0]
head = json.loads(bytes(raw[8:8 + n]))
at = lambda t: slice(8 + n + t['data_offsets'][0], 8 + n + t['data_offsets'][1])
names = sorted((k for k in head if k.endswith('_proj.weight')), key=lambda k: head[k]['data_offsets'][0])
w = [np.frombuffer(bytes(raw[at(head[k])]), '<f4').copy() for k in names]
flat = np.concatenate(w)
# the smallest go; among equals the later index goes first, so that the lower index stays
k = int(0.5 * flat.size)
order = np.lexsort((-np.arange(flat.size), np.abs(flat)))
flat[order[:k]] = 0
start = 0
for name, part in zip(names, w):
    raw[at(head[name])] = flat[start:start + part.size].tobytes()
    start += part.size
open(sys.argv[2], 'wb').write(raw)
`;

describe('on a Llama-layout checkpoint trained elsewhere', () => {
  it.skipIf(!bard)(
    'the written tensors equal a numpy computation of the rule bit for bit (skipped without ../shared)',
    async () => {
      const output = { path: join(root, 'half'), force: false };
      const { selection } = await keep(globalMp as unknown as AnyMethod, await openCheckpoint(shared), '50%', {
        output,
      });
      expect([selection.of, 'count' in selection && selection.count]).toEqual([2359296, 1179648]);
      const ours = readFileSync(join(output.path, 'model.safetensors'));
      const found = python();
      if (found) {
        const script = join(root, 'rule.py');
        writeFileSync(script, numpy);
        execFileSync(found, [script, join(shared, 'model.safetensors'), join(root, 'numpy.safetensors')]);
        expect(ours.equals(readFileSync(join(root, 'numpy.safetensors')))).toBe(true);
      }
      // What numpy wrote where this test was first run.
      expect(createHash('sha256').update(ours).digest('hex')).toBe(
        '1fbab60f82fd0da2886f411d8e3f07a22c66802f64d469933e392d46be06cea4',
      );
    },
  );

  it.skipIf(!bard)(
    'each tensor keeps as many weights as PyTorch’s reference says (skipped without ../shared)',
    async () => {
      const reference = JSON.parse(readFileSync(join(shared, 'reference.json'), 'utf8')).global_magnitude_50_percent;
      const output = { path: join(root, 'reference'), force: false };
      const method = globalMp as unknown as AnyMethod;
      const { report } = await keep(method, await openCheckpoint(shared), '50%', {
        output,
        params: parseParams(globalMp),
      });
      const table = report.blocks.find((block) => block.kind === 'table')!;
      const kept = Object.fromEntries(table.rows.map(([name, , count]) => [name, count]));
      expect(kept).toEqual(reference.kept_per_tensor);
      const [before, after] = await Promise.all([openCheckpoint(shared), openCheckpoint(output.path)]);
      let greatest = 0;
      for (const [t, { name, path, offset, shape }] of before.tensors.entries()) {
        if (!name.endsWith('_proj.weight')) continue;
        const n = shape[0] * shape[1];
        const { values } = readTensorChunk({ path, dtype: 'F32', offset }, n);
        const weights = values.slice();
        const left = readTensorChunk(
          { path: after.tensors[t].path, dtype: 'F32', offset: after.tensors[t].offset },
          n,
        ).values;
        weights.forEach((w, i) => {
          if (left[i] === 0) greatest = Math.max(greatest, Math.abs(w));
        });
      }
      expect(greatest).toBe(reference.threshold_largest_pruned);
    },
  );
});
