/** @file Made-up papers with realistic text: abstracts of some 200 words about themes, with the word frequencies of prose. */

import { Random } from 'salience/core';

const nouns =
  'model network layer token attention head cache prompt corpus benchmark dataset gradient weight feature graph image video sensor robot policy reward agent task domain language speech molecule protein market patient hospital traffic climate satellite galaxy particle circuit compiler database protocol kernel manifold operator equation theorem boundary lattice spectrum plasma catalyst membrane enzyme genome cell neuron tissue tumour vaccine epidemic ontology retrieval query document summary translation dialogue caption segmentation detection tracking pose depth scene texture mesh rendering simulation controller planner optimiser schedule sampler estimator prior posterior likelihood bound regret oracle auction game privacy attack defence watermark explanation concept counterfactual cause intervention cohort survey interview classroom curriculum'.split(
    ' ',
  );
const adjectives =
  'sparse dense adaptive robust efficient scalable hierarchical multimodal contrastive causal federated private continual generative discrete continuous stochastic deterministic equivariant invariant spectral neural symbolic probabilistic Bayesian convex nonlinear large small deep shallow long short local global offline online unsupervised supervised weak strong latent explicit implicit dynamic static quantised low-rank modular compositional open closed'.split(
    ' ',
  );
const verbs =
  'learns predicts compresses aligns ranks selects prunes merges distils calibrates estimates bounds explains detects generates retrieves edits transfers adapts schedules samples optimises regularises perturbs aggregates clusters routes allocates verifies decomposes'.split(
    ' ',
  );
const openings = [
  'Recent progress in {a} {n} has made {n2} a central question.',
  'How a {a} {n} {v} {n2} under a limited budget is poorly understood.',
  'Most work on {n} assumes that every {n2} matters equally, which is rarely true.',
  'We study {a} {n} in settings where {n2} is scarce and {n3} is costly.',
];
const middles = [
  'We propose a method that {v} the {a} {n} by a score of its {n2}, without retraining.',
  'The key idea is to let each {n} compete with its {n2}, so that only {a} {n3} remains.',
  'A theoretical analysis shows that the {a} {n} {v} the {n2} up to a constant that depends on the {n3}.',
  'To this end, we introduce a {a} objective over {n} and {n2} that can be computed in a single pass.',
  'Our estimator {v} the {n} from the {n2} and needs neither labels nor a second {n3}.',
  'In contrast to earlier {a} approaches, the {n} is updated only where the {n2} changes.',
  'We further collect a benchmark of {a} {n} with annotated {n2} and release its {n3}.',
];
const endings = [
  'Experiments on {n} and {n2} show gains of {p}% over strong baselines at {q} times lower cost.',
  'Across {q} datasets the approach improves {n} by {p} points while halving the {n2}.',
  'Results with human raters confirm that the {a} {n} is preferred in {p}% of cases.',
  'An ablation shows that the {n} explains most of the gain, and that {a} {n2} adds little.',
];
const names = {
  first:
    'Ada Amir Ana Bao Chen Dana Elif Emre Femi Grace Hana Ines Ivan Jun Kofi Lena Li Maya Mei Nils Noor Olga Omar Priya Qi Rosa Sami Sara Tao Tomas Uma Vera Wei Xin Yuki Zoe'.split(
      ' ',
    ),
  last: 'Adeyemi Almeida Andersson Bauer Chen Costa Dubois Fischer Garcia Gupta Haddad Hansen Ito Ivanova Jansen Kim Kowalski Kumar Lee Li Lopez Martin Mehta Moreau Nakamura Nguyen Novak Okafor Park Patel Petrov Rossi Santos Sato Schmidt Silva Singh Smith Suzuki Tanaka Wang Weber Wu Yamada Yang Yilmaz Zhang Zhou'.split(
    ' ',
  ),
};
const categories = [
  'cs.LG',
  'cs.CL',
  'cs.CV',
  'cs.AI',
  'stat.ML',
  'cs.IR',
  'cs.RO',
  'cs.CR',
  'q-bio.QM',
  'physics.comp-ph',
];

