import { matrix } from '../../../test/matrix.ts';
import { type Collection, collect } from '../../subjects/document/collection.ts';

const empty: Collection = { language: 'en', documents: [], sentences: [] };

matrix('text', [
  { what: 'no document', load: async () => collect([]), message: /there is no document/ },
  {
    what: 'a document of white space',
    load: async () => collect([{ name: 'blank', text: ' \n\n\t' }]),
    message: /blank holds no sentence/,
  },
  { what: 'a collection without a sentence', load: async () => empty, message: /\bno\b/ },
]);
