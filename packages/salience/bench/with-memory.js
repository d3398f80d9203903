/** @file Runs the command line with the arguments given, then tells its peak resident memory in KiB on file descriptor 3. */

import { writeSync } from 'node:fs';
import { main } from '../dist/cli/main.js';

process.exitCode = await main(process.argv.slice(2));
writeSync(3, String(process.resourceUsage().maxRSS));
