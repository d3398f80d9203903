import { join } from 'node:path';
import { type MadeLanguageModel, madeLanguageModel } from '../../../test/made-language-model.ts';
import { f32, safetensors, temporaryFolder, writeFiles } from '../../../test/made-safetensors.ts';
import { matrix } from '../../../test/matrix.ts';
import { Run } from '../../core/run.ts';
import { openCheckpoint } from '../../models/checkpoint/checkpoint-files.ts';
import { languageModel } from '../../subjects/language-model/language-model.ts';

const folder = temporaryFolder();
writeFiles(folder, {
  'vector.safetensors': safetensors([f32('bias', [4], [1, 2, 3, 4])]),
  'nan.safetensors': safetensors([f32('w', [2, 2], [1, Number.NaN, 3, 4])]),
  'infinite.safetensors': safetensors([f32('w', [2, 2], [1, 2, Number.NEGATIVE_INFINITY, 4])]),
});
const open = (name: string) => () => openCheckpoint(join(folder, name));

const made: Record<string, Promise<MadeLanguageModel>> = {};
const model = (name: string, broken?: number) => {
  made[name] ??= madeLanguageModel(join(folder, name), {
    alter: (weights) => {
      if (broken !== undefined) weights['model.layers.1.mlp.up_proj.weight'].data[7] = broken;
    },
  });
  return made[name];
};
const load = (name: string, broken?: number) => async () => {
  const { path, text } = await model(name, broken);
  return languageModel.load([path], { calibrate: text, samples: 5, length: 16 }, new Run());
};

matrix(
  'weights',
  [
    {
      what: 'a checkpoint without a matrix',
      of: 'checkpoint',
      load: open('vector.safetensors'),
      message: /none of its 1 tensors is a weight matrix/,
    },
    { what: 'a NaN, naming it', of: 'checkpoint', load: open('nan.safetensors'), message: /w: .*weight 1 is NaN/ },
    {
      what: 'an infinity, naming it',
      of: 'checkpoint',
      load: open('infinite.safetensors'),
      message: /w: .*weight 2 is -?Infinity/,
    },
    {
      what: 'a NaN in a language model, naming it',
      of: 'language-model',
      load: load('nan', Number.NaN),
      message: /model\.layers\.1\.mlp\.up_proj\.weight is NaN at 7/,
    },
    {
      what: 'an infinity in a language model, naming it',
      of: 'language-model',
      load: load('infinite', -Infinity),
      message: /model\.layers\.1\.mlp\.up_proj\.weight is -Infinity at 7/,
    },
  ],
  { 'language-model': load('sound') },
);
