/** What a key combination makes the window do. */
export type KeyAction =
  | { is: 'new' }
  | { is: 'find' }
  | { is: 'settings' }
  | { is: 'lock' }
  | { is: 'verify' }
  | { is: 'map' }
  | { is: 'copy_invite' }
  | { is: 'open_viewer'; readOnly: boolean }
  | { is: 'close_here' }
  | { is: 'side' }
  | { is: 'step'; by: 1 | -1 }
  | { is: 'nth'; index: number };

/** The keyboard map, as it is shown. */
export const MAP: { group: string; keys: { keys: string; does: string }[] }[] = [
  {
    group: 'Sessions',
    keys: [
      { keys: 'Ctrl N', does: 'New session' },
      { keys: 'Ctrl 1 … 9', does: 'Go to the first to ninth session' },
      { keys: 'Ctrl Tab', does: 'Next session; with Shift the one before' },
      { keys: '↑ ↓', does: 'Through the list; Enter opens the viewer' },
      { keys: 'Ctrl F', does: 'Search everything' },
    ],
  },
  {
    group: 'This session',
    keys: [
      { keys: 'Ctrl Shift C', does: 'Copy the invitation' },
      { keys: 'Ctrl O', does: 'Open viewer' },
      { keys: 'Ctrl Shift O', does: 'Watch: a viewer that can’t touch anything' },
      { keys: 'Ctrl Shift V', does: 'Verify who it is' },
      { keys: 'Ctrl Shift X', does: 'Close the session' },
    ],
  },
  {
    group: 'Window',
    keys: [
      { keys: 'Ctrl B', does: 'Show or hide the side panel' },
      { keys: 'Ctrl L', does: 'Lock, where somebody is signed in' },
      { keys: 'Ctrl ,', does: 'Settings' },
      { keys: '?', does: 'This map' },
      { keys: 'Esc', does: 'Close what floats; leave the search or the settings' },
    ],
  },
];

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey'>;

/** The action of a key; null if it means nothing here. `typing`: the key went into a field. */
export function keyAction(event: Pressed, typing: boolean): KeyAction | null {
  if (event.altKey || event.metaKey) return null;
  if (!event.ctrlKey) return event.key === '?' && !typing ? { is: 'map' } : null;
  if (event.key === 'Tab') return { is: 'step', by: event.shiftKey ? -1 : 1 };
  return event.shiftKey ? withShift(event.key) : plain(event.key);
}

function plain(key: string): KeyAction | null {
  switch (key.toLowerCase()) {
    case 'n':
      return { is: 'new' };
    case 'f':
      return { is: 'find' };
    case ',':
      return { is: 'settings' };
    case 'l':
      return { is: 'lock' };
    case 'b':
      return { is: 'side' };
    case 'o':
      return { is: 'open_viewer', readOnly: false };
    default:
      return /^[1-9]$/.test(key) ? { is: 'nth', index: Number(key) - 1 } : null;
  }
}

function withShift(key: string): KeyAction | null {
  switch (key.toLowerCase()) {
    case 'c':
      return { is: 'copy_invite' };
    case 'o':
      return { is: 'open_viewer', readOnly: true };
    case 'v':
      return { is: 'verify' };
    case 'x':
      return { is: 'close_here' };
    default:
      return null;
  }
}
