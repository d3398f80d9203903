import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const runtime = 'packages/salience/src/runtime/**/*.test.ts';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: '100%',
    setupFiles: [fileURLToPath(new URL('packages/salience/test/property-seed.ts', import.meta.url))],
    projects: [
      {
        extends: true,
        test: { name: 'all', include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'] },
      },
      {
        extends: true,
        oxc: { jsx: { runtime: 'automatic', importSource: 'hono/jsx' } },
        test: {
          name: 'papers',
          include: ['apps/*/src/**/*.test.{ts,tsx}', 'apps/*/test/**/*.test.{ts,tsx}'],
          globalSetup: fileURLToPath(new URL('apps/papers/test/global-setup.ts', import.meta.url)),
        },
      },
      // The runtime's tests once more, with native ONNX Runtime hidden.
      { extends: true, test: { name: 'web', include: [runtime], env: { SALIENCE_BACKEND: 'web' } } },
    ],
  },
});
