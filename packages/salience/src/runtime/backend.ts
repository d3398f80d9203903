/** @file The engine that runs a model. Nothing above this file knows which one it is. */

import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-common';
import { ParameterError, SalienceError } from '../core/errors.ts';

export interface Backend {
  readonly name: 'node' | 'web';
  /** A model ready to run. Its results may lie in other arrays than those of the tensors given for them. */
  session(model: Uint8Array): Promise<InferenceSession>;
  readonly Tensor: typeof OrtTensor;
}

export interface BackendOptions {
  /** `node`: native ONNX Runtime; `web`: WebAssembly. By default native where its package is installed. */
  readonly backend?: 'node' | 'web';
  /**
   * Threads of one program; by default SALIENCE_THREADS, else as many as the engine finds right for the machine. The web backend
   * has one number for all programs, which the first sets, and one thread only in pages that are not cross-origin isolated.
   */
  readonly threads?: number;
}

type Engine = typeof import('onnxruntime-common');

const opened = new Map<string, Promise<Backend>>();

/**
 * The backend for these options; SALIENCE_BACKEND and SALIENCE_THREADS choose where they do not.
 * @throws ParameterError for a backend or a number of threads that cannot be; SalienceError if the backend cannot be loaded.
 */
export async function openBackend(options: BackendOptions = {}): Promise<Backend> {
  const environment = typeof process === 'undefined' ? {} : process.env;
  const chosen = backendName(options.backend ?? environment.SALIENCE_BACKEND);
  const threads =
    options.threads === undefined
      ? threadCount('SALIENCE_THREADS', environment.SALIENCE_THREADS)
      : threadCount('threads', options.threads);
  const key = `${chosen} ${threads}`;
  let made = opened.get(key);
  if (!made) {
    made = open(chosen, threads);
    opened.set(key, made);
    made.catch(() => opened.delete(key));
  }
  return made;
}

function backendName(name: string | undefined): Backend['name'] | undefined {
  if (name === undefined || name === '') return undefined;
  if (name !== 'node' && name !== 'web')
    throw new ParameterError(`there is no backend "${name}"; there are node and web`);
  return name;
}

function threadCount(source: string, given: number | string | undefined): number | undefined {
  if (given === undefined || given === '') return undefined;
  const count = Number(given);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new ParameterError(`${source} is a whole number of 1 or more, not ${given}`);
  }
  return count;
}

async function open(chosen: Backend['name'] | undefined, threads: number | undefined): Promise<Backend> {
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined;
  if (chosen === 'node' && !inNode)
    throw new SalienceError('the node backend runs in Node.js only; choose the web backend');
  if (chosen !== 'web' && inNode) {
    try {
      return nativeBackend(await importUnbundled('onnxruntime-node'), threads);
    } catch (error) {
      if (chosen === 'node') {
        const { message } = error as Error;
        throw new SalienceError(
          `onnxruntime-node cannot be loaded (${message}); npm install onnxruntime-node, or choose the web backend`,
          { cause: error },
        );
      }
    }
  }
  return webBackend(
    await (inNode ? importUnbundled('onnxruntime-web') : import('onnxruntime-web/wasm')),
    threads,
    inNode,
  );
}

/** Loads a package that only Node.js runs; bundlers for browsers do not follow a name that is a variable. */
function importUnbundled(name: 'onnxruntime-node' | 'onnxruntime-web'): Promise<Engine> {
  return import(/* @vite-ignore */ name);
}

const quiet = { graphOptimizationLevel: 'all', logSeverityLevel: 3 } as const;

function nativeBackend({ InferenceSession, Tensor }: Engine, threads: number | undefined): Backend {
  const options = { ...quiet, executionProviders: ['cpu'], intraOpNumThreads: threads ?? 0 };
  return { name: 'node', Tensor, session: (model) => InferenceSession.create(model, options) };
}

let webStarted = false;
const worker = Object.getOwnPropertyDescriptor(globalThis, 'Worker');

/** In Node.js the web engine leaves a Worker in the globals when it starts, which jax-js would take for a browser's. */
function restoreWorker(): void {
  if (worker) Object.defineProperty(globalThis, 'Worker', worker);
  else Reflect.deleteProperty(globalThis, 'Worker');
}

function webBackend({ InferenceSession, Tensor, env }: Engine, threads: number | undefined, inNode: boolean): Backend {
  const { wasm } = env;
  if (!webStarted) {
    wasm.numThreads = threads ?? (inNode ? halfOfCores() : 0);
    webStarted = true;
  } else if (threads !== undefined && threads !== wasm.numThreads) {
    throw new ParameterError(
      `the web backend has ${wasm.numThreads} threads since its first program, and cannot have ${threads}`,
    );
  }
  const session = (model: Uint8Array) =>
    InferenceSession.create(model, { ...quiet, executionProviders: ['wasm'] }).finally(restoreWorker);
  return { name: 'web', Tensor, session };
}

/** The web engine's own choice (0 lets it choose), which in Node.js it would base on a navigator that tracing put there. */
function halfOfCores(): number {
  const { availableParallelism } = process.getBuiltinModule('node:os');
  return Math.min(4, Math.ceil(availableParallelism() / 2));
}
