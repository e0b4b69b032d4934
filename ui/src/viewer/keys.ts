/** A key's keysym, as RFB has it, and its code, which is its position on a keyboard. */
type Key = readonly [keysym: number, code: string];

const CTRL: Key = [0xffe3, 'ControlLeft'];
const ALT: Key = [0xffe9, 'AltLeft'];
const SUPER: Key = [0xffeb, 'MetaLeft'];

/** Key combinations that a browser or the technician's own desktop doesn't pass on. */
export const SPECIAL: readonly { label: string; keys: readonly Key[]; hint?: string }[] = [
  { label: 'Ctrl+Alt+Del', keys: [CTRL, ALT, [0xffff, 'Delete']], hint: 'Ctrl+Alt+Shift+D' },
  { label: 'Super (Windows key)', keys: [SUPER] },
  { label: 'Print screen', keys: [[0xff61, 'PrintScreen']] },
  { label: 'Alt+Tab', keys: [ALT, [0xff09, 'Tab']] },
  { label: 'Alt+F4', keys: [ALT, [0xffc1, 'F4']] },
  { label: 'Ctrl+Esc', keys: [CTRL, [0xff1b, 'Escape']] },
];

/** Where a key is sent to. */
export type Keyboard = { sendKey(keysym: number, code: string | null, down?: boolean): void };

/** Presses all of the keys, and releases them in reverse order. */
export function press(keyboard: Keyboard, keys: readonly Key[]): void {
  for (const [keysym, code] of keys) keyboard.sendKey(keysym, code, true);
  for (const [keysym, code] of keys.toReversed()) keyboard.sendKey(keysym, code, false);
}

/** The page's own shortcuts; every other key goes to the customer's computer. */
export type Shortcut = 'full' | 'chat' | 'scale' | 'delete' | 'clipboard' | 'picture' | 'tools';

const LETTERS: Readonly<Record<string, Shortcut>> = {
  f: 'full',
  c: 'chat',
  s: 'scale',
  d: 'delete',
  k: 'clipboard',
  p: 'picture',
  t: 'tools',
};

/** The shortcut that this key press is, if it is one. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  if (!event.ctrlKey || !event.altKey || !event.shiftKey || event.metaKey) return null;
  // With Alt some layouts give another character; the key's position counts then.
  const letter = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace(/^Key/, '');
  return LETTERS[letter.toLowerCase()] ?? null;
}
