/** @file The command line. Nothing heavy is loaded before a command needs it. */

import { CommanderError } from 'commander';
import { BudgetError, CancelledError, ParameterError, SalienceError } from '../core/errors.ts';
import { buildProgram } from './program.ts';

/** Runs the command line and returns its exit code: 0 done, 1 failed, 2 called wrongly, 130 cancelled. */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0); // the reader has seen enough
    process.stderr.write(`salience: standard output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
  try {
    const program = await buildProgram(argv);
    await program.parseAsync(argv as string[], { from: 'user' });
    return 0;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof SalienceError) {
    process.stderr.write(`salience: ${error.message}\n`);
    if (error instanceof CancelledError) return 130;
    return error instanceof BudgetError || error instanceof ParameterError ? 2 : 1;
  }
  process.stderr.write(`salience: ${(error as Error)?.stack ?? error}\n`);
  return 1;
}
