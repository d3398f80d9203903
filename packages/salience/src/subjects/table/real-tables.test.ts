import { describe, expect, it } from 'vitest';
import { realTable, realTablesPresent } from './real-tables.ts';

const present = realTablesPresent();
const skipped = present ? '' : ' (skipped without ../shared)';

describe('the real tables', () => {
  it.skipIf(!present).each([
    ['german-credit', 1000, 61, 2],
    ['fico-heloc', 9871, 23, 2],
    ['compas', 7214, 8, 2],
    ['digits', 1797, 64, 10],
    ['wine', 178, 13, 3],
    ['diabetes', 442, 10, undefined],
  ] as const)(`%s has %i rows, %i features and %s classes${skipped}`, async (name, rows, features, classes) => {
    const table = await realTable(name);
    expect(table).toMatchObject({ name, rows });
    expect(table.columns).toHaveLength(features);
    expect(table.target?.levels?.length).toBe(classes);
    expect(table.train.length + table.test.length).toBe(rows);
  });

  it.skipIf(!present)(
    `the codes −7, −8 and −9 of HELOC are missing, rows of nothing else left out${skipped}`,
    async () => {
      const { columns, remarks } = await realTable('fico-heloc');
      expect(Math.min(...columns.flatMap(({ values }) => Array.from(values).filter((value) => value < 0)))).toBe(
        Infinity,
      );
      expect(remarks[0]).toBe('588 rows without any value are left out');
    },
  );

  it.skipIf(!present)(`COMPAS has neither its own score nor age in bins${skipped}`, async () => {
    const names = (await realTable('compas')).columns.map(({ name }) => name);
    expect(names).toEqual([
      'sex',
      'age',
      'race',
      'juv_fel_count',
      'juv_misd_count',
      'juv_other_count',
      'priors_count',
      'c_charge_degree',
    ]);
  });
});