/** A word that no dictionary has: names of methods and systems, which fill the long tail of a vocabulary. */
function madeWord(random) {
  const syllables = ['ka', 'ro', 'min', 'tel', 'va', 'sor', 'lu', 'pen', 'dri', 'mo', 'zen', 'fa', 'qui', 'bel', 'tra'];
  const length = 2 + random.integer(3);
  const word = Array.from({ length }, () => syllables[random.integer(syllables.length)]).join('');
  return word[0].toUpperCase() + word.slice(1);
}

/** The i-th of a list by a law of Zipf: the first is drawn most often. */
function zipf(random, list) {
  return list[Math.floor(list.length ** random.uniform()) - 1] ?? list[0];
}

/**
 * Makes papers one after the other, the same for the same seed.
 * @param {number} count
 * @param {number} [seed]
 * @returns {Generator<import('../src/papers/records.ts').PaperInput>}
 */
export function* madePapers(count, seed = 0) {
  const random = new Random(seed, 'made papers');
  const systems = Array.from({ length: 4000 }, () => madeWord(random));
  const start = Date.parse('2012-01-01');
  const days = (Date.parse('2025-12-09') - start) / 86_400_000;
  for (let i = 0; i < count; i++) {
    // A theme is a rotation of the lists, so that papers of one theme share their frequent words.
    const theme = random.integer(40);
    const turned = (list) => {
      const at = (theme * 7) % list.length;
      return [...list.slice(at), ...list.slice(0, at)];
    };
    const [n, a, v] = [turned(nouns), turned(adjectives), turned(verbs)];
    const fill = (template) =>
      template.replace(/\{(\w+)\}/g, (_, key) => {
        if (key.startsWith('n')) return zipf(random, n);
        if (key === 'a') return zipf(random, a);
        if (key === 'v') return zipf(random, v);
        return String(key === 'p' ? 1 + random.integer(60) : 2 + random.integer(14));
      });
    const system = zipf(random, systems);
    const sentences = [openings[random.integer(openings.length)]];
    for (let s = 6 + random.integer(5); s > 0; s--) sentences.push(middles[random.integer(middles.length)]);
    sentences.push(`We call it ${system}.`, endings[random.integer(endings.length)]);
    const day = new Date(start + Math.floor(days * Math.sqrt(random.uniform())) * 86_400_000)
      .toISOString()
      .slice(0, 10);
    const authors = 1 + random.integer(7);
    yield {
      title: fill(`${system}${i % 3 ? '' : ` ${i}`}: {a} {n} for {a} {n2} and {n3}`).replace(/^./, (c) =>
        c.toUpperCase(),
      ),
      abstract: sentences.map(fill).join(' '),
      arxiv: `${day.slice(2, 4)}${day.slice(5, 7)}.${String(i % 100_000).padStart(5, '0')}`,
      authors: Array.from(
        { length: authors },
        () => `${names.first[random.integer(names.first.length)]} ${names.last[random.integer(names.last.length)]}`,
      ),
      posted: day,
      categories: [zipf(random, categories)],
      importedComments: Math.max(0, Math.floor(-3 + 5 * random.uniform())),
      importedVotes: Math.floor(40 * random.uniform() ** 4),
      ...(i % 4 === 0 && { codeUrl: `https://github.com/made-up/${system.toLowerCase()}` }),
    };
  }
}

/** Queries as readers write them, all different: words of the collection, two to five of them, some with a typing error. */
export function* madeQueries(count, seed = 1) {
  const random = new Random(seed, 'queries');
  for (let i = 0; i < count; i++) {
    const words = Array.from({ length: 2 + random.integer(4) }, (_, w) =>
      w % 2
        ? nouns[random.integer(nouns.length)]
        : random.uniform() < 0.5
          ? adjectives[random.integer(adjectives.length)]
          : nouns[random.integer(nouns.length)],
    );
    if (i % 10 === 0) words[0] = words[0].slice(0, 3) + words[0].slice(4);
    yield words.join(' ');
  }
}
