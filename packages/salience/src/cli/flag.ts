/** @file Names of flags. */

/** The flag of a parameter: stopWords → --stop-words. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
