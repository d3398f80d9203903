import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import { isStream } from '../../core/scores.ts';
import { select } from '../../core/select.ts';
import type { Collection } from '../../subjects/document/collection.ts';
import { document } from '../../subjects/document/document.ts';
import { basic } from './basic.ts';
import { cValue } from './c-value.ts';
import { comboBasic } from './combo-basic.ts';
import { rake } from './rake.ts';
import { tfIdf } from './tf-idf.ts';
import { weirdness } from './weirdness.ts';

function collectionOf(texts: readonly string[], language = 'en'): Collection {
  const documents = texts.map((text, document) => ({
    name: `document ${document}`,
    sentences: [{ text, document, position: 0 }],
  }));
  return { language, documents, sentences: documents.flatMap(({ sentences }) => sentences) };
}

const collection = collectionOf([
  'A soft contact lens, the soft contact lens and a lens.',
  'The soft contact lens; contact lens care, a contact lens.',
]);

const methods = { tfIdf, cValue, rake, weirdness, basic, comboBasic };
type Name = keyof typeof methods;

async function scored(name: Name, given: Record<string, unknown> = {}, of = collection) {
  const method = methods[name];
  const scores = await method.score(of, parseParams(method, given) as never, new Run());
  if (isStream(scores) || !scores.labels) throw new Error('term scores come in one piece, with labels');
  return scores;
}

describe.each(Object.keys(methods) as Name[])('%s', (name) => {
  it('scores every candidate term once, in alphabetical order', async () => {
    const { unit, values, labels } = await scored(name);
    expect(unit).toBe('term');
    expect(labels).toEqual(['contact lens', 'lens', 'soft contact lens']);
    expect(values.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
  });

  it('does not depend on the order of the documents', async () => {
    const turned = collectionOf(collection.documents.map(({ sentences }) => sentences[0].text).toReversed());
    expect((await scored(name, {}, turned)).values).toEqual((await scored(name)).values);
  });

  it('keeps terms of a document, the best first', async () => {
    const scores = await scored(name);
    const report = await document.keep(
      collection,
      { scores, selection: select(scores, 2) },
      { force: false },
      new Run(),
    );
    const [table] = report.blocks;
    expect(table.kind === 'table' && table.rows.length).toBe(2);
  });
});

const expectClose = (actual: Float32Array, expected: number[]) => {
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, 5);
  });
};

// Frequencies: contact lens 5, lens 6, soft contact lens 3; each in both documents.
it('tf-idf of the lenses is frequency times ln(3/2)', async () => {
  expectClose(
    (await scored('tfIdf')).values,
    [5, 6, 3].map((f) => f * Math.log(1.5)),
  );
});

it('C-value of the lenses takes off the longer terms', async () => {
  expectClose((await scored('cValue')).values, [Math.log2(3) * (5 - 3), 6 - (5 + 3) / 2, Math.log2(4) * 3]);
});

it('RAKE of the lenses adds up the degrees of the words in their phrases', async () => {
  // Phrases: soft contact lens ×3, lens, contact lens care, contact lens. Soft 9/3, contact 14/5, lens 15/6.
  expectClose((await scored('rake')).values, [14 / 5 + 15 / 6, 15 / 6, 3 + 14 / 5 + 15 / 6]);
});

it('Basic and ComboBasic of the lenses count the terms around and within', async () => {
  const plain = [2 * Math.log(5), Math.log(6), 3 * Math.log(3)];
  expectClose((await scored('basic')).values, [plain[0] + 0.72, plain[1], plain[2]]);
  expectClose((await scored('basic', { alpha: 2 })).values, [plain[0] + 2, plain[1], plain[2]]);
  expectClose((await scored('comboBasic')).values, [plain[0] + 0.75 + 0.1, plain[1], plain[2] + 0.2]);
});

it('weirdness compares with the background where there is one', async () => {
  // Here soft 3, contact 5 and lens 6 of 21 words; in the background contact 2 of 3, and one more for each of 7 words.
  const background = collectionOf(['contact me, contact']);
  const { values } = await scored('weirdness', {}, { ...collection, background });
  const words = 21;
  const total = 3 + 7;
  const [soft, contact, lens] = [3 / words / (1 / total), 5 / words / (3 / total), 6 / words / (1 / total)];
  expectClose(values, [Math.sqrt(contact * lens), lens, Math.cbrt(soft * contact * lens)]);
});

it('weirdness asks for a background in a language without frequencies', async () => {
  const german = collectionOf(['das Netz, ein Netz'], 'de');
  await expect(scored('weirdness', {}, german)).rejects.toThrow('give a background');
});

it('term scores refuse a collection without terms, and parameters out of range', async () => {
  await expect(scored('tfIdf', {}, collectionOf(['the and of']))).rejects.toThrow('lower minFrequency');
  expect(() => parseParams(tfIdf, { maxWords: 0 })).toThrow('tf-idf: parameter maxWords');
  expect(() => parseParams(basic, { alpha: -1 })).toThrow('basic: parameter alpha');
});
