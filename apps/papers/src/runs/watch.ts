/** @file Watching a run until it is over, wherever it runs. */

import type { Site } from '../site.ts';
import type { Progress } from './order.ts';
import { eventsOf, type RunRow, runOf } from './queue.ts';

/** Milliseconds between looks at the row; what happens in this process is told at once. */
const beat = 1000;

/** Whether nothing more will happen to a run. */
export function isOver({ state }: Pick<RunRow, 'state'>): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

export type Sight = Pick<RunRow, 'id' | 'state' | 'error'> & { readonly progress: Progress | null };

/**
 * A run's states as they change, the first at once, the last when it is over; nothing for an unknown id. Ends early by the signal.
 */
export async function* watchRun(site: Site, id: string, signal: AbortSignal): AsyncGenerator<Sight> {
  const events = eventsOf(site);
  let wake = () => {};
  let live: Progress | null = null;
  const onChange = () => wake();
  const onProgress = (progress: Progress) => {
    live = progress;
    wake();
  };
  events.on(id, onChange);
  events.on(`${id} progress`, onProgress);
  signal.addEventListener('abort', onChange);
  try {
    let told = '';
    while (!signal.aborted) {
      const row = await runOf(site, id);
      if (!row) return;
      const { state, error } = row;
      const sight: Sight = { id, state, error, progress: state === 'running' ? (live ?? row.progress) : null };
      const text = JSON.stringify(sight);
      if (text !== told) yield sight;
      told = text;
      if (isOver(row) || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, beat);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    events.off(id, onChange);
    events.off(`${id} progress`, onProgress);
    signal.removeEventListener('abort', onChange);
  }
}
