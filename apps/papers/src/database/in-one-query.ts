/** @file Reading by key: all that is asked for in one turn of the event loop, by whomever, is read in one query. */

import DataLoader from 'dataloader';
import type { Database } from './connect.ts';

/**
 * Reads values by their keys, `undefined` where there is none; nothing is kept.
 * @param read gives the values of different keys.
 */
export function inOneQuery<Value>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): DataLoader<string, Value | undefined> {
  return new DataLoader(
    async (keys) => {
      const found = await read([...new Set(keys)]);
      return keys.map((key) => found.get(key));
    },
    // Requests that came together are read in the same turn, but not in the same tick.
    { cache: false, batchScheduleFn: (callback) => setImmediate(callback) },
  );
}

/** The same for readers of whichever database they name. */
export function inOneQueryOf<Value>(
  read: (database: Database, keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): (database: Database, key: string) => Promise<Value | undefined> {
  const loaders = new WeakMap<Database, DataLoader<string, Value | undefined>>();
  return (database, key) => {
    let loader = loaders.get(database);
    if (!loader) {
      loader = inOneQuery((keys) => read(database, keys));
      loaders.set(database, loader);
    }
    return loader.load(key);
  };
}
