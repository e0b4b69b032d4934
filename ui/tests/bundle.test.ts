// @vitest-environment node
import { build } from 'vite';
import { expect, test } from 'vitest';

/** A build takes seconds, and longer where the other tests run beside it. */
const BUILD_WITHIN_MS = 60_000;

test(
  'the product is built without the fake console',
  async () => {
    const built = await build({ configFile: 'vite.config.ts', logLevel: 'error', build: { write: false } });
    const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
    const modules = outputs.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
    expect(modules.some((id) => id.endsWith('/src/lib/ipc/client.ts'))).toBe(true);
    expect(modules.filter((id) => id.includes('/ui/fake/'))).toEqual([]);
  },
  BUILD_WITHIN_MS,
);
