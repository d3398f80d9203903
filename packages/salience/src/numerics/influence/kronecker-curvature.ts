/**
 * @file The curvature of a linear layer y = W x as a Kronecker product, and products with its damped inverse: K-FAC (arXiv:1503.05671)
 * and EK-FAC (arXiv:1806.03884). H ≈ S ⊗ A with A = E[x xᵀ] [columns, columns] and S = E[δ δᵀ] [rows, rows], δ = ∂loss/∂y, in the
 * order in which W [rows, columns] is stored. Layers that read one input are one layer, δ one below the other: attention's queries,
 * keys and values (arXiv:2409.16986).
 */

import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { InputError, ParameterError } from '../../core/errors.ts';

/** The two factors of a layer's curvature. */
export interface KroneckerFactors {
  readonly rows: number;
  readonly columns: number;
  /** S, symmetric, shape [rows · rows]. */
  readonly s: ArrayLike<number>;
  /** A, symmetric, shape [columns · columns]. */
  readonly a: ArrayLike<number>;
}

interface Spectrum {
  /** Orthonormal, one a column, shape [n · n]. */
  readonly vectors: Float64Array;
  /** Ascending, none below 0, shape [n]. */
  readonly values: Float64Array;
}

/** The eigenbases of both factors: S = Q_S Λ_S Q_Sᵀ, A = Q_A Λ_A Q_Aᵀ. */
export interface LayerBasis {
  readonly rows: number;
  readonly columns: number;
  readonly s: Spectrum;
  readonly a: Spectrum;
}

/** @throws InputError for a factor that is not symmetric, not finite, or of another size. */
export function layerBasis({ rows, columns, s, a }: KroneckerFactors): LayerBasis {
  return { rows, columns, s: spectrum(s, rows, 'S'), a: spectrum(a, columns, 'A') };
}

/** How far two entries that ought to be alike may lie apart, as a share of the largest: sums in float32 differ by less. */
const asymmetry = 1e-4;

function spectrum(m: ArrayLike<number>, n: number, name: string): Spectrum {
  if (m.length !== n * n) throw new InputError(`factor ${name} has ${m.length} entries; of order ${n} it has ${n * n}`);
  let largest = 0;
  for (let i = 0; i < m.length; i++) {
    if (!Number.isFinite(m[i])) throw new InputError(`factor ${name} is ${m[i]} in row ${Math.floor(i / n)}`);
    largest = Math.max(largest, Math.abs(m[i]));
  }
  const even = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const apart = Math.abs(m[i * n + j] - m[j * n + i]);
      if (apart > asymmetry * largest)
        throw new InputError(`factor ${name} is not symmetric: ${m[i * n + j]} and ${m[j * n + i]} in ${i}, ${j}`);
      const value = (m[i * n + j] + m[j * n + i]) / 2;
      even.set(i, j, value);
      even.set(j, i, value);
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(even, { assumeSymmetric: true });
  return {
    vectors: Float64Array.from(eigenvectorMatrix.to1DArray()),
    // A covariance has none below 0 but by rounding.
    values: Float64Array.from(realEigenvalues, (value) => Math.max(0, value)),
  };
}

/** Q_Sᵀ G Q_A of a gradient G, shape [rows · columns]. */
export function intoBasis({ rows, columns, s, a }: LayerBasis, g: ArrayLike<number>): Float64Array {
  checkLength(g, rows * columns, 'the gradient');
  const half = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < rows; k++) {
      const q = s.vectors[i * rows + k];
      if (q !== 0) for (let j = 0; j < columns; j++) half[k * columns + j] += q * g[i * columns + j];
    }
  }
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < columns; k++) {
      const h = half[i * columns + k];
      if (h !== 0) for (let j = 0; j < columns; j++) out[i * columns + j] += h * a.vectors[k * columns + j];
    }
  }
  return out;
}

/** Q_S X Q_Aᵀ, shape [rows · columns]: what intoBasis took in, out again. */
export function outOfBasis({ rows, columns, s, a }: LayerBasis, x: ArrayLike<number>): Float64Array {
  checkLength(x, rows * columns, 'what is turned back');
  const half = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < rows; k++) {
      const q = s.vectors[i * rows + k];
      if (q !== 0) for (let j = 0; j < columns; j++) half[i * columns + j] += q * x[k * columns + j];
    }
  }
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += half[i * columns + k] * a.vectors[j * columns + k];
      out[i * columns + j] = sum;
    }
  }
  return out;
}

/** K-FAC's curvature in the eigenbasis: Λ_ab = Λ_S,a · Λ_A,b, shape [rows · columns]. */
export function kroneckerCurvature({ rows, columns, s, a }: LayerBasis): Float64Array {
  return Float64Array.from(
    { length: rows * columns },
    (_, i) => s.values[Math.floor(i / columns)] * a.values[i % columns],
  );
}

/**
 * EK-FAC's: Λ_ab = mean over samples of (Q_Sᵀ G_n Q_A)²_ab, shape [rows · columns].
 * @param gradients G_n, shape [rows · columns] each.
 */
export function eigenvalueCorrectedCurvature(basis: LayerBasis, gradients: readonly ArrayLike<number>[]): Float64Array {
  const curvature = new Float64Array(basis.rows * basis.columns);
  for (const gradient of gradients) {
    intoBasis(basis, gradient).forEach((value, i) => {
      curvature[i] += value ** 2 / gradients.length;
    });
  }
  return curvature;
}

/**
 * X / (Λ + λ), entry by entry, in the eigenbasis.
 * @throws ParameterError unless λ is above 0.
 */
export function dampedQuotient(x: ArrayLike<number>, curvature: ArrayLike<number>, damping: number): Float64Array {
  if (!(damping > 0)) throw new ParameterError(`damping = ${damping} is not above 0`);
  checkLength(x, curvature.length, 'the gradient');
  const quotient = new Float64Array(x.length);
  for (let i = 0; i < quotient.length; i++) quotient[i] = x[i] / (curvature[i] + damping);
  return quotient;
}

/**
 * V = Q_S [(Q_Sᵀ G Q_A) / (Λ + λ)] Q_Aᵀ, the gradient times the inverse of the damped curvature, shape [rows · columns].
 * @param curvature Λ in the eigenbasis; K-FAC's by default.
 */
export function inverseCurvatureProduct(
  basis: LayerBasis,
  g: ArrayLike<number>,
  damping: number,
  curvature: ArrayLike<number> = kroneckerCurvature(basis),
): Float64Array {
  return outOfBasis(basis, dampedQuotient(intoBasis(basis, g), curvature, damping));
}

/**
 * (S + √λ I)⁻¹ G (A + √λ I)⁻¹: damping each factor, as K-FAC optimisers do. It is not the inverse of S ⊗ A + λ I.
 */
export function factoredDampingProduct(basis: LayerBasis, g: ArrayLike<number>, damping: number): Float64Array {
  const root = Math.sqrt(damping);
  const { rows, columns, s, a } = basis;
  const damped = Float64Array.from(
    { length: rows * columns },
    (_, i) => (s.values[Math.floor(i / columns)] + root) * (a.values[i % columns] + root) - damping,
  );
  return inverseCurvatureProduct(basis, g, damping, damped);
}

/** @throws InputError where a vector is not of the length it is used with: gradient and product of different parameters. */
function checkLength(values: ArrayLike<number>, length: number, what: string): void {
  if (values.length !== length)
    throw new InputError(`${what} has ${values.length} numbers, not ${length}; they must be of the same parameters`);
}
