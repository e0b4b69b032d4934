import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';

const { version } = JSON.parse(readFileSync('node_modules/@novnc/novnc/package.json', 'utf8')) as {
  version: string;
};

/**
 * The viewer's page, for the broker and for the console's windows. Both compile it in (crates/broker/build.rs),
 * so it has fixed names and a folder of its own, which the console's main window doesn't carry.
 */
export default defineConfig({
  clearScreen: false,
  publicDir: 'src/viewer/static',
  build: {
    outDir: 'dist-viewer',
    // The folder stands in git, so that cargo can watch it before anything is built.
    emptyOutDir: false,
    // Whatever browser a colleague has; noVNC looks for decoders at the top level of its modules.
    target: ['chrome111', 'firefox115', 'safari16.4'],
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      input: 'src/viewer/main.ts',
      output: {
        entryFileNames: 'viewer.js',
        assetFileNames: 'viewer[extname]',
        postBanner: `/*! With noVNC ${version}, Copyright the noVNC authors, Mozilla Public License 2.0: https://github.com/novnc/noVNC/tree/v${version} */`,
      },
    },
  },
});
