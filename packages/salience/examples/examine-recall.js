/**
 * @file Examines a decoder of the recall language on documents it has never seen: `node packages/salience/examples/examine-recall.js
 * [folder]`. Prints exact-match retrieval by length and number of facts, and perplexity by domain.
 */

import { fileURLToPath } from 'node:url';
import { Random, Run } from 'salience/core';
import { loadWeights, negativeLogLikelihood, openPretrained, recallLanguage } from 'salience/models';
import { int32 } from 'salience/runtime';

const folder = process.argv[2] ?? fileURLToPath(new URL('./recall', import.meta.url));
const run = new Run();
const pretrained = await openPretrained(folder);
const model = { config: pretrained.config, weights: await loadWeights(pretrained, run) };

console.log('| tokens | facts | questions | documents | answered exactly |\n| --- | --- | --- | --- | --- |');
for (const [length, facts, questions, documents] of [
  [128, 6, 6, 64],
  [512, 12, 8, 64],
  [512, 32, 8, 64],
  [1024, 16, 8, 32],
  [1024, 48, 8, 32],
]) {
  const random = new Random(1, `examine/${length}/${facts}`);
  const answered = await recallLanguage.retrieval(model, random, { length, facts, questions }, documents);
  const share = answered.filter(({ right }) => right).length / answered.length;
  console.log(`| ${length} | ${facts} | ${questions} | ${documents} | ${(100 * share).toFixed(1)}% |`);
}

console.log('\n| domain | perplexity of filler | perplexity of all |\n| --- | --- | --- |');
for (const [domain, { name }] of recallLanguage.domains.entries()) {
  const random = new Random(1, `perplexity/${name}`);
  const sums = { filler: [0, 0], all: [0, 0] };
  for (let d = 0; d < 16; d++) {
    const made = recallLanguage.document(random, { length: 512, facts: 12, questions: 8, domain });
    const { data } = await negativeLogLikelihood(model, int32([1, 512], made.tokens));
    // What follows "note" and "ask" can be foretold (an answer) or not at all (a new fact); the rest is filler.
    const statements = new Set();
    for (const [t, token] of made.tokens.entries())
      if (['note', 'ask'].includes(recallLanguage.vocabulary[token])) for (let i = 0; i < 5; i++) statements.add(t + i);
    for (const [t, nll] of data.entries()) {
      for (const kind of statements.has(t + 1) ? ['all'] : ['all', 'filler']) {
        sums[kind][0] += nll;
        sums[kind][1]++;
      }
    }
  }
  const perplexity = ([sum, count]) => Math.exp(sum / count).toFixed(2);
  console.log(`| ${name} | ${perplexity(sums.filler)} | ${perplexity(sums.all)} |`);
}
