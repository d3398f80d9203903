/** @file Puts on the colours that the reader chose, before the page is drawn. A classic script: it imports nothing. */

try {
  const chosen = localStorage.getItem('color-scheme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.scheme = chosen;
} catch {
  // Storage is closed to this page; the system's colours stay.
}
