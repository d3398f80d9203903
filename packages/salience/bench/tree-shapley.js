/**
 * @file Exact tree Shapley values against the recursion as published and as shap's C code has it, both in JavaScript; against
 * scikit-learn's time to predict, and against Python's shap, where there is a Python (PYTHON names one) that has them.
 */

import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { finish, Random } from '../dist/core/index.js';
import { recursiveTreeShapley } from '../dist/numerics/shapley/tree-recursive.js';
import { treeShapley } from '../dist/numerics/shapley/tree-shapley.js';
import { inTurns, seconds, times } from './timing.js';

const columns = 20;
const rowCount = 1000;
const treeCount = 100;
const depth = 8;
const trainingRows = 8000;
const backgroundRows = 100;
/** Rows that the slow ones are timed on; their time goes with the rows. */
const slowRows = 20;
const leanRows = 100;

/** Rows in float32's numbers, since scikit-learn rounds to them. */
function rowsOf(random, n) {
  return Float64Array.from({ length: n * columns }, () => Math.fround(random.normal()));
}

function targetOf(rows, random) {
  return Array.from({ length: rows.length / columns }, (_, r) => {
    const x = rows.subarray(r * columns, (r + 1) * columns);
    let y = random.normal();
    for (let c = 0; c < columns; c += 2) y += x[c] * x[c + 1] + Math.sin(2 * x[c]);
    return y;
  });
}

/** Full trees of random questions, where no Python grows a forest. */
function grownAtRandom(random) {
  const nodes = [];
  const grow = (below) => {
    const at = nodes.length;
    nodes.push({
      feature: -1,
      threshold: 0,
      left: -1,
      right: -1,
      value: random.normal(),
      cover: 1 + random.integer(9),
    });
    if (below === 0) return at;
    const left = grow(below - 1);
    const right = grow(below - 1);
    const cover = nodes[left].cover + nodes[right].cover;
    Object.assign(nodes[at], {
      feature: random.integer(columns),
      threshold: 0.7 * random.normal(),
      left,
      right,
      cover,
    });
    return at;
  };
  const roots = Array.from({ length: treeCount }, () => grow(depth));
  const of = (key) => nodes.map((node) => node[key]);
  return ensembleOf({
    roots,
    feature: of('feature'),
    threshold: of('threshold'),
    left: of('left'),
    right: of('right'),
    value: of('value'),
    cover: of('cover'),
  });
}

function ensembleOf({ roots, feature, threshold, left, right, value, cover }) {
  return {
    roots: Int32Array.from(roots),
    feature: Int32Array.from(feature),
    threshold: Float64Array.from(threshold),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    missingLeft: new Uint8Array(feature.length),
    value: Float64Array.from(value),
    cover: Float64Array.from(cover),
    base: 0,
  };
}

/**
 * The recursion without a copy of an object: the path in flat arrays, a level a slice, and the sum of an unwound path taken without
 * unwinding it, as shap's C code does it.
 */
