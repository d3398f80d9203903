/** @file What influence needs of a model: for each example the gradients of its linear layers, however they are come by. */

import type { LayerBasis } from '../../numerics/influence/kronecker-curvature.ts';

/** A matrix [rows, columns] = [out, in], or several that read one input, one below the other. */
export interface LinearLayer {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
}

/** The gradient of one example's loss, summed over what it predicts. */
export interface ExampleGradient {
  /** Its place among the examples that were asked for. */
  readonly example: number;
  /** What it predicts: tokens of a text, 1 of a labelled row. */
  readonly predictions: number;
  /** One a layer, shape [rows · columns]. */
  readonly layers: readonly (Float32Array | Float64Array)[];
}

/** E[δ δᵀ] and E[x xᵀ] of a layer over all predictions, shapes [rows · rows] and [columns · columns]. */
interface LayerMoments {
  readonly s: Float64Array;
  readonly a: Float64Array;
}

/** A model as influence sees it. Losses are sums over an example's predictions. */
export interface ExampleGradients<Example> {
  readonly layers: readonly LinearLayer[];
  moments(examples: readonly Example[]): Promise<LayerMoments[]>;
  /** Each example's gradient, in any order; in the bases where they are given: Q_Sᵀ G Q_A. */
  gradients(examples: readonly Example[], bases?: readonly LayerBasis[]): AsyncGenerator<ExampleGradient>;
  /**
   * For each example Σ over the layers of ⟨V, G⟩ and of ‖G‖², shapes [examples], without forming G.
   * @param directions V, one a layer, shape [rows · columns].
   */
  along(
    examples: readonly Example[],
    directions: readonly ArrayLike<number>[],
  ): Promise<{ readonly inner: Float64Array; readonly squares: Float64Array; readonly predictions: Float64Array }>;
  dispose(): Promise<void>;
}
