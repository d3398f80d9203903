/** @file The direction along which a gradient counts: the reference's gradients times the inverse of the curvature, made one. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import { innerProduct, type Projection, signProjection } from '../../numerics/influence/gradient-alignment.ts';
import {
  dampedQuotient,
  kroneckerCurvature,
  type LayerBasis,
  layerBasis,
  outOfBasis,
} from '../../numerics/influence/kronecker-curvature.ts';
import type { ExampleGradients } from './example-gradients.ts';

export interface InfluenceOptions {
  /** λ; default 1e-3. */
  readonly damping?: number;
  /** Curvature: EK-FAC's, K-FAC's, or none, which leaves the plain cosine of gradients; default EK-FAC. */
  readonly curvature?: 'ek-fac' | 'k-fac' | 'none';
  /**
   * Whether each reference gradient's product and each document's gradient count by their direction alone, or with their lengths (mean
   * losses, the textbook's influence); default true.
   */
  readonly cosine?: boolean;
  /** Dimensions of a random projection by signs of both sides, with the stream to draw it from; default none. */
  readonly projection?: { readonly dimension: number; readonly random: Random };
  /** Shows progress and lets a cancel through between layers. */
  readonly run?: Run;
}

/** Scores examples by their influence on the reference: above 0 where training on them lowers its loss. */
export interface Influence<Example> {
  /** mean over the reference r of ⟨v_r, g⟩ / (‖v_r‖ ‖g‖), 0 for a gradient of 0; shape [examples]. */
  score(examples: readonly Example[]): Promise<Float64Array>;
  /** The direction, one vector a layer; of the projected dimensions where there is a projection. */
  readonly direction: readonly Float64Array[];
}

/**
 * I(z) = ∇L(reference)ᵀ (H + λ)⁻¹ ∇L(z) (arXiv:2409.16986), H layer by layer a Kronecker product, over all layers of the model
 * joined. The reference's products are summed up beforehand, so that an example costs one product.
 * @param sample examples of the pool, that the curvature is taken from.
 * @throws InputError for no sample or no reference; ParameterError for damping of 0 or less.
 */
export async function influenceOf<Example>(
  model: ExampleGradients<Example>,
  sample: readonly Example[],
  reference: readonly Example[],
  { damping = 1e-3, curvature = 'ek-fac', cosine = true, projection, run }: InfluenceOptions = {},
): Promise<Influence<Example>> {
  if (reference.length === 0) throw new InputError('influence is on a reference, and that has no example');
  if (sample.length === 0) throw new InputError('the curvature is taken from a sample, and that has no example');
  if (!(damping > 0)) throw new ParameterError(`damping = ${damping} is not above 0`);
  const { layers } = model;
  const lengths = layers.map(({ rows, columns }) => rows * columns);
  const bases = curvature === 'none' ? undefined : await basesOf(model, sample, run);
  const spectra =
    bases && (curvature === 'k-fac' ? bases.map(kroneckerCurvature) : await corrected(model, sample, bases));

  const project: Projection | undefined =
    projection && signProjection(lengths, projection.dimension, projection.random);
  const back = (parts: readonly Float64Array[]) => (bases ? parts.map((part, l) => outOfBasis(bases[l], part)) : parts);
  let direction: Float64Array[] = project
    ? [new Float64Array(projection!.dimension)]
    : lengths.map((length) => new Float64Array(length));
  for await (const { layers: gradient, predictions } of model.gradients(reference, bases)) {
    // In the basis lengths are what they are outside, so that one turn back does for all.
    const product = gradient.map((part, l) =>
      spectra ? dampedQuotient(part, spectra[l], damping) : Float64Array.from(part),
    );
    const vector = project ? [project(back(product))] : product;
    const norm = cosine ? Math.sqrt(innerProduct(vector, vector)) : predictions;
    if (!(norm > 0)) continue;
    vector.forEach((part, l) => {
      const sum = direction[l];
      for (let i = 0; i < part.length; i++) sum[i] += part[i] / norm / reference.length;
    });
  }
  if (!project) direction = [...back(direction)];

  return {
    direction,
    async score(examples) {
      if (!project) {
        const { inner, squares, predictions } = await model.along(examples, direction);
        return inner.map((value, e) => {
          if (!cosine) return value / predictions[e];
          return squares[e] > 0 ? value / Math.sqrt(squares[e]) : 0;
        });
      }
      const scores = new Float64Array(examples.length);
      for await (const { example, predictions, layers: gradient } of model.gradients(examples)) {
        const vector = [project(gradient)];
        const norm = cosine ? Math.sqrt(innerProduct(vector, vector)) : predictions;
        scores[example] = norm > 0 ? innerProduct(direction, vector) / norm : 0;
      }
      return scores;
    },
  };
}

/** Eigenbases of the curvature's factors, one a layer. */
async function basesOf<Example>(
  { layers, moments }: ExampleGradients<Example>,
  sample: readonly Example[],
  run: Run | undefined,
): Promise<LayerBasis[]> {
  const bases: LayerBasis[] = [];
  for (const [l, { s, a }] of (await moments(sample)).entries()) {
    const { rows, columns } = layers[l];
    bases.push(layerBasis({ rows, columns, s, a }));
    run?.progress('eigenbases', l + 1, layers.length);
    await run?.breathe();
  }
  return bases;
}

/**
 * EK-FAC's curvature of each layer. A sample's squared gradient is divided by its predictions, so that a text of independent tokens
 * weighs as they would one by one.
 */
async function corrected<Example>(
  model: ExampleGradients<Example>,
  sample: readonly Example[],
  bases: readonly LayerBasis[],
): Promise<Float64Array[]> {
  const sums = bases.map(({ rows, columns }) => new Float64Array(rows * columns));
  for await (const { layers, predictions } of model.gradients(sample, bases)) {
    layers.forEach((part, l) => {
      const sum = sums[l];
      for (let i = 0; i < sum.length; i++) sum[i] += part[i] ** 2 / predictions / sample.length;
    });
  }
  return sums;
}
