/** @file What a person typed into the search field. */

export interface Query {
  /** What stands between quotes, spaces folded. */
  readonly phrases: readonly string[];
  /** Everything else, without punctuation at its ends. */
  readonly words: readonly string[];
  /** Whether the last word may be the beginning of one. */
  readonly open: boolean;
}

const longest = 400;
const mostWords = 32;

/** Reads a query: "words in quotes" are phrases, a quote without its other is none. What is over 400 characters is not read. */
export function readQuery(text: string): Query {
  const q = text
    .slice(0, longest)
    .normalize('NFKC')
    .replace(/[“”„«»]/g, '"')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: PostgreSQL takes no zero, and nobody types the others
    .replace(/[\u0000-\u001f\u007f\ud800-\udfff]/g, ' ');
  const phrases: string[] = [];
  const rest = q.replace(/"([^"]*)"/g, (_, phrase: string) => {
    const folded = phrase.replace(/\s+/g, ' ').trim();
    if (/[\p{L}\p{N}]/u.test(folded) && phrases.length < 8) phrases.push(folded);
    return ' " ';
  });
  const words = rest
    .split(/\s+/)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''))
    .filter((word) => word !== '')
    .slice(0, mostWords);
  return { phrases, words, open: /[\p{L}\p{N}]$/u.test(rest) };
}

/** The words of a text as they are written: runs of letters and digits, NFKC-folded, in lower case. */
export function surfaceWords(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}
