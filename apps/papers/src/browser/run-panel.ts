/**
 * @file The Run panel in place: light methods run in this browser, others on the server with progress as it comes; the report appears
 * below the form, and the address becomes the run's. Without this file the form is posted and leads to the run's page.
 */

import type { Report } from 'salience/core';
import { reportTree, type Element as Tree, type Node as TreeNode } from '../pages/methods/report-tree.ts';
import type { Progress } from '../runs/order.ts';
import type { FromPanel, FromWorker } from './run-worker.ts';

type Told = Report & { readonly remarks?: readonly string[] };
type Picture = { readonly href: string; readonly width?: number; readonly height?: number };

interface ServerRun {
  readonly id: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly error?: string;
  readonly progress?: Progress;
  readonly report?: Told;
  /** The same in a terminal. */
  readonly command?: string;
  readonly pictures?: readonly (Picture | null)[];
}

/** Characters of a text that this browser is given to work on; longer ones go to the server. */
const longestHere = 1_000_000;

/** What a refusal means here, by its status. */
const refusals: Readonly<Record<number, string>> = {
  403: 'This form is no longer valid. Load the page again and send it once more.',
  413: 'That is larger than 5 MB, the most that is taken here.',
  429: 'Too many runs in a short time. Try again in some minutes.',
};

/** Nodes of a tree. No text is ever read as markup. */
function nodeOf(node: TreeNode): Node {
  if (typeof node === 'string') return document.createTextNode(node);
  const { tag, attributes, children }: Tree = node;
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.map(nodeOf));
  return made;
}

function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>>,
  ...children: (string | Node)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function inWords({ what, done, total }: Progress): string {
  return total ? `${what}: ${Math.floor((100 * done) / total)}% (${done} of ${total})` : `${what}: ${done}`;
}

/** A line and a bar that say how far a run is. */
class Meter {
  readonly line = make('p', { role: 'status' }, 'It is about to begin.');
  readonly bar = make('progress', { 'aria-label': 'progress' });

  show(text: string, progress?: Progress): void {
    if (this.line.textContent !== text) this.line.textContent = text;
    if (progress?.total) {
      this.bar.max = progress.total;
      this.bar.value = progress.done;
    } else this.bar.removeAttribute('value');
  }

  run({ state, progress }: ServerRun): void {
    if (state === 'queued') this.show('It waits for its turn.');
    else this.show(progress ? inWords(progress) : 'It has begun.', progress);
  }
}

/** Follows a run on the server until it is over. Where the stream is refused or breaks off, it asks from time to time. */
async function follow(id: string, meter: Meter, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const stream = new EventSource(`/runs/${id}/events`);
    const end = () => {
      stream.close();
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    stream.addEventListener('progress', ({ data }) => meter.run(JSON.parse(data)));
    stream.addEventListener('over', end);
    stream.addEventListener('error', () => {
      if (stream.readyState === EventSource.CLOSED) end();
    });
  });
}

