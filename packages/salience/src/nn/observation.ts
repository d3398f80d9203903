/**
 * @file Observations and changes: what to read off a forward pass and what to alter in it, as data from which a tap is made.
 * An observation is reduced inside the program, so that statistics over a calibration set never hold all activations.
 */

import { InputError } from '../core/errors.ts';
import { type JaxArray, numpy as np, type Tree } from '../runtime/index.ts';
import type { Tap } from './tap.ts';

/** The value at a point that the pass has come by; in a layer, names are without `layers.N.`. */
export type See = (point: string) => JaxArray;

/** Reads points of every layer, once it has passed, or of the whole model at its end. */
export interface Observation {
  readonly scope: 'layer' | 'model';
  /** What is returned of them; `layer` is the layer's number, −1 for the model; `inputs` are what the call was given. */
  reduce(see: See, layer: number, inputs: Readonly<Record<string, JaxArray>>): Tree<JaxArray>;
  /** How the results of two batches join; by default they add, leaf by leaf. */
  readonly merge?: Merge;
}

/** Joins the leaves of two results, in place in the first where it can. */
export type Merge = (into: Float32Array[], from: Float32Array[]) => Float32Array[];

/** Replaces the value at a point; `*` in the point stands for any number. Later points of the pass see the new value. */
export interface Change {
  readonly point: string;
  /** `see` gives points that came before, by their full names; `inputs` are what the call was given. */
  apply(value: JaxArray, at: { layer: number; see: See; inputs: Readonly<Record<string, JaxArray>> }): JaxArray;
}

/** What a tap has collected when the pass is over: for each observation one result a layer, or one. */
export type Observed<Leaf> = Record<string, Tree<Leaf>[]>;

/** A tap that makes the changes, then the observations; `see` gives what it came by. `finish` is called when the pass is over. */
export function watching(
  observe: Readonly<Record<string, Observation>>,
  change: readonly Change[],
  inputs: Readonly<Record<string, JaxArray>>,
): { tap: Tap; see: See; finish(): Observed<JaxArray> } {
  const seen = new Map<string, JaxArray>();
  const used = new Set<Change>();
  const patterns = change.map(({ point }) => new RegExp(`^${point.split('*').map(escaped).join('\\d+')}$`));
  const seeing =
    (prefix: string): See =>
    (point) => {
      const value = seen.get(prefix + point);
      if (value) return value;
      const near = [...seen.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
      throw new InputError(`the pass has not come by a point "${point}"; it has come by ${near.join(', ')}`);
    };
  const observed: Observed<JaxArray> = Object.fromEntries(Object.keys(observe).map((name) => [name, []]));
  const tap: Tap = (point, value) => {
    const layer = layerOf(point);
    let now = value;
    change.forEach((one, c) => {
      if (!patterns[c].test(point)) return;
      used.add(one);
      now = one.apply(now, { layer, see: seeing(''), inputs });
      if (`${now.shape}` !== `${value.shape}`)
        throw new InputError(`a change of ${point} gave shape [${now.shape}]; the value there has [${value.shape}]`);
    });
    seen.set(point, now);
    if (layer >= 0 && point === `layers.${layer}.output`) {
      const see = seeing(`layers.${layer}.`);
      for (const [name, { scope, reduce }] of Object.entries(observe))
        if (scope === 'layer') observed[name].push(reduce(see, layer, inputs));
    }
    return now;
  };
  const finish = () => {
    const unused = change.find((one) => !used.has(one));
    if (unused) throw new InputError(`the pass has no point "${unused.point}" to change`);
    for (const [name, { scope, reduce }] of Object.entries(observe))
      if (scope === 'model') observed[name].push(reduce(seeing(''), -1, inputs));
    return observed;
  };
  return { tap, see: seeing(''), finish };
}

function escaped(text: string): string {
  return text.replace(/[.\\+?^${}()|[\]]/g, '\\$&');
}

function layerOf(point: string): number {
  const match = /^layers\.(\d+)\./.exec(point);
  return match ? Number(match[1]) : -1;
}

/** The value itself of a point in every layer; the results of batches are put one after the other. */
export function valuesAt(point: string): Observation {
  return {
    scope: 'layer',
    reduce: (see) => see(point),
    merge: (into, from) => into.map((leaf, i) => joined(leaf, from[i])),
  };
}

/** The value itself of a point of the model, such as `logits`, or of one layer by its full name. */
export function valueAt(point: string): Observation {
  return { ...valuesAt(point), scope: 'model' };
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** x as rows of channels: [..., channels] → [rows, channels]; the last two axes of heads are channels together. */
function rowsOf(point: string, x: JaxArray): JaxArray {
  const channels = point.endsWith('attention.heads')
    ? x.shape[x.shape.length - 1] * x.shape[x.shape.length - 2]
    : x.shape[x.shape.length - 1];
  return x.reshape([-1, channels]);
}

/** Σ over batch and tokens of x², for each channel of a point: shape [channels] (for `attention.heads`, heads · head size). */
export function sumOfSquares(point: string): Observation {
  return {
    scope: 'layer',
    reduce: (see) => {
      const x = rowsOf(point, see(point));
      return x.mul(x).sum(0);
    },
  };
}

/** Count, mean and sum of squared deviations of each channel of a point: shapes [], [channels], [channels]. */
export function moments(point: string): Observation {
  return {
    scope: 'layer',
    reduce: (see) => {
      const x = rowsOf(point, see(point));
      const mean = x.mean(0);
      const centred = x.sub(mean);
      return [np.array(x.shape[0]).astype(np.float32), mean, centred.mul(centred).sum(0)];
    },
    merge: ([n, mean, squares], [m, mean2, squares2]) => {
      // Chan, Golub and LeVeque's rule for joining two samples.
      const total = n[0] + m[0];
      for (let c = 0; c < mean.length; c++) {
        const apart = mean2[c] - mean[c];
        squares[c] += squares2[c] + (apart * apart * n[0] * m[0]) / total;
        mean[c] += (apart * m[0]) / total;
      }
      n[0] = total;
      return [n, mean, squares];
    },
  };
}

/** Σ xᵀx over batch and tokens of a point: shape [channels, channels], half the Hessian of a squared error behind it. */
export function secondMoments(point: string): Observation {
  return {
    scope: 'layer',
    reduce: (see) => {
      const x = rowsOf(point, see(point));
      return np.matmul(np.transpose(x), x);
    },
  };
}

/** Attention each key received, summed over batch and queries: shape [heads, keys]. */
export const accumulatedAttention: Observation = {
  scope: 'layer',
  reduce: (see) => see('attention.weights').sum([0, 2]),
};

/** Joins two results of one observation. */
export function mergeOf({ merge = added }: Observation): Merge {
  return merge;
}

/**
 * Adds the leaves of one result to those of another, in place.
 * @throws InputError where they have not as many numbers.
 */
export function added(into: Float32Array[], from: Float32Array[]): Float32Array[] {
  into.forEach((leaf, i) => {
    if (from[i].length !== leaf.length)
      throw new InputError(
        `results of ${leaf.length} and ${from[i].length} numbers cannot be added; batches of one shape would give as many`,
      );
    for (let j = 0; j < leaf.length; j++) leaf[j] += from[i][j];
  });
  return into;
}
