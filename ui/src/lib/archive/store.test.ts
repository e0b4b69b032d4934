import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Reply } from '../ipc/bindings';
import { FakeConsole } from '../../../fake/console';
import { Archive, PAUSE } from './store.svelte';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('asks once when typing pauses', async () => {
  const port = new FakeConsole('rich');
  const archive = new Archive(port);
  for (const typed of ['p', 'pr', 'pri']) archive.type(typed);
  await vi.advanceTimersByTimeAsync(PAUSE);
  expect(port.asked).toEqual([{ do: 'search', query: 'pri', cursor: null }]);
  expect(archive.hits.length).toBeGreaterThan(0);
  expect(archive.hits[0]?.marks.length).toBe(1);
});

test('goes on page by page to the end', async () => {
  const archive = new Archive(new FakeConsole('many'));
  await archive.search('');
  expect(archive.hits).toHaveLength(100);
  await archive.more();
  expect(archive.hits).toHaveLength(200);
  while (archive.cursor !== null) await archive.more();
  expect(archive.hits).toHaveLength(10_000);
});

test('an answer to an older question is dropped', async () => {
  const answers: ((reply: Reply) => void)[] = [];
  const ask = () => new Promise<Reply>((resolve) => answers.push(resolve));
  const archive = new Archive({
    ask,
    subscribe: () => Promise.resolve(),
    save: () => Promise.resolve(''),
    savePicture: () => Promise.resolve(''),
  });
  const old = archive.search('old');
  const young = archive.search('new');
  answers[1]?.({ reply: 'found', hits: [], cursor: 'new', indexed: null });
  await young;
  answers[0]?.({ reply: 'found', hits: [], cursor: 'old', indexed: 7 });
  await old;
  expect(archive.cursor).toBe('new');
  expect(archive.indexed).toBeNull();
});

test('says why a search failed and keeps what was found', async () => {
  const port = new FakeConsole('rich');
  const archive = new Archive(port);
  await archive.search('');
  port.refuse('search', { code: 'unlock_key', text: 'Search: the archive is locked.', remedy: 'Unlock it.' });
  await archive.search('x');
  expect(archive.state).toMatchObject({ is: 'failed', trouble: { code: 'unlock_key' } });
  expect(archive.hits.length).toBeGreaterThan(0);
});

test('says how far the search is while older sessions are still being indexed', async () => {
  const archive = new Archive(new FakeConsole('indexing'));
  await archive.search('printer');
  expect(archive.indexed).toBe(37);
  await archive.search('');
  expect(archive.indexed).toBeNull();
});
