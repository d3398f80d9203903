/** @file Steps: long work that pauses now and then, so that whoever runs it can show progress and cancel. */

/** Work that yields how far it is (`total` absent where unknown) and returns its result. */
export type Steps<Result> = Generator<{ readonly done: number; readonly total?: number }, Result>;

/** Runs steps to their end without a pause. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}
