/** @file Moved to security/refused.ts. */

export { Refused } from '../security/refused.ts';
