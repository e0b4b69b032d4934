import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** With `--mode fake` the window has the fake console, which stands outside of `src`: the product never has it. */
const overFake = {
  name: 'over-fake',
  transformIndexHtml: {
    order: 'pre' as const,
    handler: (html: string) => html.replace('/src/main.ts', '/fake/main.ts'),
  },
};

export default defineConfig(({ mode }) => ({
  plugins: mode === 'fake' ? [svelte(), overFake] : [svelte()],
  clearScreen: false,
  server: { port: 1420, strictPort: true },
  build: {
    // The web view that Tauri uses on Debian 12 is WebKitGTK of Safari 17.5's age and later.
    target: 'safari17.5',
    // The CSP allows fonts and images from the app's own origin only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
  // Components are tested as the browser gets them.
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    // Longer than anything in a test is waited for (tests/setup.ts), which then says what it waited for.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    restoreMocks: true,
  },
}));
