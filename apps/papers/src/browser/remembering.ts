/** @file What the browser remembers of a reader's choices; where storage is closed, until the page is left. */

/** The choice of that name, if one was made. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Remembers a choice, or forgets it where there is no value. */
export function remember(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // It lasts until the page is left.
  }
}
