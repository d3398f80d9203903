/**
 * @file Influence of every document on a reference, with the curvature by EK-FAC (arXiv:2308.03296, arXiv:2409.16986): the documents, or
 * the clusters, whose gradients help it most.
 */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Block } from '../../core/report.ts';
import { clusterParams, documentClusters } from '../../subjects/dataset/document-clusters.ts';
import { documentInfluence, influenceParams } from '../../subjects/dataset/document-influence.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/** Documents scored between two looks at the signal. */
const atOnce = 256;

/** The mean of a score over each cluster, shape [clusters]; 0 for one without documents. */
export function clusterMeans(scores: ArrayLike<number>, of: ArrayLike<number>, clusters: number): Float64Array {
  const sums = new Float64Array(clusters);
  const counts = new Float64Array(clusters);
  for (let i = 0; i < scores.length; i++) {
    sums[of[i]] += scores[i];
    counts[of[i]]++;
  }
  return sums.map((sum, c) => (counts[c] > 0 ? sum / counts[c] : 0));
}

export const influence = method({
  id: 'influence',
  name: 'Influence functions',
  source: 'arXiv:2308.03296',
  summary: 'Scores a document by how well its gradient fits what would lower the loss on a reference.',
  unit: 'document',
  subject: dataset,
  formula: 's = mean over the reference of cos((H + λ)⁻¹ ∇L(r), ∇L(z)), H by K-FAC in the eigenbasis, corrected',
  cost: 'a backward pass a document, O(Σ in³ + out³) for the eigenbases',
  params: z.object({
    ...influenceParams,
    ...clusterParams,
    per: z
      .enum(['document', 'cluster'])
      .default('document')
      .describe('cluster: every document scores the mean of its cluster, so that whole clusters are kept'),
  }),
  async score(pool, params, run) {
    const found = params.per === 'cluster' ? await documentClusters(pool, params, run) : undefined;
    const documents = await documentInfluence(pool, params, run);
    try {
      const n = pool.examples;
      const scores = new Float64Array(n);
      for (let start = 0; start < n; start += atOnce) {
        const indices = Array.from({ length: Math.min(atOnce, n - start) }, (_, i) => start + i);
        scores.set(await documents.score(indices), start);
        run.progress('documents', start + indices.length, n);
        await run.breathe();
      }
      const findings: Block[] = documents.remarks.map((text) => ({ kind: 'text', text }));
      if (!found) return { unit: 'document', values: Float32Array.from(scores), findings };
      const means = clusterMeans(scores, found.of, found.clusters);
      return { unit: 'document', values: Float32Array.from(found.of, (cluster) => means[cluster]), findings };
    } finally {
      await documents.dispose();
    }
  },
});
