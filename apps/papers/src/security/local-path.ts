/** @file Where a reader is led after a form: to a path of this site, never elsewhere. */

/**
 * The path that a form or a query asks to be led to, or another where it is not one of this site.
 * @param asked as it came, e.g. "/papers/2410.11772?from=day#comments".
 */
export function localPath(asked: unknown, otherwise: string): string {
  // "//host" and "/\host" name another host to a browser, and so does what holds a tab or a line's end.
  if (typeof asked !== 'string' || asked.length > 2000 || !/^\/(?![/\\])[!-~]*$/.test(asked)) return otherwise;
  const here = 'http://here.invalid';
  if (!URL.canParse(asked, here)) return otherwise;
  const url = new URL(asked, here);
  if (url.origin !== here) return otherwise;
  const path = `${url.pathname}${url.search}${url.hash}`;
  return path.startsWith('//') ? otherwise : path;
}
