/** @file The upper Cholesky factor of the inverse of a damped Hessian, which the pruning and quantising of GPTQ's family run on. */

import { InputError, ParameterError } from '../../core/errors.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { clearUpper, factorInPlace, invertLowerInPlace } from './cholesky.ts';

/** Damping is added this often at the most. */
const attempts = 50;

export interface InverseFactor {
  /** Upper triangular U with Uᵀ U = (H + λ I)⁻¹, shape [n, n], row after row. */
  readonly u: Float64Array;
  /** Columns with H_ii = 0, where H_ii was taken for 1: inputs that never fire. Ascending. */
  readonly dead: readonly number[];
  /** λ: what was added to the diagonal in all. */
  readonly damping: number;
}

/**
 * U with Uᵀ U = (H + λ I)⁻¹, λ = damping · mean(diag H), added again where H is still not positive definite, up to 50 times.
 * @param h symmetric, shape [n, n]; only its upper triangle is read.
 * @throws ParameterError if the damping is not above 0; InputError if H has an entry that is not finite, has another number of
 *   entries than n², or stays short of positive definite.
 * Source: Frantar et al. 2022 (arXiv:2210.17323), section 3.
 */
export function inverseFactor(h: ArrayLike<number>, n: number, damping = 0.01): InverseFactor {
  return finish(inverseFactorSteps(h, n, damping));
}

/** `inverseFactor` with pauses. */
export function* inverseFactorSteps(h: ArrayLike<number>, n: number, damping = 0.01): Steps<InverseFactor> {
  if (!(damping > 0 && damping < Infinity)) throw new ParameterError(`damping = ${damping} is not above 0`);
  if (h.length !== n * n) throw new InputError(`a Hessian of order ${n} has ${n * n} entries, this one ${h.length}`);
  for (let i = 0; i < h.length; i++) {
    if (!Number.isFinite(h[i])) {
      throw new InputError(`the Hessian's row ${Math.floor(i / n)}, column ${i % n} is ${h[i]}; it must be finite`);
    }
  }
  const dead: number[] = [];
  let trace = 0;
  for (let i = 0; i < n; i++) {
    if (h[i * n + i] === 0) dead.push(i);
    trace += h[i * n + i] || 1;
  }
  const step = (damping * trace) / n;
  // With rows and columns in reverse, L Lᵀ = H is R Rᵀ with R upper; U is R⁻¹, without ever forming H⁻¹.
  const work = new Float64Array(n * n);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    for (let i = 0; i < work.length; i++) work[i] = h[work.length - 1 - i];
    for (let i = 0; i < n; i++) {
      const at = work.length - 1 - (i * n + i);
      work[at] = (work[at] || 1) + attempt * step;
    }
    if ((yield* factorInPlace(work, n)) !== undefined) continue;
    yield* invertLowerInPlace(work, n);
    clearUpper(work, n);
    return { u: work.reverse(), dead, damping: attempt * step };
  }
  throw new InputError(`the Hessian is not positive definite, even with ${attempts * step} added to its diagonal`);
}
