/** @file Partition of features into parts that no constraint ties together. */

/**
 * Connected components of n features under groups that tie them, transitively (union–find with path halving).
 * @returns parts in the order of their first feature, each ascending.
 */
export function partition(n: number, groups: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const parent = Uint32Array.from({ length: n }, (_, j) => j);
  const root = (j: number): number => {
    let at = j;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  };
  for (const group of groups) {
    for (const j of group) {
      const a = root(group[0]);
      const b = root(j);
      parent[Math.max(a, b)] = Math.min(a, b);
    }
  }
  const parts = new Map<number, number[]>();
  for (let j = 0; j < n; j++) {
    const r = root(j);
    const part = parts.get(r);
    if (part) part.push(j);
    else parts.set(r, [j]);
  }
  return [...parts.values()];
}
