/** @file Scores as many of Shakespeare's sentences as the first argument says, and prints the time and the peak memory of this process. */

import { score, sentencesOfShakespeare } from './lexrank.js';

const sentences = sentencesOfShakespeare(Number(process.argv[2]));
const start = performance.now();
await score(sentences);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, bytes: process.resourceUsage().maxRSS * 1024 }));
