import { expect, test } from 'vitest';
import { keyAction } from './keys';

const press = (key: string, held: { ctrl?: boolean; shift?: boolean; alt?: boolean } = {}, typing = false) =>
  keyAction(
    {
      key,
      ctrlKey: held.ctrl ?? false,
      shiftKey: held.shift ?? false,
      altKey: held.alt ?? false,
      metaKey: false,
    },
    typing,
  );

test('a question mark shows the map, but not while somebody types one', () => {
  expect(press('?', { shift: true })).toEqual({ is: 'map' });
  expect(press('?', { shift: true }, true)).toBeNull();
});

test('Ctrl with a digit goes to the nth session, from a field too', () => {
  expect(press('3', { ctrl: true }, true)).toEqual({ is: 'nth', index: 2 });
  expect(press('0', { ctrl: true })).toBeNull();
});

test('Ctrl Tab goes on, with Shift back', () => {
  expect(press('Tab', { ctrl: true })).toEqual({ is: 'step', by: 1 });
  expect(press('Tab', { ctrl: true, shift: true })).toEqual({ is: 'step', by: -1 });
});

test('copying text stays what it is; with Shift it copies the invite', () => {
  expect(press('c', { ctrl: true })).toBeNull();
  expect(press('C', { ctrl: true, shift: true })).toEqual({ is: 'copy_invite' });
});

test('nothing is taken from keys with Alt', () => {
  expect(press('n', { ctrl: true, alt: true })).toBeNull();
});
