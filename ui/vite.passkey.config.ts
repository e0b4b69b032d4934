import { defineConfig } from 'vite';

/** The sign-in page, which runs in the system's browser. Rust serves it under these two names, with a page of its own. */
export default defineConfig({
  clearScreen: false,
  publicDir: false,
  build: {
    // Whatever browser a technician has; colours that it doesn't know are written the older way too.
    target: ['chrome111', 'firefox113', 'safari16.4'],
    emptyOutDir: false,
    modulePreload: false,
    rolldownOptions: {
      input: 'src/passkey/main.ts',
      output: {
        entryFileNames: 'passkey.js',
        assetFileNames: 'passkey[extname]',
        postBanner:
          '/*! With @passwordlessdev/passwordless-client, Copyright Bitwarden Inc., Apache License 2.0. */',
      },
    },
  },
});
