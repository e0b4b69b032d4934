// @vitest-environment node
import { build } from 'vite';
import { expect, test } from 'vitest';

test('the product is built without the fake console', async () => {
  const built = await build({ configFile: 'vite.config.ts', logLevel: 'error', build: { write: false } });
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  const modules = outputs.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  expect(modules.some((id) => id.endsWith('/src/lib/ipc/client.ts'))).toBe(true);
  expect(modules.filter((id) => id.includes('/ui/fake/'))).toEqual([]);
});
