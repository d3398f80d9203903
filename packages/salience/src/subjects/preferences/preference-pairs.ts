/** @file Generated preference pairs: prompts about a few topics, each with a better and a worse answer, rewards, a quality and an embedding. */

import type { Random } from '../../core/random.ts';
import { type Dataset, datasetInMemory, type PreferencePair } from '../dataset/dataset.ts';

const topics = [
  {
    name: 'gardens',
    things: ['a hedge', 'a pond', 'a compost heap', 'an apple tree'],
    facts: [
      'water it early in the day',
      'cut it back in late winter',
      'keep it in half shade',
      'feed it once in spring',
    ],
  },
  {
    name: 'bread',
    things: ['a sourdough loaf', 'a rye bread', 'flat bread', 'a brioche'],
    facts: [
      'let the dough rest overnight',
      'weigh the salt',
      'steam the oven for ten minutes',
      'fold it every half hour',
    ],
  },
  {
    name: 'bicycles',
    things: ['a puncture', 'a loose chain', 'worn brake pads', 'a bent wheel'],
    facts: ['take the wheel out first', 'clean the rim', 'check the tension by hand', 'tighten both sides evenly'],
  },
  {
    name: 'maps',
    things: ['a contour line', 'a scale bar', 'a grid reference', 'a compass rose'],
    facts: [
      'read the legend first',
      'measure along the path',
      'north is up unless it says so',
      'count the lines to get the height',
    ],
  },
  {
    name: 'tides',
    things: ['a spring tide', 'a neap tide', 'slack water', 'a tidal bore'],
    facts: [
      'the moon pulls most',
      'it comes twice a day',
      'the sun adds to it at new moon',
      'the shape of the coast changes it',
    ],
  },
] as const;

const asks = [
  'How do I deal with',
  'Could you explain to a child',
  'What should I know about',
  'Give me three hints on',
];
const dull = ['It depends.', 'I do not know.', 'There are many ways to see this.', 'Ask somebody else.'];

/** Dimensions of the embedding of a prompt. */
const width = 8;

/**
 * Preference pairs. Each prompt has several; beside prompt, chosen and rejected there are columns `quality` of the prompt (0 to 10; low
 * ones are garbled), `chosen_reward`, `rejected_reward`, `margin` (their difference; below 0 where the label is wrong, about one in ten),
 * `topic`, and `embedding` of the prompt, 8 numbers near its topic's.
 */
export function preferencePairs(count: number, random: Random): Dataset {
  const pairs: PreferencePair[] = [];
  const columns: Record<string, unknown[]> = {};
  const put = (row: Readonly<Record<string, unknown>>) => {
    for (const [name, value] of Object.entries(row)) {
      columns[name] ??= [];
      columns[name].push(value);
    }
  };
  const known = new Map<string, { readonly quality: number; readonly embedding: readonly number[] }>();
  const centres = topics.map(() => Array.from({ length: width }, () => random.normal()));
  const about = (t: number, garbled: boolean) => ({
    quality: Math.round(Math.min(10, Math.max(0, (garbled ? 2 : 8) + 1.2 * random.normal()))),
    embedding: centres[t].map((x) => Number((x + 0.3 * random.normal()).toFixed(4))),
  });
  while (pairs.length < count) {
    const t = random.integer(topics.length);
    const { name, things, facts } = topics[t];
    const thing = random.choice(things);
    const garbled = random.uniform() < 0.15;
    const plain = `${random.choice(asks)} ${thing}?`;
    const prompt = garbled ? plain.split(' ').reverse().join(' ').toLowerCase().replace('?', '') : plain;
    const { quality, embedding } = known.get(prompt) ?? about(t, garbled);
    known.set(prompt, { quality, embedding });
    for (let k = 1 + random.integer(5); k > 0 && pairs.length < count; k--) {
      const order = random.shuffle([...facts]);
      const many = 2 + random.integer(3);
      const good = `About ${thing}: ${order.slice(0, many).join(', ')}.`;
      const bad = random.uniform() < 0.4 ? random.choice(dull) : `About ${thing}: ${order[0]}.`;
      const wrong = random.uniform() < 0.1;
      const better = 0.6 * many + 0.5 * random.normal();
      const worse = (bad.startsWith('About') ? 0.5 : -0.5) + 0.5 * random.normal();
      const [chosenReward, rejectedReward] = (wrong ? [worse, better] : [better, worse]).map((r) =>
        Number(r.toFixed(4)),
      );
      const pair = wrong ? { prompt, chosen: bad, rejected: good } : { prompt, chosen: good, rejected: bad };
      pairs.push(pair);
      put({
        ...pair,
        quality,
        chosen_reward: chosenReward,
        rejected_reward: rejectedReward,
        margin: Number((chosenReward - rejectedReward).toFixed(4)),
        topic: name,
        embedding,
      });
    }
  }
  return datasetInMemory({ name: 'preferences', pairs, columns });
}
