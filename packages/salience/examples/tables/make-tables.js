/**
 * @file Makes the files of this folder anew, always the same: `node packages/salience/examples/tables/make-tables.js [folder]`.
 *
 * lending.csv       1,000 people who asked for a loan; column good: paid back or not
 * digits.csv        1,000 images of digits, 8 × 8 pixels from 0 to 16; column label: the digit
 * preferences.jsonl 500 prompts with a chosen and a rejected answer, rewards, quality and embedding of the prompt
 * documents.jsonl   600 short texts on six topics and some gibberish; column topic
 * reference.jsonl   60 texts on two of the topics, tides and gardens: what the choice from documents.jsonl is to be good for
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from 'salience/core';
import { digitImages, lendingTable, preferencePairs } from 'salience/subjects';

const folder = process.argv[2] ?? fileURLToPath(new URL('.', import.meta.url));
const random = new Random(7, 'examples/tables');
const write = (name, lines) => writeFile(join(folder, name), `${lines.join('\n')}\n`);
const jsonLines = (rows) => rows.map((row) => JSON.stringify(row));

const lending = lendingTable({ rows: 1000, test: 0, random: random.stream('lending') });
const lendingColumns = [...lending.columns, lending.target];
await write('lending.csv', [
  lendingColumns.map(({ name }) => name).join(','),
  ...Array.from({ length: lending.rows }, (_, i) =>
    lendingColumns.map(({ kind, values }) => (kind === 'number' ? values[i].toFixed(3) : values[i])).join(','),
  ),
]);

const digits = digitImages(1000, random.stream('digits'));
const { features } = await digits.read(digits.chunks[0]);
await write('digits.csv', [
  [...digits.features, 'label'].join(','),
  ...Array.from({ length: digits.examples }, (_, i) =>
    [...features.subarray(64 * i, 64 * i + 64), digits.labels.of[i]].join(','),
  ),
]);

const preferences = preferencePairs(500, random.stream('preferences'));
const pairs = await preferences.read(preferences.chunks[0]);
const columns = preferences.names.map((name) => [name, pairs.column(name)]);
await write(
  'preferences.jsonl',
  jsonLines(
    Array.from({ length: preferences.examples }, (_, i) =>
      Object.fromEntries(columns.map(([name, values]) => [name, values[i]])),
    ),
  ),
);

/** Words of each topic: who, does, what, where or when. */
const topics = {
  tides: {
    who: ['the harbour master', 'a fisherman', 'the pilot', 'the moon', 'the ebb', 'a spring tide'],
    does: ['moves', 'uncovers', 'measures', 'floods', 'waits for', 'carries off'],
    what: ['the sand banks', 'the mud flats', 'the mooring lines', 'slack water', 'the channel buoys', 'low water'],
    where: ['twice a day', 'at the river mouth', 'behind the breakwater', 'after new moon', 'before the storm'],
  },
  gardens: {
    who: ['the gardener', 'a neighbour', 'the old pear tree', 'a hedgehog', 'the rhubarb', 'a late frost'],
    does: ['prunes', 'waters', 'shades', 'mulches', 'spoils', 'plants out'],
    what: ['the seedlings', 'the rose bed', 'the compost', 'the bean rows', 'the young hedge', 'the strawberries'],
    where: ['in early spring', 'along the south wall', 'before sunrise', 'under glass', 'next to the pond'],
  },
  trains: {
    who: ['the guard', 'the night express', 'a goods train', 'the signaller', 'the driver', 'a ticket inspector'],
    does: ['delays', 'couples', 'passes', 'announces', 'brakes before', 'checks'],
    what: ['the connection', 'the last carriage', 'the level crossing', 'the viaduct', 'the points', 'the timetable'],
    where: ['at the junction', 'on platform four', 'in heavy snow', 'past midnight', 'outside the tunnel'],
  },
  bread: {
    who: ['the baker', 'an apprentice', 'the sourdough', 'the oven', 'a customer', 'the miller'],
    does: ['kneads', 'folds', 'weighs', 'scores', 'burns', 'proves'],
    what: ['the rye loaf', 'the flour', 'the dough', 'the crust', 'the rolls', 'the yeast'],
    where: ['for an hour', 'on the stone', 'at four in the morning', 'with more salt', 'under a damp cloth'],
  },
  chess: {
    who: ['the champion', 'white', 'black', 'a young player', 'the arbiter', 'the queen'],
    does: ['sacrifices', 'attacks', 'defends', 'castles behind', 'overlooks', 'exchanges'],
    what: ['the bishop pair', 'the passed pawn', 'the open file', 'the rook', 'the weak square', 'a knight'],
    where: ['in the endgame', 'on move thirty', 'under time trouble', 'after the opening', 'on the long diagonal'],
  },
  weather: {
    who: ['a cold front', 'the forecaster', 'the barometer', 'fog', 'a thunderstorm', 'the west wind'],
    does: ['brings', 'predicts', 'follows', 'hides', 'breaks up', 'pushes'],
    what: ['the cloud bank', 'heavy showers', 'the high pressure', 'the sunshine', 'a sharp frost', 'the warm air'],
    where: ['over the hills', 'by the evening', 'across the plain', 'for three days', 'at sea level'],
  },
};
const open = ['', '', '', 'as a rule ', 'on most days ', 'nobody knows why ', 'so far '];

function text(topic, random) {
  const { who, does, what, where } = topics[topic];
  const sentences = Array.from({ length: 2 + random.integer(3) }, () => {
    const said = `${random.choice(open)}${random.choice(who)} ${random.choice(does)} ${random.choice(what)} ${random.choice(where)}.`;
    return said[0].toUpperCase() + said.slice(1);
  });
  return sentences.join(' ');
}

/** Words of all topics in no order. */
function gibberish(random) {
  const words = Object.values(topics)
    .flatMap((topic) => Object.values(topic).flat())
    .join(' ')
    .split(' ');
  return Array.from({ length: 12 + random.integer(16) }, () => random.choice(words)).join(' ');
}

const drawing = random.stream('documents');
const names = Object.keys(topics);
const documents = Array.from({ length: 600 }, (_, i) => {
  const topic = i % 12 === 11 ? 'gibberish' : names[i % names.length];
  return { text: topic === 'gibberish' ? gibberish(drawing) : text(topic, drawing), topic };
});
await write('documents.jsonl', jsonLines(drawing.shuffle(documents)));
const reference = Array.from({ length: 60 }, (_, i) => {
  const topic = i % 2 === 0 ? 'tides' : 'gardens';
  return { text: text(topic, drawing), topic };
});
await write('reference.jsonl', jsonLines(reference));
