/** @file Which methods run in the reader's browser, and how much text they are given there. */

/** Ids of methods that the library's browser entry has. */
export const lightMethods: readonly string[] = [
  'lexrank',
  'centroid',
  'tf-idf',
  'c-value',
  'rake',
  'basic',
  'combo-basic',
];
