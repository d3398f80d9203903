import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  worker: { format: 'es' },
  build: {
    outDir: 'dist/public',
    emptyOutDir: true,
    manifest: 'manifest.json',
    // Browsers that know light-dark(), so that it need not be taken apart.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    rollupOptions: {
      input: [
        'src/browser/site.css',
        'src/browser/main.ts',
        'src/browser/remembered-scheme.ts',
        'src/browser/run-panel.ts',
      ],
    },
  },
});
