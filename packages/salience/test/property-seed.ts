/** @file One seed for all property tests, so that a run that passes once passes again. FAST_CHECK_SEED tries another. */

import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20261124) });
