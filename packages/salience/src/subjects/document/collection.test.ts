import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { collect } from './collection.ts';

const texts = [
  { name: 'a', text: 'One. Two.' },
  { name: 'b', text: 'Three.' },
];

describe('collect', () => {
  it('numbers sentences by document and place, document after document', () => {
    const collection = collect(texts);
    expect(collection.sentences).toEqual([
      { text: 'One.', document: 0, position: 0 },
      { text: 'Two.', document: 0, position: 1 },
      { text: 'Three.', document: 1, position: 0 },
    ]);
    expect(collection.documents.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(collection.documents.flatMap(({ sentences }) => sentences)).toEqual(collection.sentences);
    expect(collection.language).toBe('en');
    expect('background' in collection).toBe(false);
  });

  it('carries its language and its background', () => {
    const background = collect([{ name: 'news', text: 'Der Turm.' }], { language: 'de' });
    const collection = collect([{ name: 'a', text: 'Am 3. Oktober.' }], { language: 'de', background });
    expect(collection.sentences).toHaveLength(1);
    expect(collection.background).toBe(background);
  });

  it('refuses no document, a document without a sentence, and what is no language', () => {
    expect(() => collect([])).toThrow(InputError);
    expect(() => collect([...texts, { name: 'c', text: ' … ' }])).toThrow(/^c holds no sentence$/);
    expect(() => collect(texts, { language: '' })).toThrow(ParameterError);
  });
});