export function flatRecursion(ensemble, rows) {
  const { feature, threshold, left, right, value, cover } = ensemble;
  const values = new Float64Array(rows.length);
  const width = depth + 2;
  const size = (width * (width + 1)) / 2 + width;
  const asked = new Int32Array(size);
  const zero = new Float64Array(size);
  const one = new Float64Array(size);
  const weight = new Float64Array(size);
  const recurse = (at, node, from, length, start, pz, po, pi) => {
    for (let i = 0; i < length; i++) {
      asked[start + i] = asked[from + i];
      zero[start + i] = zero[from + i];
      one[start + i] = one[from + i];
      weight[start + i] = weight[from + i];
    }
    let l = length;
    asked[start + l] = pi;
    zero[start + l] = pz;
    one[start + l] = po;
    weight[start + l] = l === 0 ? 1 : 0;
    for (let i = l - 1; i >= 0; i--) {
      weight[start + i + 1] += (po * weight[start + i] * (i + 1)) / (l + 1);
      weight[start + i] = (pz * weight[start + i] * (l - i)) / (l + 1);
    }
    if (feature[node] < 0) {
      for (let i = 1; i <= l; i++) {
        const z = zero[start + i];
        const o = one[start + i];
        let next = weight[start + l];
        let total = 0;
        for (let j = l - 1; j >= 0; j--) {
          if (o !== 0) {
            const held = (next * (l + 1)) / ((j + 1) * o);
            total += held;
            next = weight[start + j] - (held * z * (l - j)) / (l + 1);
          } else total += (weight[start + j] * (l + 1)) / (z * (l - j));
        }
        values[at + asked[start + i]] += total * (o - z) * value[node];
      }
      return;
    }
    const c = feature[node];
    const goes = rows[at + c] <= threshold[node];
    const hot = goes ? left[node] : right[node];
    const cold = goes ? right[node] : left[node];
    let oldZero = 1;
    let oldOne = 1;
    let k = 1;
    while (k <= l && asked[start + k] !== c) k++;
    if (k <= l) {
      oldZero = zero[start + k];
      oldOne = one[start + k];
      let next = weight[start + l];
      for (let j = l - 1; j >= 0; j--) {
        if (oldOne !== 0) {
          const held = weight[start + j];
          weight[start + j] = (next * (l + 1)) / ((j + 1) * oldOne);
          next = held - (weight[start + j] * oldZero * (l - j)) / (l + 1);
        } else weight[start + j] = (weight[start + j] * (l + 1)) / (oldZero * (l - j));
      }
      for (let j = k; j < l; j++) {
        asked[start + j] = asked[start + j + 1];
        zero[start + j] = zero[start + j + 1];
        one[start + j] = one[start + j + 1];
      }
      l--;
    }
    const following = start + l + 1;
    recurse(at, hot, start, l + 1, following, (oldZero * cover[hot]) / cover[node], oldOne, c);
    recurse(at, cold, start, l + 1, following, (oldZero * cover[cold]) / cover[node], 0, c);
  };
  for (let at = 0; at < rows.length; at += columns) {
    for (const root of ensemble.roots) recurse(at, root, 0, 0, 0, 1, 1, -1);
  }
  return values;
}

/** A Python with scikit-learn, and whether it has shap too. */
function findPython() {
  const found = [];
  for (const python of [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter(Boolean)) {
    for (const modules of ['sklearn, shap', 'sklearn']) {
      try {
        const version = execFileSync(python, ['-c', `import ${modules}; print(sklearn.__version__)`], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }).trim();
        found.push({ python, version, shap: modules.includes('shap') });
        break;
      } catch {
        // the next one may have it
      }
    }
  }
  return found.find(({ shap }) => shap) ?? found[0];
}

/** A process that answers questions, one JSON line each. */
function startPython(python) {
  const script = fileURLToPath(new URL('tree_shapley_sklearn.py', import.meta.url));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    return JSON.parse((await answers.next()).value);
  };
  return { ask, end: () => child.stdin.end() };
}

