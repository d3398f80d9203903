/** @file salience: what matters, and what to keep. The contracts, the catalogue and the main job; methods are under their family's path. */

export { type AnyMethod, catalogue, type Entry, find, paperOf } from './catalogue.ts';
export { type Curves, curvesOf } from './core/curves.ts';
export * from './core/index.ts';
export { type Choice, choose, keep } from './keep.ts';
export { type LedgerEntry, ledgerEntrySchema, packageLedger, verdictInWords } from './ledger.ts';
export { type Family, type Paper, papers } from './papers.ts';
