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
  const note = new Note(port, 's1', () => '');
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
  const note = new Note(port, 's1', () => 'known');
  note.text = 'typed';
  await note.save();
  expect(note.state).toMatchObject({ is: 'failed', trouble: { code: 'free_space' } });
  expect(note.text).toBe('typed');
});

test('asks nothing when nothing was typed', async () => {
  const port = new FakeConsole('rich');
  await new Note(port, 's1', () => 'known').save();
  expect(port.asked).toEqual([]);
});