async function timed(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const apart = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

function row(name, ours, peer, target, met) {
  const ratio = peer / ours;
  return { case: name, ours: seconds(ours), peer: seconds(peer), ratio: times(ratio), target, met: met(ratio) };
}

export async function bench() {
  const title = 'Exact tree Shapley values';
  const random = new Random(7, 'bench/tree-shapley');
  const rows = rowsOf(random, rowCount);
  const background = rowsOf(random, backgroundRows);
  const found = findPython();
  const peer = found && startPython(found.python);
  let ensemble;
  if (peer) {
    const train = rowsOf(random, trainingRows);
    const grown = await peer.ask({
      ask: 'train',
      x: [...train],
      y: targetOf(train, random),
      columns,
      trees: treeCount,
      depth,
      rows: [...rows],
      background: [...background],
    });
    ensemble = ensembleOf(grown);
  } else ensemble = grownAtRandom(random);
  const leaves = ensemble.feature.reduce((count, c) => count + Number(c < 0), 0);

  const ours = () => finish(treeShapley(ensemble, rows, { columns })).values;
  const oursAgainst = () => finish(treeShapley(ensemble, rows, { columns, background })).values;
  const values = ours();
  const valuesAgainst = oursAgainst();
  const few = rows.subarray(0, slowRows * columns);
  const some = rows.subarray(0, leanRows * columns);
  const published = recursiveTreeShapley(ensemble, few, columns);
  const flat = flatRecursion(ensemble, some);
  const shapValues = found?.shap && (await peer.ask({ ask: 'shap' }));
  const shapAgainst = found?.shap && (await peer.ask({ ask: 'shap against' }));
  if (peer) await peer.ask({ ask: 'predict' });
  const medians = await inTurns(5, {
    ours: () => timed(ours),
    against: () => timed(oursAgainst),
    published: async () => (rowCount / slowRows) * (await timed(() => recursiveTreeShapley(ensemble, few, columns))),
    flat: async () => (rowCount / leanRows) * (await timed(() => flatRecursion(ensemble, some))),
    ...(peer && { predict: async () => (await peer.ask({ ask: 'predict' })).seconds }),
    ...(found?.shap && {
      shap: async () => (await peer.ask({ ask: 'shap' })).seconds,
      shapAgainst: async () => (await peer.ask({ ask: 'shap against' })).seconds,
    }),
  });
  peer?.end();

  const setting = `${rowCount.toLocaleString('en')} rows, ${treeCount} trees of depth ${depth}, ${columns} features`;
  const notes = [
    `${setting}, ${leaves.toLocaleString('en')} leaves, ${
      peer
        ? `a forest grown by scikit-learn ${found.version} on ${trainingRows.toLocaleString('en')} rows`
        : 'full trees of random questions'
    }; everything on one thread. The plain recursive formulation is Algorithm 2 of arXiv:1802.03888 as published, in TypeScript, with a copied path of ` +
      `objects a node; it is timed on ${slowRows} of the rows, and the same recursion with its path in flat arrays and nothing copied but those, as shap’s C ` +
      `code has it, on ${leanRows}: both grow with the rows. The exponential definition (Algorithm 1) is out of reach.`,
    'Ours makes for each leaf a table over the sets of players that agree with it, by two subset sums: d 2^d additions a leaf, then a look-up and an addition a ' +
      'row and player, half as many where two leaves share a table. The recursion takes about d² steps a row and leaf, so does shap; Linear TreeSHAP ' +
      'd a node but with a division each, which is what we take for paths of many players.',
    `Largest differences: from the recursion ${apart(published, values).toExponential(1)}, in flat arrays ${apart(flat, values).toExponential(1)}` +
      (shapValues
        ? `, from shap ${apart(shapValues.values, values).toExponential(1)}, against a background ${apart(shapAgainst.values, valuesAgainst).toExponential(1)}.`
        : '; Python’s shap: skipped, there is no Python that has it (PYTHON names one).'),
  ];
  const result = [
    row(`${setting}, against the plain recursion`, medians.ours, medians.published, 'at least 20×', (r) => r >= 20),
    row('against the recursion in flat arrays', medians.ours, medians.flat, '', () => null),
  ];
  if (peer) {
    result.push(
      row(
        'against 200 × scikit-learn’s predict',
        medians.ours,
        200 * medians.predict,
        'at least 0.5×',
        (r) => r >= 0.5,
      ),
    );
  } else notes.push('scikit-learn: skipped, there is no Python that has it.');
  if (found?.shap) {
    result.push(row('against Python’s shap, path-dependent', medians.ours, medians.shap, '', () => null));
    result.push(
      row(
        `against Python’s shap, a background of ${backgroundRows} rows`,
        medians.against,
        medians.shapAgainst,
        '',
        () => null,
      ),
    );
  }
  return { title, notes, rows: result };
}
