import { defineConfig } from 'vitest/config';

const runtime = 'packages/salience/src/runtime/**/*.test.ts';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    setupFiles: ['packages/salience/test/property-seed.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'all', include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'] },
      },
      // The runtime's tests once more, with native ONNX Runtime hidden.
      { extends: true, test: { name: 'web', include: [runtime], env: { SALIENCE_BACKEND: 'web' } } },
    ],
  },
});
