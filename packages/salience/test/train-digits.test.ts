import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the digits example tells more than 95% of digits not seen in training right', () => {
  const script = fileURLToPath(new URL('../examples/train-digits.js', import.meta.url));
  const said = execFileSync(process.execPath, [script], { encoding: 'utf8' });
  expect(Number(/^([\d.]+)% of 360 digits/.exec(said)![1])).toBeGreaterThan(95);
});
