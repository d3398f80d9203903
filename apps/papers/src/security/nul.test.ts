/** @file Addresses with a NUL character. */

import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { refuseNul } from './nul.ts';

describe('an address with a NUL character', () => {
  const app = new Hono().use(refuseNul).get('*', (c) => c.text(c.req.path));

  it.each(['/papers/%00', '/papers/a%00b', '/search?q=a&topic=%00'])('%s is refused', async (path) => {
    const response = await app.request(path);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('NUL character');
  });

  it('is not one that only looks like it', async () => {
    for (const path of ['/papers/%2500', '/papers/00', '/search?q=100%25+of+00']) {
      expect((await app.request(path)).status).toBe(200);
    }
  });
});
