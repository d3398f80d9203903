/** @file Lists of indices, held one after the other (compressed rows): the words of each term, the neighbours of each word. */

/** List i has the entries `offsets[i]` to `offsets[i + 1]` of `indices`. */
export interface IndexLists {
  /** Shape [lists + 1]. */
  readonly offsets: Uint32Array;
  readonly indices: Uint32Array;
}

/** Index lists from a list of lists. */
export function indexLists(lists: readonly ArrayLike<number>[]): IndexLists {
  const offsets = new Uint32Array(lists.length + 1);
  lists.forEach((list, i) => {
    offsets[i + 1] = offsets[i] + list.length;
  });
  const indices = new Uint32Array(offsets[lists.length]);
  lists.forEach((list, i) => {
    indices.set(list, offsets[i]);
  });
  return { offsets, indices };
}

/** The entries of list i, as a view. */
export function listOf({ offsets, indices }: IndexLists, i: number): Uint32Array {
  return indices.subarray(offsets[i], offsets[i + 1]);
}
