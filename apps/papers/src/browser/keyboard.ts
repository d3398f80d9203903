/** @file Reading by keyboard: j and k from paper to paper, one key or two for what says so in `data-key`. */

import { remembered } from './remembering.ts';

/** How long the second key of "g t" is waited for, in milliseconds. */
const patience = 1500;

/** Whether what has the focus takes letters for itself. */
function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

/** Moves the focus to the title of the next paper or, at -1, of the one before; from outside the list, to one in sight. */
function step(by: 1 | -1): void {
  const titles = [...document.querySelectorAll<HTMLElement>('.paper .paper-title a')];
  if (titles.length === 0) return;
  const now = titles.findIndex((title) => title.closest('.paper')?.contains(document.activeElement));
  const inSight = titles.findIndex((title) => title.getBoundingClientRect().top >= 0);
  const next = now < 0 ? Math.max(inSight, 0) : Math.min(Math.max(now + by, 0), titles.length - 1);
  titles[next].focus({ preventScroll: true });
  titles[next].closest('.paper')?.scrollIntoView({ block: 'nearest' });
}

function press(keys: string): boolean {
  const meant = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(keys)}"]`);
  if (meant instanceof HTMLInputElement) {
    meant.focus();
    meant.select();
  } else {
    meant?.click();
  }
  return meant !== null;
}

let before = '';
let since = 0;

addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (key === 'Escape' && target instanceof HTMLInputElement && target.dataset.key === '/') target.blur();
  if (key.length !== 1 || typing(target) || remembered('shortcuts') === 'off') return;
  if (document.querySelector('dialog[open]')) return;
  const together = before && event.timeStamp - since < patience ? `${before} ${key}` : key;
  before = key === 'g' && together === 'g' ? 'g' : '';
  since = event.timeStamp;
  if (before) return;
  const open = document.activeElement?.closest('.paper')?.querySelector<HTMLElement>('.paper-title a');
  let done = true;
  if (together === 'j') step(1);
  else if (together === 'k') step(-1);
  else if (together === 'o' && open) open.click();
  else done = press(together);
  if (done) event.preventDefault();
});
