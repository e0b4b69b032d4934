import { expect, test, vi } from 'vitest';
import { tauriConsole } from './client';

const invoke = vi.hoisted(() => vi.fn(() => Promise.reject(new Error('the app is ending'))));
vi.mock('@tauri-apps/api/core', () => ({ invoke, Channel: Object }));

test('that somebody is there is told once in 20 s, and a failure of it is nobody’s', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(100_000);
  const tell = (at: number): number => {
    now.mockReturnValue(at);
    tauriConsole.active?.();
    return invoke.mock.calls.length;
  };
  expect([100_000, 110_000, 119_999, 120_000, 139_000, 140_000].map(tell)).toEqual([1, 1, 1, 2, 2, 3]);
  await expect(invoke.mock.results[0]?.value).rejects.toThrow();
  expect(invoke).toHaveBeenCalledWith('active');
});
