import { describe, expect, it } from 'vitest';
import { authorKey, paperId, readArxivId, readDoi, readPaperId, titleKey } from './identity.ts';

describe('identity', () => {
  it('of a title does not depend on capitals, punctuation or the form of its letters', () => {
    expect(titleKey('LISA: Layerwise  Importance')).toBe(titleKey('lisa – layerwise importance.'));
    expect(titleKey('ﬁne tuning')).toBe(titleKey('fine tuning'));
    expect(titleKey('Größe')).not.toBe(titleKey('Große'));
    expect(titleKey('注意力')).toMatch(/^paper-[0-9a-f]{8}$/);
  });
  it('of an author does not depend on accents and dots', () => {
    expect(authorKey('Günes Erkan')).toBe('gunes-erkan');
    expect(authorKey('J. R. R. Tolkien')).toBe('j-r-r-tolkien');
    expect(authorKey('王伟')).toBe('王伟');
  });
  it.each([
    ['2410.11772', { id: '2410.11772' }],
    ['arXiv:2410.11772v2', { id: '2410.11772', version: 2 }],
    ['http://arxiv.org/abs/cs/0112017v1', { id: 'cs/0112017', version: 1 }],
    ['math.GT/0309136', { id: 'math/0309136' }],
    ['https://arxiv.org/pdf/2410.11772v1.pdf', { id: '2410.11772', version: 1 }],
    ['10.48550/arXiv.2410.11772', { id: '2410.11772' }],
    ['10.1007/s007999900023', undefined],
    ['not one', undefined],
  ])('of arXiv is read from %s', (text, id) => {
    expect(readArxivId(text)).toEqual(id);
  });
  it('of a DOI is read with or without the resolver', () => {
    expect(readDoi('https://doi.org/10.1007/S007999900023')).toBe('10.1007/s007999900023');
    expect(readDoi('doi: 10.1007/s007999900023')).toBe('10.1007/s007999900023');
    expect(readDoi('11.1007/x')).toBeUndefined();
  });
  it('in an address leads back to what it was made from', () => {
    const none = { arxiv: null, doi: null, titleKey: 'k' };
    expect(readPaperId(paperId({ ...none, arxiv: 'hep-th/9901001' })).ids[0]).toBe('hep-th-9901001');
    expect(readPaperId(paperId({ ...none, doi: '10.1000/a/b_c' })).doi).toBe('10.1000/a/b_c');
    expect(readPaperId('2410.11772v2').ids[0]).toBe('2410.11772');
  });
});
