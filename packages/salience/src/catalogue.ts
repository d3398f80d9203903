/** @file The list of methods, one line each. The command line, the docs, the web pages and the ledger are made from it. */

import type { Claim } from './core/claim.ts';
import { ParameterError } from './core/errors.ts';
import type { Method } from './core/method.ts';
import { type Family, type Paper, papers } from './papers.ts';

/** A method whose subject is not known at compile time. */
export type AnyMethod = Method<unknown>;

export interface Entry {
  readonly id: string;
  readonly family: Family;
  readonly load: () => Promise<AnyMethod>;
  readonly claim?: () => Promise<Claim>;
}

// A method is only ever given what its own subject loaded, which the type of a list cannot say.
const as = (loading: Promise<unknown>) => loading as Promise<AnyMethod>;
const by = (loading: Promise<{ default: Claim }>) => loading.then((module) => module.default);

// biome-ignore format: one line a method
export const catalogue: readonly Entry[] = [
  { id: 'lexrank', family: 'text', load: () => as(import('./methods/text/lexrank.ts').then((m) => m.lexrank)), claim: () => by(import('./methods/text/lexrank.claim.ts')) },
  { id: 'centroid', family: 'text', load: () => as(import('./methods/text/centroid.ts').then((m) => m.centroid)) },
  { id: 'semre-rank', family: 'text', load: () => as(import('./methods/text/semre-rank.ts').then((m) => m.semreRank)), claim: () => by(import('./methods/text/semre-rank.claim.ts')) },
  { id: 'tf-idf', family: 'text', load: () => as(import('./methods/text/tf-idf.ts').then((m) => m.tfIdf)) },
  { id: 'c-value', family: 'text', load: () => as(import('./methods/text/c-value.ts').then((m) => m.cValue)) },
  { id: 'rake', family: 'text', load: () => as(import('./methods/text/rake.ts').then((m) => m.rake)) },
  { id: 'weirdness', family: 'text', load: () => as(import('./methods/text/weirdness.ts').then((m) => m.weirdness)) },
  { id: 'basic', family: 'text', load: () => as(import('./methods/text/basic.ts').then((m) => m.basic)) },
  { id: 'combo-basic', family: 'text', load: () => as(import('./methods/text/combo-basic.ts').then((m) => m.comboBasic)) },
  { id: 'global-mp', family: 'weights', load: () => as(import('./methods/weights/global-mp.ts').then((m) => m.globalMp)), claim: () => by(import('./methods/weights/global-mp.claim.ts')) },
  { id: 'random-pruning', family: 'weights', load: () => as(import('./methods/weights/random-pruning.ts').then((m) => m.randomPruning)) },
  { id: 'gblm', family: 'weights', load: () => as(import('./methods/weights/gblm.ts').then((m) => m.gblm)), claim: () => by(import('./methods/weights/gblm.claim.ts')) },
  { id: 'wanda', family: 'weights', load: () => as(import('./methods/weights/wanda.ts').then((m) => m.wanda)) },
  { id: 'sparsegpt', family: 'weights', load: () => as(import('./methods/weights/sparsegpt.ts').then((m) => m.sparseGpt)) },
  { id: 'magnitude', family: 'weights', load: () => as(import('./methods/weights/magnitude.ts').then((m) => m.magnitudePruning)) },
  { id: 'random-weights', family: 'weights', load: () => as(import('./methods/weights/random-weights.ts').then((m) => m.randomWeights)) },
  { id: 'scissorhands', family: 'attention', load: () => as(import('./methods/attention/scissorhands.ts').then((m) => m.scissorhands)), claim: () => by(import('./methods/attention/scissorhands.claim.ts')) },
  { id: 'h2o', family: 'attention', load: () => as(import('./methods/attention/h2o.ts').then((m) => m.h2o)) },
  { id: 'streaming-llm', family: 'attention', load: () => as(import('./methods/attention/streaming-llm.ts').then((m) => m.streamingLlm)) },
  { id: 'snapkv', family: 'attention', load: () => as(import('./methods/attention/snapkv.ts').then((m) => m.snapkv)) },
  { id: 'random-eviction', family: 'attention', load: () => as(import('./methods/attention/random-eviction.ts').then((m) => m.randomEviction)) },
  { id: 'full-cache', family: 'attention', load: () => as(import('./methods/attention/full-cache.ts').then((m) => m.fullCache)) },
  { id: 'responsiveness', family: 'features', load: () => as(import('./methods/features/responsiveness.ts').then((m) => m.responsiveness)), claim: () => by(import('./methods/features/responsiveness.claim.ts')) },
  { id: 'rashomon-fis', family: 'features', load: () => as(import('./methods/features/rashomon-fis.ts').then((m) => m.rashomonFis)), claim: () => by(import('./methods/features/rashomon-fis.claim.ts')) },
  { id: 'kan-select', family: 'features', load: () => as(import('./methods/features/kan-select.ts').then((m) => m.kanSelect)), claim: () => by(import('./methods/features/kan-select.claim.ts')) },
  { id: 'shapley-workflow', family: 'features', load: () => as(import('./methods/features/shapley-workflow.ts').then((m) => m.shapleyWorkflow)), claim: () => by(import('./methods/features/shapley-workflow.claim.ts')) },
  { id: 'shap', family: 'features', load: () => as(import('./methods/features/shap.ts').then((m) => m.shap)) },
  { id: 'lime', family: 'features', load: () => as(import('./methods/features/lime.ts').then((m) => m.lime)) },
  { id: 'permutation-importance', family: 'features', load: () => as(import('./methods/features/permutation-importance.ts').then((m) => m.permutationImportance)) },
  { id: 'lasso', family: 'features', load: () => as(import('./methods/features/lasso.ts').then((m) => m.lasso)) },
  { id: 'forest-importance', family: 'features', load: () => as(import('./methods/features/forest-importance.ts').then((m) => m.forestImportance)) },
  { id: 'mutual-information', family: 'features', load: () => as(import('./methods/features/mutual-information.ts').then((m) => m.mutualInformation)) },
  { id: 'svm-rfe', family: 'features', load: () => as(import('./methods/features/svm-rfe.ts').then((m) => m.svmRfe)) },
  { id: 'random-features', family: 'features', load: () => as(import('./methods/features/random-features.ts').then((m) => m.randomFeatures)) },
  { id: 'fifa', family: 'data', load: () => as(import('./methods/data/fifa.ts').then((m) => m.fifa)), claim: () => by(import('./methods/data/fifa.claim.ts')) },
  { id: 'vog', family: 'data', load: () => as(import('./methods/data/vog.ts').then((m) => m.vog)), claim: () => by(import('./methods/data/vog.claim.ts')) },
  { id: 'quad', family: 'data', load: () => as(import('./methods/data/quad.ts').then((m) => m.quad)), claim: () => by(import('./methods/data/quad.claim.ts')) },
  { id: 'gais', family: 'data', load: () => as(import('./methods/data/gais.ts').then((m) => m.gais)), claim: () => by(import('./methods/data/gais.claim.ts')) },
  { id: 'el2n', family: 'data', load: () => as(import('./methods/data/el2n.ts').then((m) => m.el2n)) },
  { id: 'grand', family: 'data', load: () => as(import('./methods/data/grand.ts').then((m) => m.grand)) },
  { id: 'forgetting', family: 'data', load: () => as(import('./methods/data/forgetting.ts').then((m) => m.forgetting)) },
  { id: 'example-loss', family: 'data', load: () => as(import('./methods/data/example-loss.ts').then((m) => m.exampleLoss)) },
  { id: 'example-margin', family: 'data', load: () => as(import('./methods/data/example-margin.ts').then((m) => m.exampleMargin)) },
  { id: 'aum', family: 'data', load: () => as(import('./methods/data/aum.ts').then((m) => m.aum)) },
  { id: 'tracin', family: 'data', load: () => as(import('./methods/data/tracin.ts').then((m) => m.tracIn)) },
  { id: 'pvi', family: 'data', load: () => as(import('./methods/data/pvi.ts').then((m) => m.pvi)) },
  { id: 'influence', family: 'data', load: () => as(import('./methods/data/influence.ts').then((m) => m.influence)) },
  { id: 'dsir', family: 'data', load: () => as(import('./methods/data/dsir.ts').then((m) => m.dsir)) },
  { id: 'condensed-nn', family: 'data', load: () => as(import('./methods/data/condensed-nn.ts').then((m) => m.condensedNn)) },
  { id: 'drop3', family: 'data', load: () => as(import('./methods/data/drop3.ts').then((m) => m.dropThree)) },
  { id: 'icf', family: 'data', load: () => as(import('./methods/data/icf.ts').then((m) => m.icf)) },
  { id: 'lsh-selection', family: 'data', load: () => as(import('./methods/data/lsh-selection.ts').then((m) => m.lshInstances)) },
  { id: 'k-means-prototypes', family: 'data', load: () => as(import('./methods/data/k-means-prototypes.ts').then((m) => m.kMeansInstances)) },
  { id: 'random-examples', family: 'data', load: () => as(import('./methods/data/random-examples.ts').then((m) => m.randomExamples)) },
];

/**
 * The entry of an implemented method.
 * @throws ParameterError for an unknown id, with the nearest known ones, or one that is planned only.
 */
export function find(id: string): Entry {
  const entry = catalogue.find((candidate) => candidate.id === id);
  if (entry) return entry;
  const paper = papers.find((candidate) => candidate.id === id);
  if (paper)
    throw new ParameterError(`${id} (${paper.name}) is planned and not implemented yet; "salience list" shows what is`);
  const near = catalogue.map((candidate) => candidate.id).filter((known) => known.includes(id) || id.includes(known));
  throw new ParameterError(
    `there is no method "${id}"; ${near.length > 0 ? `did you mean ${near.join(' or ')}?` : '"salience list" shows all'}`,
  );
}

/** The facts of the seed page's paper behind a method, if it is one of the 59. */
export function paperOf(id: string): Paper | undefined {
  return papers.find((paper) => paper.id === id);
}
