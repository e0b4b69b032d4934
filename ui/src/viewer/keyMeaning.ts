/** What a press of a key means to the customer's computer. */
export type Meaning =
  /** The field under the keyboard composes: what comes of it is in the field, once it is done. */
  | { is: 'composing' }
  /** A text, whatever modifiers it took here. `bare`: those that the customer's computer has must come up first. */
  | { is: 'text'; text: string; bare: boolean }
  /** The character of a shortcut: the modifiers that are held count there too. */
  | { is: 'shortcut'; text: string }
  /** Enter, an arrow, a modifier: noVNC knows their keysyms. */
  | { is: 'other' };

/** The part of a KeyboardEvent that decides. */
export type Pressed = Pick<
  KeyboardEvent,
  | 'key'
  | 'code'
  | 'keyCode'
  | 'location'
  | 'isComposing'
  | 'ctrlKey'
  | 'altKey'
  | 'shiftKey'
  | 'metaKey'
  | 'getModifierState'
>;

/** The systems whose Alt or Ctrl+Alt types characters, and the others. */
export type System = 'mac' | 'windows' | 'other';

/** `keyCode` of a key press that an input method has taken for itself. */
const TAKEN = 229;

/** The keys of an American keyboard that aren't named by what they type: without Shift, and with it. */
const AMERICAN: Readonly<Record<string, string>> = {
  Backquote: '`~',
  Minus: '-_',
  Equal: '=+',
  BracketLeft: '[{',
  BracketRight: ']}',
  Backslash: '\\|',
  Semicolon: ';:',
  Quote: '\'"',
  Comma: ',<',
  Period: '.>',
  Slash: '/?',
  IntlBackslash: '<>',
};
const OVER_DIGITS = ')!@#$%^&*(';

/** Punctuation in the place of a letter: of Greek and Hebrew keyboards, and of no Latin one. */
const NO_LETTER: Readonly<Record<string, string>> = { KeyQ: '/;:', KeyW: "'" };

/** What becomes of this key press. `superHeld`: not every browser says so in the event. */
export function meaningOf(event: Pressed, system: System, superHeld = false): Meaning {
  const { key } = event;
  const chord =
    (event.ctrlKey || event.altKey || event.metaKey || superHeld) && !event.getModifierState('AltGraph');
  if (event.isComposing || event.keyCode === TAKEN || key === 'Process') return { is: 'composing' };
  if (key === 'Dead') return chord ? { is: 'shortcut', text: american(event) } : { is: 'composing' };
  // The keypad's digits are keys of their own.
  if (event.location === 3 || isName(key)) return { is: 'other' };
  if (!chord) return { is: 'text', text: key, bare: false };
  if (typedByChord(event, system)) return { is: 'text', text: key, bare: true };
  return { is: 'shortcut', text: placeCounts(event) ? american(event) : uncapped(event) };
}

/** The keysym of a character, as X has it: Latin-1 as it is, all others by their Unicode number. */
export function keysymOf(character: string): number {
  if (character === '\n' || character === '\r') return 0xff0d;
  if (character === '\t') return 0xff09;
  const point = character.codePointAt(0) ?? 0;
  return point < 0x100 ? point : 0x0100_0000 + point;
}

/** Whether this is the name of a key, such as `Enter`, and not the text that it types. */
function isName(key: string): boolean {
  return key === '' || /^[A-Z][A-Za-z0-9]+$/.test(key);
}

/** Option on a Mac and Ctrl+Alt on Windows are what AltGr is elsewhere. */
function typedByChord({ key, ctrlKey, altKey, metaKey }: Pressed, system: System): boolean {
  if (!altKey || metaKey) return false;
  if (system === 'mac') return !ctrlKey;
  // A Cyrillic letter takes no Ctrl+Alt, so that one is a shortcut.
  return system === 'windows' && ctrlKey && !/^[a-z0-9]$/i.test(key) && !isForeignLetter(key);
}

function isForeignLetter(key: string): boolean {
  return /^\p{L}+$/u.test(key) && !/^\p{Script=Latin}+$/u.test(key);
}

/**
 * Whether it is the key's place that says which shortcut is meant. Programs know shortcuts by Latin letters and digits.
 * A Russian, Greek or Hebrew keyboard has the American letters printed besides, a French or Czech one has digits only
 * with Shift. A Latin letter counts as it is printed: Ctrl+Z of a German keyboard is not Ctrl+Y.
 */
function placeCounts({ key, code, shiftKey }: Pressed): boolean {
  if (!/^[\x20-\x7e]$/.test(key)) return true;
  if (code.startsWith('Digit')) return !shiftKey && !/^[0-9+=-]$/.test(key);
  return NO_LETTER[code]?.includes(key) ?? false;
}

/** A letter as Shift alone makes it: Ctrl+C under Caps Lock is still Ctrl+C. */
function uncapped({ key, shiftKey }: Pressed): string {
  return shiftKey ? key.toUpperCase() : key.toLowerCase();
}

/** What an American keyboard types in this place. */
function american({ key, code, shiftKey }: Pressed): string {
  const [, letter] = /^Key([A-Z])$/.exec(code) ?? [];
  if (letter) return shiftKey ? letter : letter.toLowerCase();
  const [, digit] = /^Digit([0-9])$/.exec(code) ?? [];
  if (digit) return (shiftKey && OVER_DIGITS[Number(digit)]) || digit;
  return AMERICAN[code]?.[shiftKey ? 1 : 0] ?? key;
}
