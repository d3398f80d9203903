/**
 * @file LexRank against its peers, from sentence strings to scores: the npm package lexrank.js, and the dense numpy
 * formulation where a python3 with numpy is found. Text: Shakespeare's lines from ../shared beside the repository.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import peer from 'lexrank.js';
import { parseParams, Run } from '../dist/core/index.js';
import { lexrank } from '../dist/methods/text/lexrank.js';
import { inTurns, seconds, timeCommand, times } from './timing.js';

const text = new URL('../../../../shared/data/text/tiny-shakespeare.txt', import.meta.url);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The first n lines with text; beyond those, the first half of one line with the second half of another, never one twice. */
export function sentencesOfShakespeare(n) {
  const lines = readFileSync(text, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const sentences = lines.slice(0, n);
  const seen = new Set(sentences);
  for (let step = 1; sentences.length < n; step++) {
    for (let i = 0; i < lines.length && sentences.length < n; i++) {
      const first = lines[i].split(' ');
      const second = lines[(i + 7919 * step) % lines.length].split(' ');
      const sentence = [...first.slice(0, first.length >> 1), ...second.slice(second.length >> 1)].join(' ');
      if (!seen.has(sentence)) sentences.push(sentence);
      seen.add(sentence);
    }
  }
  return sentences;
}

/** Our scores of sentences given as strings, threshold 0.1. */
export async function score(sentences) {
  const list = sentences.map((sentence, position) => ({ text: sentence, document: 0, position }));
  const collection = { language: 'en', documents: [{ name: 'text', sentences: list }], sentences: list };
  return (await lexrank.score(collection, parseParams(lexrank), new Run())).values;
}

/** A python3 that has numpy, and the version of that; or undefined. */
function findPython() {
  for (const python of ['python3', '/usr/bin/python3']) {
    const { status, stdout } = spawnSync(python, ['-c', 'import numpy; print(numpy.__version__)'], {
      encoding: 'utf8',
    });
    if (status === 0) return { python, version: stdout.trim() };
  }
  return undefined;
}

/** A process that scores the sentences each time it is asked. */
async function startNumpy(python, sentences) {
  const child = spawn(python, [here('lexrank_numpy.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    return JSON.parse((await answers.next()).value);
  };
  await ask(sentences);
  return { score: () => ask('score'), end: () => child.stdin.end() };
}

async function timed(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function row(name, ours, peer, target) {
  const ratio = peer / ours;
  return {
    case: name,
    ours: seconds(ours),
    peer: seconds(peer),
    ratio: times(ratio),
    target: target === 1 ? 'faster' : `at least ${target}×`,
    met: target === 1 ? ratio > 1 : ratio >= target,
  };
}

export async function bench() {
  const title = 'LexRank, from sentence strings to scores';
  if (!existsSync(text))
    return { title, notes: ['Skipped: ../shared/data/text/tiny-shakespeare.txt is absent.'], rows: [] };
  const notes = [
    'Lines of Shakespeare as sentences, threshold 0.1. The numpy formulation computes the same with dense matrices; lexrank.js ' +
      'takes its similarity from shared words and has no threshold, and cuts some lines in two (2,159 sentences of 2,000 lines). Each runs once before it is timed.',
  ];
  const rows = [];
  const found = findPython();
  notes.push(found ? `numpy ${found.version} in float64.` : 'numpy: skipped, there is no python3 that has it.');

  for (const n of [2000, 8000]) {
    const sentences = sentencesOfShakespeare(n);
    const numpy = found && (await startNumpy(found.python, sentences));
    const scores = await score(sentences);
    const theirs = numpy && (await numpy.score());
    const js = n === 2000 && (() => peer(sentences.join('\n')));
    if (js) js();
    const medians = await inTurns(7, {
      ours: () => timed(() => score(sentences)),
      ...(numpy && { numpy: async () => (await numpy.score()).seconds }),
      ...(js && { js: () => timed(js) }),
    });
    numpy?.end();
    const count = `${n.toLocaleString('en')} sentences`;
    if (js) rows.push(row(`${count}, against lexrank.js`, medians.ours, medians.js, 50));
    if (!numpy) continue;
    rows.push(row(`${count}, against numpy`, medians.ours, medians.numpy, n === 2000 ? 1 : 5));
    const apart = theirs.scores.reduce((most, value, i) => Math.max(most, Math.abs(value - scores[i])), 0);
    notes.push(`${count}: our scores and numpy's differ by ${apart.toExponential(1)} at the most, of 1.`);
  }

  const { stdout } = timeCommand(process.execPath, [here('lexrank-peak.js'), '50000']);
  const peak = JSON.parse(stdout);
  rows.push({
    case: '50,000 sentences, peak resident memory',
    ours: `${(peak.bytes / 1e9).toFixed(2)} GB in ${seconds(peak.seconds)}`,
    peer: '',
    ratio: '',
    target: 'at most 2 GB',
    met: peak.bytes <= 2e9,
  });
  return { title, notes, rows };
}
