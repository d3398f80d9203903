/** @file Numbers that must be finite. */

import { InputError } from '../../core/errors.ts';

/** @throws InputError naming what and where, for a number that is not finite. */
export function refuseNotFinite(values: Float32Array, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new InputError(`${what} is ${values[i]} at ${i}; numbers must be finite`);
  }
}
