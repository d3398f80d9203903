/** @file Names near to one that is not there, for messages. */

/** Up to three names within an edit distance of 2, or of a third of the asked one, nearest first; case does not count. */
export function nearest(asked: string, names: readonly string[]): string[] {
  const short = asked.slice(0, 100).toLowerCase();
  return names
    .map((name) => ({ name, distance: editDistance(short, name.slice(0, 100).toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.max(Math.min(2, short.length - 1), Math.floor(short.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Insertions, deletions and replacements that make one text of the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Uint32Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = new Uint32Array(b.length + 1);
    next[0] = i;
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
