import { matrix } from '../../../test/matrix.ts';
import { Run } from '../../core/run.ts';
import { table } from '../../subjects/table/subject.ts';
import { type Table, tableInMemory } from '../../subjects/table/table.ts';

/** The sample with another column or target. */
async function changed(change: (sample: Table) => Partial<Table>): Promise<Table> {
  const sample = await table.sample(new Run());
  return { ...sample, ...change(sample) };
}

matrix('features', [
  {
    what: 'a table without a row',
    load: async () => tableInMemory([]),
    message: /a table needs a column and a row/,
  },
  {
    what: 'a table without a target',
    except: ['random-features'],
    load: () => changed(() => ({ target: undefined })),
    message: /target/,
  },
  {
    what: 'a target of one class',
    except: ['random-features'],
    load: () => changed(({ target, rows }) => ({ target: { ...target!, values: new Float64Array(rows) } })),
    message: /one and the same|training rows are all|one class|only one/,
  },
  {
    what: 'a target that is no number',
    except: ['random-features'],
    load: () =>
      changed(({ target, rows }) => ({ target: { ...target!, values: new Float64Array(rows).fill(Number.NaN) } })),
    message: /row \d+ has no value of/,
  },
]);
