import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogue } from './catalogue.ts';
import { type Claim, claim, printRule } from './core/claim.ts';
import { type LedgerEntry, readLedger, restateLedger, writeLedger } from './ledger.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const committed = await readLedger(join(root, 'claims.json'));
const order = catalogue.map(({ id }) => id);
const claimed = catalogue.filter(({ claim }) => claim);

/** Parts on data that lies beside the repository are declared only where that data is; these claims have some. */
const dataIsThere = existsSync(join(root, '../shared/data'));
const onThatData = ['semre-rank', 'responsiveness', 'rashomon-fis', 'kan-select', 'shapley-workflow', 'vog', 'gais'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salience-ledger-'));
});
afterEach(() => rm(folder, { recursive: true }));

const wordsOf = (parts: readonly { id: string; says: string; role: string; rule: string; reported?: object }[]) =>
  parts.map(({ id, says, role, rule, reported }) => ({ id, says, role, rule, reported }));

const declared = ({ parts }: Claim) => wordsOf(parts.map((part) => ({ ...part, rule: printRule(part.rule) })));

describe('the ledger of the repository', () => {
  it('has an entry for each claim of the catalogue and no other, in its order', () => {
    expect(committed.map(({ method }) => method)).toEqual(claimed.map(({ id }) => id));
  });

  it.each(claimed)(
    'says of $id what its claim says: seeds, headline, and of each part rule and words',
    async (entry) => {
      const now = await entry.claim!();
      const then = committed.find(({ method }) => method === entry.id)!;
      expect(now.method).toBe(entry.id);
      expect(then.seeds).toEqual(now.seeds);
      expect(then.headline).toBe(now.headline);
      expect(then.unjudged).toBe(now.unjudged);
      if (dataIsThere || !onThatData.includes(entry.id)) {
        expect(wordsOf(then.parts)).toEqual(declared(now));
        expect(then.setting).toBe(now.setting);
      } else {
        const ids = new Set(now.parts.map(({ id }) => id));
        expect(wordsOf(then.parts.filter(({ id }) => ids.has(id)))).toEqual(declared(now));
      }
    },
  );

  it('is the same in CLAIMS.md', async () => {
    await copyFile(join(root, 'claims.json'), join(folder, 'claims.json'));
    await writeLedger(folder, [], order);
    for (const file of ['claims.json', 'CLAIMS.md'])
      expect(await readFile(join(folder, file), 'utf8')).toBe(await readFile(join(root, file), 'utf8'));
  });
});

describe('restating the ledger', () => {
  const made = (method: string, words: Partial<Claim> = {}) =>
    claim({
      method,
      headline: `${method} is good`,
      setting: 'a table',
      seeds: [1],
      parts: [{ id: 'good', says: 'good', role: 'headline', rule: { of: 'a', atLeast: 0 } }],
      measure: async () => ({ a: 1 }),
      ...words,
    });
  const entryOf = (method: string): LedgerEntry => ({
    method,
    headline: `${method} is good`,
    setting: 'a table',
    seeds: [1],
    parts: [
      { id: 'good', says: 'good', role: 'headline', rule: 'a ≥ 0', mean: 1, low: 1, high: 1, verdict: 'reproduced' },
    ],
    measurements: { a: [1] },
    seconds: 2,
    date: '2026-01-31',
    versions: { salience: '0.0.1', node: '20.0.0' },
  });
  beforeEach(() => writeLedger(folder, [entryOf('one'), entryOf('two')], ['one', 'two']));
  const files = () => Promise.all(['claims.json', 'CLAIMS.md'].map((file) => readFile(join(folder, file), 'utf8')));

  it('says what was worded otherwise, and keeps numbers, date and versions', async () => {
    const reported = { figure: '+1', setting: 'a larger table', source: 'text' };
    const parts = [{ ...made('two').parts[0], says: 'better', reported }];
    const changed = await restateLedger(
      folder,
      [made('one'), made('two', { setting: 'a chair', parts })],
      ['one', 'two'],
    );
    expect([...changed]).toEqual([
      ['one', []],
      ['two', ['setting', 'what part good says', 'what the paper reports for part good']],
    ]);
    const old = entryOf('two');
    expect(await readLedger(join(folder, 'claims.json'))).toEqual([
      entryOf('one'),
      { ...old, setting: 'a chair', parts: [{ ...old.parts[0], says: 'better', reported }] },
    ]);
    expect((await files())[1]).toContain(
      '| better | headline | a ≥ 0 | +1 (a larger table; text) | 1 | 1 to 1 | **reproduced** |',
    );
  });

  it('writes nothing where one claim of several must be run', async () => {
    const before = await files();
    const other = made('two', { seeds: [1, 2] });
    await expect(restateLedger(folder, [made('one', { headline: 'new' }), other], [])).rejects.toThrow(
      'claim two: the seeds were "1" when it was run, and now "1, 2": it must be run again',
    );
    await expect(restateLedger(folder, [made('one', { headline: 'new' }), made('three')], [])).rejects.toThrow(
      /claims\.json has no entry on three: the claim must be run/,
    );
    expect(await files()).toEqual(before);
  });
});
