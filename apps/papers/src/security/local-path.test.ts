/** @file Where forms lead. */

import { describe, expect, it } from 'vitest';
import { localPath } from './local-path.ts';

describe('localPath', () => {
  it('keeps paths of this site with query and fragment', () => {
    for (const path of ['/', '/papers/2410.11772?from=day#comments', '/search?q=a%20b&x=//y']) {
      expect(localPath(path, '/other')).toBe(path);
    }
  });

  it('leads nowhere else', () => {
    const others = [
      'https://evil.example',
      'http:/evil.example',
      '//evil.example',
      '/\\evil.example',
      '\\/evil.example',
      '/\t/evil.example',
      '/\n/evil.example',
      ' /a',
      '/a\r\nset-cookie: x=1',
      'javascript:alert(1)',
      '/..//evil.example',
      '/.//evil.example',
      '/%2e//evil.example',
      'papers',
      '',
      undefined,
      7,
      `/${'a'.repeat(2000)}`,
    ];
    for (const other of others) expect(localPath(other, '/other'), String(other)).toBe('/other');
  });
});
