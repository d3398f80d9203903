import { matrix } from '../../../test/matrix.ts';
import { datasetInMemory } from '../../subjects/dataset/dataset.ts';

const two = { classes: ['no', 'yes'], of: Uint32Array.of(0, 1, 0, 1) };

matrix('data', [
  {
    what: 'a dataset without an example',
    load: async () => datasetInMemory({ features: ['x'] }),
    message: /a dataset needs an example/,
  },
  {
    what: 'a feature that is no number',
    of: 'dataset',
    except: ['random-examples'],
    load: async () => datasetInMemory({ features: ['x'], values: Float32Array.of(1, 2, Number.NaN, 4), labels: two }),
    message: /example 2, column x is missing or no number/,
  },
  {
    what: 'a margin that is no number',
    of: 'preferences',
    load: async () =>
      datasetInMemory({
        pairs: [
          { prompt: 'a', chosen: 'b', rejected: 'c' },
          { prompt: 'd', chosen: 'e', rejected: 'f' },
        ],
        columns: { chosen_reward: [1, Number.NaN], rejected_reward: [0, 0] },
      }),
    message: /pair 1 has null in column chosen_reward/,
  },
]);
