/** @file How long the command line takes to say what it can do. */

import { fileURLToPath } from 'node:url';
import { inTurns, seconds, timeCommand, times } from './timing.js';

const program = fileURLToPath(new URL('../bin/salience.js', import.meta.url));

export async function bench() {
  const { help, node } = await inTurns(11, {
    help: () => timeCommand(process.execPath, [program, '--help']).seconds,
    node: () => timeCommand(process.execPath, ['-e', '0']).seconds,
  });
  return {
    title: 'Start-up',
    notes: ['The peer is Node.js itself, started to do nothing.'],
    rows: [
      {
        case: 'salience --help',
        ours: seconds(help),
        peer: `node -e 0: ${seconds(node)}`,
        ratio: times(help / node),
        target: 'under 150 ms',
        met: help < 0.15,
      },
    ],
  };
}
