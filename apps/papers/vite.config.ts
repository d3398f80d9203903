import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist/public',
    emptyOutDir: true,
    manifest: 'manifest.json',
    rollupOptions: { input: ['src/browser/site.css', 'src/browser/main.ts'] },
  },
});
