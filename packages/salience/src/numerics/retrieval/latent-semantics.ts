/** @file Latent semantic analysis: texts as short vectors that lie near each other where their words keep the same company. */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { type IndexLists, listOf } from '../index-lists.ts';
import { truncatedSvd } from '../linear-algebra/truncated-svd.ts';

/** What places a text: its words' weights and directions. */
export interface LatentSemantics {
  /** k: what was asked for, or the rank of the matrix of documents and terms where that is lower. */
  readonly width: number;
  /** ln((N + 1) / (n + 1)) + 1 of each term, shape [terms]; 0 for a term that was in fewer documents than were asked for. */
  readonly idf: Float32Array;
  /** Shape [terms, k], row after row. */
  readonly projection: Float32Array;
}

export interface LatentSemanticsOptions {
  /** Terms in fewer documents are left out; 2 by default. */
  readonly leastDocuments?: number;
  /** Awaited now and then, so that a long training can be stopped. */
  readonly pause?: () => Promise<void>;
}

/**
 * The k leading right singular vectors of the documents' tf · idf rows, (1 + ln tf) · idf of length 1.
 * @param documents the terms of each document, repeats included, as numbers below `terms`.
 * @throws ParameterError if the width is not 1 or more.
 * Source: Deerwester, Dumais, Furnas, Landauer & Harshman 1990 (JASIS 41), with the log entropy's tf and a smooth idf.
 */
export async function latentSemantics(
  documents: IndexLists,
  terms: number,
  width: number,
  random: Random,
  { leastDocuments = 2, pause }: LatentSemanticsOptions = {},
): Promise<LatentSemantics> {
  const rows = documents.offsets.length - 1;
  const counted = Array.from({ length: rows }, (_, d) => countsOf(listOf(documents, d)));
  const holding = new Uint32Array(terms);
  for (const { distinct } of counted) for (const term of distinct) holding[term]++;
  const idf = Float32Array.from(holding, (n) => (n < leastDocuments ? 0 : Math.log((rows + 1) / (n + 1)) + 1));
  const offsets = new Uint32Array(rows + 1);
  const indices: number[] = [];
  const values: number[] = [];
  counted.forEach(({ distinct, counts }, d) => {
    const weights = counts.map((count, i) => (1 + Math.log(count)) * idf[distinct[i]]);
    const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
    weights.forEach((weight, i) => {
      if (weight === 0) return;
      indices.push(distinct[i]);
      values.push(weight / length);
    });
    offsets[d + 1] = indices.length;
  });
  const matrix = {
    rows,
    columns: terms,
    offsets,
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
  };
  const { rank, v } = await truncatedSvd(matrix, width, random, { pause });
  return { width: rank, idf, projection: Float32Array.from(v) };
}

/**
 * The vector of a text, of length 1, or 0 where it has no term that is known; shape [k].
 * @throws ParameterError if a term is not below the number of terms.
 */
export function placeText({ width, idf, projection }: LatentSemantics, terms: ArrayLike<number>): Float32Array {
  const { distinct, counts } = countsOf(terms);
  const sum = new Float64Array(width);
  distinct.forEach((term, i) => {
    if (!(term < idf.length)) throw new ParameterError(`there is no term ${term}; there are ${idf.length}`);
    const weight = (1 + Math.log(counts[i])) * idf[term];
    if (weight === 0) return;
    for (let k = 0; k < width; k++) sum[k] += weight * projection[term * width + k];
  });
  const length = Math.sqrt(sum.reduce((total, value) => total + value * value, 0));
  return Float32Array.from(sum, (value) => (length > 0 ? value / length : 0));
}

/** The distinct terms, ascending, and how often each occurs. */
function countsOf(terms: ArrayLike<number>): { distinct: number[]; counts: number[] } {
  const sorted = Uint32Array.from(terms).sort();
  const distinct: number[] = [];
  const counts: number[] = [];
  for (const term of sorted) {
    if (distinct[distinct.length - 1] === term) counts[counts.length - 1]++;
    else {
      distinct.push(term);
      counts.push(1);
    }
  }
  return { distinct, counts };
}
