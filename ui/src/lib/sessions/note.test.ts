import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeConsole } from '../../../fake/console';
import { Note, PAUSE } from './note.svelte';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('saves once when typing pauses, and says when', async () => {
  const port = new FakeConsole('rich');
  const note = new Note(port, 's1', () => '', new Map());
  note.text = 'a';
  note.text = 'ab';
  expect(note.state.is).toBe('typing');
  await vi.advanceTimersByTimeAsync(PAUSE);
  expect(port.asked).toEqual([{ do: 'note', session: 's1', text: 'ab' }]);
  expect(note.state.is).toBe('saved');
});

test('says that it could not be saved and keeps what was typed', async () => {
  const port = new FakeConsole('rich');
  port.refuse('note', {
    code: 'free_space',
    text: 'Save the note: the disk is full.',
    remedy: 'Free some space.',
  });
  const note = new Note(port, 's1', () => 'known', new Map());
  note.text = 'typed';
  await note.save();
  expect(note.state).toMatchObject({ is: 'failed', trouble: { code: 'free_space' } });
  expect(note.text).toBe('typed');
});

test('asks nothing when nothing was typed', async () => {
  const port = new FakeConsole('rich');
  await new Note(port, 's1', () => 'known', new Map()).save();
  expect(port.asked).toEqual([]);
});

test('what could not be saved outlives it, and the next one of the session saves it', async () => {
  const [port, unsaved] = [new FakeConsole('rich'), new Map<string, string>()];
  port.refuse('note', { code: 'free_space', text: 'Save the note: the disk is full.', remedy: 'Free some.' });
  const note = new Note(port, 's1', () => 'known', unsaved);
  note.text = 'typed';
  await note.save();
  expect(new Note(port, 's2', () => 'other', unsaved).text).toBe('other');
  port.allow('note');
  const next = new Note(port, 's1', () => 'known', unsaved);
  expect(next.text).toBe('typed');
  await next.save();
  expect(port.asked.at(-1)).toEqual({ do: 'note', session: 's1', text: 'typed' });
  expect(unsaved.size).toBe(0);
});