async function resultOf(id: string): Promise<ServerRun> {
  const response = await fetch(`/runs/${id}/result.json`, { headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.json();
}

async function untilOver(id: string, meter: Meter, signal: AbortSignal): Promise<ServerRun> {
  for (;;) {
    await follow(id, meter, signal);
    const run = await resultOf(id);
    if ((run.state !== 'queued' && run.state !== 'running') || signal.aborted) return run;
    meter.run(run);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

/** What is wrong with the form, by the names of its inputs. */
class WrongForm extends Error {
  readonly errors: Readonly<Record<string, string>>;

  constructor(errors: Readonly<Record<string, string>>) {
    super('the form');
    this.errors = errors;
  }
}

class RunPanel extends HTMLElement {
  #stop: (() => void) | undefined;
  readonly #place = make('div', { class: 'run-result' });

  connectedCallback(): void {
    const form = this.querySelector('form');
    const button = form?.querySelector('button');
    if (!form || !button) return;
    button.textContent = 'Run';
    this.append(this.#place);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#run(form, button);
    });
  }

  disconnectedCallback(): void {
    this.#stop?.();
  }

  /** @param there on the server, also what this browser could do: only there a result has an address. */
  async #run(form: HTMLFormElement, button: HTMLButtonElement, there = false): Promise<void> {
    if (this.#stop) return;
    this.#clearErrors(form);
    const meter = new Meter();
    const cancel = make('button', { class: 'button', type: 'button' }, 'Cancel');
    cancel.addEventListener('click', () => this.#stop?.());
    const cancelled = new AbortController();
    this.#stop = () => cancelled.abort();
    button.disabled = true;
    this.#place.replaceChildren(meter.line, meter.bar, make('div', { class: 'row' }, cancel));
    try {
      const text = there ? undefined : await this.#textHere(form);
      if (text) {
        const result = await this.#runHere(form, text, meter, cancelled.signal);
        if (result) this.#show(result.report, [], result.command, this.#keepButton(form, button));
      } else await this.#runThere(form, meter, cancelled.signal);
    } catch (error) {
      if (error instanceof WrongForm) {
        this.#place.replaceChildren();
        this.#showErrors(form, error.errors);
      } else this.#say('error', (error as Error).message);
    } finally {
      this.#stop = undefined;
      button.disabled = false;
    }
  }

  #input(name: 'text' | 'file'): HTMLTextAreaElement | HTMLInputElement | null {
    return this.querySelector(`[data-input="${name}"]`);
  }

  #file(): File | undefined {
    const input = this.#input('file');
    return input instanceof HTMLInputElement ? input.files?.[0] : undefined;
  }

  /** The text to work on in this browser; nothing where the server is to do it. An empty one stands for the sample. */
  async #textHere(form: HTMLFormElement): Promise<{ name: string; text: string } | undefined> {
    if (this.dataset.light !== 'document') return undefined;
    const file = this.#file();
    if (file) {
      const plain = file.name.toLowerCase().endsWith('.txt') && file.size <= longestHere;
      return plain ? { name: file.name, text: await file.text() } : undefined;
    }
    const text = this.#input('text')?.value ?? '';
    if (text.length > longestHere) return undefined;
    // The panel of a page without a text field runs the sample.
    return { name: text.trim() === '' ? '' : form.dataset.name || 'pasted text', text: text.trim() === '' ? '' : text };
  }

  async #runHere(
    form: HTMLFormElement,
    { name, text }: { name: string; text: string },
    meter: Meter,
    signal: AbortSignal,
  ): Promise<Extract<FromWorker, { type: 'done' }> | undefined> {
    const fields: Record<string, string> = {};
    for (const [input, value] of new FormData(form)) if (typeof value === 'string') fields[input] = value;
    const order: FromPanel = { method: this.dataset.method ?? '', name, text, fields };
    const worker = new Worker(new URL('./run-worker.ts', import.meta.url), { type: 'module' });
    meter.show('It runs in this browser.');
    try {
      const answer = await new Promise<FromWorker | undefined>((resolve, reject) => {
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
        worker.addEventListener('error', ({ message }) => reject(new Error(message || 'It could not be begun here.')));
        worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
          if (data.type === 'progress') meter.show(inWords(data.progress), data.progress);
          else resolve(data);
        });
        worker.postMessage(order);
      });
      if (!answer) this.#say('notice', 'It was cancelled.');
      else if (answer.type === 'wrong') throw new WrongForm(answer.errors);
      else if (answer.type === 'failed') this.#say('error', answer.message);
      else if (answer.type === 'done') return answer;
      return undefined;
    } finally {
      worker.terminate();
    }
  }

  async #runThere(form: HTMLFormElement, meter: Meter, signal: AbortSignal): Promise<void> {
    const body = new FormData(form);
    const file = this.#file();
    const text = this.#input('text')?.value;
    body.delete('file');
    if (file) body.set('file', file);
    if (text) body.set('text', text);
    const token = body.get('csrf') ?? (await (await fetch('/runs/token')).json()).csrf;
    const headers = { accept: 'application/json', 'x-csrf-token': String(token) };
    const response = await fetch(`/methods/${this.dataset.method}/runs`, { method: 'POST', body, headers });
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const answer = isJson ? await response.json() : undefined;
    if (answer?.errors) throw new WrongForm(answer.errors);
    if (!response.ok || !answer?.id) {
      throw new Error(refusals[response.status] ?? `The server answered ${response.status}.`);
    }
    const { id } = answer as { id: string };
    history.replaceState(null, '', `/runs/${id}`);
    const onCancel = () => void fetch(`/runs/${id}/cancel`, { method: 'POST', headers });
    signal.addEventListener('abort', onCancel, { once: true });
    const run = await untilOver(id, meter, signal);
    if (run.state === 'done' && run.report) {
      const permalink = make('a', { href: `/runs/${id}` }, 'This result has an address of its own');
      this.#show(run.report, run.pictures ?? [], run.command, permalink);
    } else if (run.state === 'failed') this.#say('error', run.error ?? 'It failed.');
    else this.#say('notice', 'It was cancelled.');
  }

  #say(kind: 'error' | 'notice', text: string): void {
    this.#place.replaceChildren(make('p', { class: kind, role: 'alert' }, text));
  }

  /** Runs the same on the server, so that the result has an address to come back to and to pass on. */
  #keepButton(form: HTMLFormElement, button: HTMLButtonElement): HTMLButtonElement {
    const keep = make('button', { class: 'button', type: 'button' }, 'Give this result an address');
    keep.addEventListener('click', () => void this.#run(form, button, true));
    return keep;
  }

  #show(report: Told, pictures: readonly (Picture | null)[], command: string | undefined, address: HTMLElement): void {
    const shown = nodeOf(reportTree(report, (n) => pictures[n] ?? undefined)) as HTMLElement;
    const heading = shown.querySelector('h2');
    heading?.setAttribute('tabindex', '-1');
    this.#place.replaceChildren(shown);
    if (command) {
      this.#place.append(
        make('h3', {}, 'The same in a terminal'),
        make('pre', { class: 'command' }, make('code', {}, command)),
      );
    }
    this.#place.append(make('p', { class: 'meta' }, address));
    heading?.focus();
  }

  #clearErrors(form: HTMLFormElement): void {
    for (const old of form.querySelectorAll('p.error')) old.remove();
    for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  }

  #showErrors(form: HTMLFormElement, errors: Readonly<Record<string, string>>): void {
    let first: HTMLElement | undefined;
    for (const [name, message] of Object.entries(errors)) {
      const input = [...form.querySelectorAll<HTMLElement>('input, select, textarea')].find(
        (candidate) =>
          candidate.dataset.input === name ||
          (candidate.getAttribute('name') === name && candidate.getAttribute('type') !== 'hidden'),
      );
      const said = make('p', { class: 'error' }, name === '' || input ? message : `${name}: ${message}`);
      if (!input) {
        said.setAttribute('role', 'alert');
        form.prepend(said);
        continue;
      }
      said.id = `run-${name}-wrong`;
      input.setAttribute('aria-invalid', 'true');
      input.setAttribute('aria-errormessage', said.id);
      input.closest('.field')?.append(said);
      input.closest('details')?.setAttribute('open', '');
      first ??= input;
    }
    first?.focus();
  }
}

/** On the page of a run: tells its progress, and loads the page anew when it is over. */
class RunProgress extends HTMLElement {
  readonly #left = new AbortController();

  connectedCallback(): void {
    const { run } = this.dataset;
    if (run) void this.#follow(run);
  }

  disconnectedCallback(): void {
    this.#left.abort();
  }

  async #follow(id: string): Promise<void> {
    const meter = new Meter();
    const line = this.querySelector('[role="status"]');
    meter.line.textContent = line?.textContent ?? '';
    line?.replaceWith(meter.line);
    this.querySelector('progress')?.replaceWith(meter.bar);
    await untilOver(id, meter, this.#left.signal);
    if (!this.#left.signal.aborted) location.reload();
  }
}

customElements.define('run-panel', RunPanel);
customElements.define('run-progress', RunProgress);
