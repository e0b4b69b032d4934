// Builds the pages that our servers hand out, each into a folder of its own that holds all of it: what they share is
// bundled into each. `crates/serve/build.rs` compiles dist-pages in; the sign-in page goes along with the window.
import { readdirSync, readFileSync } from 'node:fs';
import { build } from 'vite';

const { version } = JSON.parse(readFileSync('node_modules/@novnc/novnc/package.json', 'utf8'));

/** The folder in `src`, its scripts, the name of its style sheet, and the notice that a library's licence asks for. */
const PAGES = [
  { page: 'join', scripts: ['front', 'join'], style: 'pages' },
  {
    page: 'viewer',
    scripts: ['viewer'],
    style: 'viewer',
    notice: `With noVNC ${version}, Copyright the noVNC authors, Mozilla Public License 2.0: https://github.com/novnc/noVNC/tree/v${version}`,
  },
  { page: 'phone', scripts: ['phone'], style: 'phone' },
  { page: 'workspace', scripts: ['page'], style: 'page' },
  {
    page: 'passkey',
    scripts: ['passkey'],
    style: 'passkey',
    notice: 'With @passwordlessdev/passwordless-client, Copyright Bitwarden Inc., Apache License 2.0.',
    outDir: 'dist',
  },
];

/**
 * A page's HTML with `<!-- shared/NAME.html word="value" -->` replaced by that file of `src`, and `{{word}}` in it by the
 * value, or by nothing where none is given. Such a file may include others.
 */
function withShared(html) {
  return html.replace(/<!-- (shared\/\w+\.html)(.*?)-->/gs, (_, file, values) => {
    const words = Object.fromEntries(
      [...values.matchAll(/(\w+)="(.*?)"/g)].map(([, word, value]) => [word, value]),
    );
    const text = readFileSync(`src/${file}`, 'utf8').trim();
    return withShared(text.replace(/{{(\w+)}}/g, (_, word) => words[word] ?? ''));
  });
}

/** Takes a page's HTML and icon along: they name the files beside them as the server's routes do. */
function staticFiles(folder) {
  return {
    name: 'static-files',
    generateBundle() {
      for (const fileName of readdirSync(folder).filter((name) => /\.(html|svg)$/.test(name))) {
        const source = withShared(readFileSync(`${folder}/${fileName}`, 'utf8'));
        this.emitFile({ type: 'asset', fileName, source });
      }
    },
  };
}

for (const { page, scripts, style, notice, outDir } of PAGES) {
  const folder = `src/${page}`;
  await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    plugins: [staticFiles(folder)],
    build: {
      outDir: outDir ?? `dist-pages/${page}`,
      emptyOutDir: !outDir,
      // Whatever browser a customer or a colleague has. noVNC looks for decoders at the top level of its modules;
      // colours that an older one doesn't know are written the older way too.
      target: ['chrome111', 'firefox113', 'safari16.4'],
      // The pages' policy allows what their server sends, and nothing inline.
      assetsInlineLimit: 0,
      cssCodeSplit: false,
      modulePreload: false,
      rolldownOptions: {
        input: Object.fromEntries(scripts.map((name) => [name, `${folder}/${name}.ts`])),
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: '[name].js',
          assetFileNames: `${style}[extname]`,
          ...(notice ? { postBanner: `/*! ${notice} */` } : {}),
        },
      },
    },
  });
}
