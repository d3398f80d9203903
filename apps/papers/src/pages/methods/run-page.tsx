/** @file The page of a run: its state, its progress, its report, and how to do the same in a terminal. */

import { raw } from 'hono/html';
import type { MethodCard } from '../../runs/cards.ts';
import { commandLine } from '../../runs/command-line.ts';
import { inputInWords } from '../../runs/inputs.ts';
import type { RunRow } from '../../runs/queue.ts';
import { asFields } from '../../runs/request.ts';
import type { RunResult } from '../../runs/result.ts';
import { isOver } from '../../runs/watch.ts';
import type { Asked } from '../context.ts';
import { CsrfField, counted, page } from '../layout.tsx';
import { runPanelModule } from './panel.tsx';
import { pictureOfBlock } from './pictures.ts';
import { ReportView } from './report.tsx';
import type { PictureOf } from './report-tree.ts';

declare module 'hono/jsx' {
  namespace JSX {
    interface IntrinsicElements {
      'run-progress': Record<string, unknown>;
    }
  }
}

/** The result of a run that is done. */
export function resultOf({ state, report }: Pick<RunRow, 'state' | 'report'>): RunResult | undefined {
  return state === 'done' ? (report as RunResult) : undefined;
}

/** Where the pictures of a run's report are, drawn so that their sizes are known. */
export async function picturesOf({ id }: Pick<RunRow, 'id'>, { blocks }: RunResult): Promise<PictureOf> {
  const pictures = await Promise.all(blocks.map((block, n) => pictureOfBlock(`run ${id} ${n}`, block)));
  return (n) => {
    const picture = pictures[n];
    return picture && { href: `/runs/${id}/charts/${n}.svg`, width: picture.width, height: picture.height };
  };
}

/** "40% (2 of 5)". */
function progressInWords({ done, total }: { done: number; total?: number }): string {
  return total ? `${Math.floor((100 * done) / total)}% (${done} of ${total})` : String(done);
}

const states: Readonly<Record<RunRow['state'], string>> = {
  queued: 'Waiting',
  running: 'Running',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

export async function runPage(
  c: Asked,
  { row, card, before, mayCancel }: { row: RunRow; card: MethodCard; before: number; mayCancel: boolean },
) {
  const { id, state, error, input, params, options, budget, seed, progress } = row;
  const { method } = card;
  const result = resultOf(row);
  const over = isOver(row);
  const pictures = result && (await picturesOf(row, result));
  const again = new URLSearchParams({
    ...asFields('p.', params),
    ...asFields('o.', input.kind === 'file' ? options : {}),
    budget: budget ?? '',
    seed: String(seed),
  });
  const seconds =
    row.started && row.finished ? ((row.finished.getTime() - row.started.getTime()) / 1000).toFixed(1) : undefined;
  const made = input.kind === 'sample' && ['prompt', 'table', 'dataset', 'preferences'].includes(method.subject.kind);
  return page(
    c,
    { title: `${method.name}: a run`, at: 'methods', unlisted: true, modules: [runPanelModule] },
    <article>
      <h1>
        <a href={`/methods/${method.id}`}>{method.name}</a>
      </h1>
      <p class="meta">
        {states[state]}
        {` · on ${inputInWords(method.subject.kind, input)} · budget ${budget} · seed ${seed}`}
        {seconds !== undefined && state === 'done' && ` · ${seconds} s`}
      </p>
      {!over && (
        <run-progress data-run={id}>
          {/* Raw, since an element "meta" would be moved to the head and out of its noscript. */}
          <noscript>{raw('<meta http-equiv="refresh" content="3">')}</noscript>
          <p role="status">
            {state === 'queued'
              ? before === 0
                ? 'It is the next to run.'
                : `${counted(before, 'run')} before it.`
              : progress
                ? `${progress.what}: ${progressInWords(progress)}`
                : 'It has begun.'}
          </p>
          {progress?.total ? (
            <progress value={progress.done} max={progress.total} aria-label={progress.what} />
          ) : (
            <progress aria-label="progress" />
          )}
          <div class="row">
            <a class="button" href={`/runs/${id}`}>
              Refresh
            </a>
            {mayCancel && (
              <form method="post" action={`/runs/${id}/cancel`}>
                <CsrfField c={c} />
                <button class="button" type="submit">
                  Cancel
                </button>
              </form>
            )}
          </div>
        </run-progress>
      )}
      {state === 'failed' && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {state === 'cancelled' && <p class="notice">It was cancelled; nothing was kept.</p>}
      {result && <ReportView report={result} pictureOf={pictures} />}
      <section aria-labelledby="same">
        <h2 id="same">The same in a terminal</h2>
        <pre class="command">
          <code>{commandLine(card, row)}</code>
        </pre>
        {made && (
          <p class="meta">
            The sample here is made in memory or shortened; the line runs on the bundled file of its kind.
          </p>
        )}
        <p>
          <a href={`/methods/${method.id}?${again}#run`}>Run it again with other parameters</a>
        </p>
      </section>
    </article>,
  );
}
