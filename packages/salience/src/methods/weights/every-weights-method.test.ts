import { join } from 'node:path';
import { f32, safetensors, temporaryFolder, writeFiles } from '../../../test/made-safetensors.ts';
import { matrix } from '../../../test/matrix.ts';
import { openCheckpoint } from '../../models/checkpoint/checkpoint-files.ts';

const folder = temporaryFolder();
writeFiles(folder, {
  'vector.safetensors': safetensors([f32('bias', [4], [1, 2, 3, 4])]),
  'nan.safetensors': safetensors([f32('w', [2, 2], [1, Number.NaN, 3, 4])]),
  'infinite.safetensors': safetensors([f32('w', [2, 2], [1, 2, Number.NEGATIVE_INFINITY, 4])]),
});
const open = (name: string) => () => openCheckpoint(join(folder, name));

matrix('weights', [
  {
    what: 'a checkpoint without a matrix',
    load: open('vector.safetensors'),
    message: /none of its 1 tensors is a weight matrix/,
  },
  { what: 'a NaN, naming it', load: open('nan.safetensors'), message: /w: .*weight 1 is NaN/ },
  { what: 'an infinity, naming it', load: open('infinite.safetensors'), message: /w: .*weight 2 is -?Infinity/ },
]);
