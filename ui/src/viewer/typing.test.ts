import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { keysymOf, meaningOf, type Pressed, type System } from './keyMeaning';
import { type Hands, systemOfKeys, Typing } from './typing';

/** A key press with a layout's character; `held`: c is Ctrl, a is Alt, s is Shift, m is Meta, g is AltGr. */
function pressed(key: string, code: string, held = '', more: Partial<Pressed> = {}): Pressed {
  return {
    key,
    code,
    keyCode: 0,
    location: 0,
    isComposing: false,
    ctrlKey: held.includes('c'),
    altKey: held.includes('a'),
    shiftKey: held.includes('s'),
    metaKey: held.includes('m'),
    getModifierState: (name) => name === 'AltGraph' && held.includes('g'),
    ...more,
  };
}

describe('what a key means', () => {
  const shortcut = (key: string, code: string, held = 'c', system: System = 'other') => {
    const meaning = meaningOf(pressed(key, code, held), system);
    return meaning.is === 'shortcut' ? meaning.text : meaning;
  };

  test('is what it types, by AltGr too', () => {
    expect(meaningOf(pressed('ж', 'Semicolon'), 'other')).toEqual({ is: 'text', text: 'ж', bare: false });
    expect(meaningOf(pressed('@', 'KeyQ', 'g'), 'other')).toEqual({ is: 'text', text: '@', bare: false });
    // Windows says of AltGr that Ctrl and Alt are held, in some browsers.
    expect(meaningOf(pressed('@', 'KeyQ', 'gca'), 'windows')).toMatchObject({ text: '@', bare: false });
    expect(meaningOf(pressed('لا', 'KeyB'), 'other')).toMatchObject({ is: 'text', text: 'لا' });
    expect(meaningOf(pressed('👍', ''), 'other')).toMatchObject({ is: 'text', text: '👍' });
  });

  test('is left to whoever composes', () => {
    expect(meaningOf(pressed('Dead', 'Backquote'), 'other').is).toBe('composing');
    expect(meaningOf(pressed('Process', 'KeyE', '', { keyCode: 229 }), 'other').is).toBe('composing');
    expect(meaningOf(pressed('Unidentified', '', '', { keyCode: 229 }), 'other').is).toBe('composing');
    expect(meaningOf(pressed('e', 'KeyE', '', { isComposing: true }), 'other').is).toBe('composing');
  });

  test('is its place on an American keyboard where a shortcut has no Latin letter', () => {
    expect(shortcut('с', 'KeyC')).toBe('c');
    expect(shortcut('С', 'KeyC', 'cs')).toBe('C');
    expect(shortcut('ψ', 'KeyC')).toBe('c');
    expect(shortcut('ב', 'KeyC')).toBe('c');
    expect(shortcut('/', 'KeyQ')).toBe('q');
    expect(shortcut("'", 'KeyW')).toBe('w');
    expect(shortcut('а', 'KeyF', 'a')).toBe('f');
    expect(shortcut('д', 'KeyL', 'm')).toBe('l');
    expect(shortcut('б', 'Comma')).toBe(',');
    expect(shortcut('Б', 'Comma', 'cs')).toBe('<');
    expect(shortcut('Dead', 'Quote')).toBe("'");
  });

  test('is the same under Caps Lock', () => {
    expect([shortcut('C', 'KeyC'), shortcut('c', 'KeyC', 'cs')]).toEqual(['c', 'C']);
    expect([shortcut('С', 'KeyC'), shortcut('F', 'KeyF', 'a')]).toEqual(['c', 'f']);
    expect(meaningOf(pressed('A', 'KeyA'), 'other')).toMatchObject({ is: 'text', text: 'A' });
    expect(meaningOf(pressed('a', 'KeyA', 's'), 'other')).toMatchObject({ is: 'text', text: 'a' });
  });

  test('is what is printed on it where that is a Latin letter or a digit', () => {
    expect(shortcut('z', 'KeyY')).toBe('z');
    expect(shortcut('a', 'KeyQ')).toBe('a');
    expect(shortcut('A', 'KeyQ', 'cs')).toBe('A');
    expect(shortcut(',', 'KeyW')).toBe(',');
    expect(shortcut('!', 'Digit1', 'cs')).toBe('!');
    expect(shortcut('+', 'Digit1')).toBe('+');
    expect(shortcut('-', 'Digit6')).toBe('-');
  });

  test('is a digit on a keyboard that has those only with Shift', () => {
    expect(shortcut('&', 'Digit1')).toBe('1');
    expect(shortcut('à', 'Digit0')).toBe('0');
    expect(shortcut('ě', 'Digit2')).toBe('2');
  });

  test('is a character where Alt, or Ctrl and Alt, type those', () => {
    expect(shortcut('@', 'KeyQ', 'ca', 'windows')).toEqual({ is: 'text', text: '@', bare: true });
    expect(shortcut('ą', 'KeyA', 'ca', 'windows')).toMatchObject({ is: 'text', text: 'ą' });
    expect(shortcut('€', 'KeyE', 'ca', 'windows')).toMatchObject({ is: 'text', text: '€' });
    expect(shortcut('q', 'KeyQ', 'ca', 'windows')).toBe('q');
    expect(shortcut('с', 'KeyC', 'ca', 'windows')).toBe('c');
    expect(shortcut('å', 'KeyA', 'a', 'mac')).toMatchObject({ is: 'text', text: 'å' });
  });

  test('is noVNC’s affair where it has a name, and on the keypad', () => {
    for (const key of ['Enter', 'F5', 'ArrowLeft', 'Shift', 'AltGraph', 'AudioVolumeUp']) {
      expect(meaningOf(pressed(key, key), 'other').is).toBe('other');
    }
    expect(meaningOf(pressed('7', 'Numpad7', '', { location: 3 }), 'other').is).toBe('other');
  });

  test('has the keysym that X has', () => {
    expect([...'aß€ж漢👍\n\t'].map((one) => keysymOf(one).toString(16))).toEqual([
      '61',
      'df',
      '10020ac',
      '1000436',
      '1006f22',
      '101f44d',
      'ff0d',
      'ff09',
    ]);
  });

  test('depends on the system', () => {
    expect(systemOfKeys('Mozilla/5.0 (Windows NT 10.0; Win64; x64)')).toBe('windows');
    expect(systemOfKeys('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)')).toBe('mac');
    expect(systemOfKeys('Mozilla/5.0 (X11; Linux x86_64)')).toBe('other');
  });
});

/** Hands that write down what they do, with noVNC's part: it holds each key that has a name. */
class Written implements Hands {
  readonly did: string[] = [];
  readonly down = new Set<string>();
  constructor(screen: HTMLElement) {
    screen.addEventListener('keydown', (event) => {
      this.did.push(`${event.code} down`);
      this.down.add(event.code);
    });
  }
  tap(keysym: number): void {
    const point = keysym & 0xffffff;
    this.did.push(keysym === 0xff08 ? '⌫' : keysym === 0xff0d ? '⏎' : String.fromCodePoint(point));
  }
  holds(code: string): boolean {
    return this.down.has(code);
  }
  release(code: string): void {
    if (this.down.delete(code)) this.did.push(`${code} up`);
  }
  releaseKeys(): void {
    for (const code of this.down) this.release(code);
  }
  pressKeptBack(): void {
    // Only Windows keeps a key back.
  }
}

describe('the field under the keyboard', () => {
  let screen: HTMLElement;
  let field: HTMLTextAreaElement;
  let hands: Written;
  let typing: Typing;

  beforeEach(() => {
    vi.useFakeTimers();
    document.body.innerHTML = '<div id="screen"><textarea></textarea></div><button></button>';
    screen = document.querySelector('div') as HTMLElement;
    field = document.querySelector('textarea') as HTMLTextAreaElement;
    typing = new Typing(screen, field, () => hands, 'other');
    hands = new Written(screen);
    field.focus();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const down = (key: string, code: string, more: KeyboardEventInit = {}) =>
    field.dispatchEvent(
      new KeyboardEvent('keydown', { key, code, bubbles: true, cancelable: true, ...more }),
    );
  const up = (key: string, code: string) =>
    field.dispatchEvent(new KeyboardEvent('keyup', { key, code, bubbles: true }));
  const input = (value: string, isComposing = false) => {
    field.value = value;
    field.dispatchEvent(new InputEvent('input', { isComposing, bubbles: true }));
  };

  test('types a dead key and its letter as one character, as Chromium composes', () => {
    down('Dead', 'Backquote');
    input('^', true);
    vi.advanceTimersByTime(3000);
    expect(hands.did).toEqual([]);
    down('Process', 'KeyE', { keyCode: 229, isComposing: true } as KeyboardEventInit);
    input('ê', true);
    field.dispatchEvent(new CompositionEvent('compositionend', { data: 'ê' }));
    up('e', 'KeyE');
    expect(hands.did).toEqual(['ê']);
    expect(field.value).toBe('');
  });

  test('types it once, as WebKit composes', () => {
    down('Dead', 'Backquote');
    input('^', true);
    input('', true);
    field.dispatchEvent(new CompositionEvent('compositionend', { data: '' }));
    input('ê', true);
    field.dispatchEvent(new CompositionEvent('compositionend', { data: 'ê' }));
    expect(hands.did).toEqual(['ê']);
  });

  test('holds no text key down, and repeats one as it repeats here', () => {
    expect(down('a', 'KeyA')).toBe(false);
    down('a', 'KeyA', { repeat: true });
    vi.advanceTimersByTime(60_000);
    expect(hands.did).toEqual(['a', 'a']);
  });

  test('lets go of a key that no release is heard of before the customer’s computer repeats it', () => {
    down('ArrowDown', 'ArrowDown');
    vi.advanceTimersByTime(399);
    expect(hands.did).toEqual(['ArrowDown down']);
    down('ArrowDown', 'ArrowDown', { repeat: true });
    vi.advanceTimersByTime(400);
    expect(hands.did).toEqual(['ArrowDown down', 'ArrowDown up', 'ArrowDown down', 'ArrowDown up']);
  });

  test('lets go of a modifier that has come up unheard, at the next key or movement of the mouse', () => {
    down('Control', 'ControlLeft', { ctrlKey: true });
    vi.advanceTimersByTime(60_000);
    down('c', 'KeyC', { ctrlKey: true });
    down('v', 'KeyV');
    expect(hands.did).toEqual(['ControlLeft down', 'c', 'ControlLeft up', 'v']);
    down('Shift', 'ShiftLeft', { shiftKey: true });
    screen.dispatchEvent(new MouseEvent('mousemove', { bubbles: true }));
    expect(hands.did.at(-1)).toBe('ShiftLeft up');
  });

  test('lets go of everything once the keyboard is elsewhere', () => {
    down('Shift', 'ShiftLeft', { shiftKey: true });
    document.querySelector('button')?.focus();
    expect(hands.did.at(-1)).toBe('ShiftLeft up');
    down('Shift', 'ShiftLeft', { shiftKey: true });
    document.dispatchEvent(new Event('visibilitychange'));
    expect(hands.did.at(-1)).toBe('ShiftLeft up');
  });

  test('types what an input method, an emoji panel or a paste puts into it', () => {
    input('漢字👍');
    input('two\nlines');
    expect(hands.did.join('')).toBe('漢字👍two⏎lines');
  });

  test('passes nothing on while the customer has paused control', () => {
    field.readOnly = true;
    // noVNC doesn't listen then.
    expect(down('a', 'KeyA')).toBe(true);
    expect(hands.did).not.toContain('a');
  });

  test('calls up a touch screen’s keyboard, whose Backspace and corrections are typed too', () => {
    expect(field.inputMode).toBe('none');
    typing.callKeyboard(true);
    expect([field.inputMode, document.activeElement]).toEqual(['text', field]);
    const idle = field.value;
    input(`${idle}hi`, true);
    input(`${idle}hello`, true);
    field.dispatchEvent(new CompositionEvent('compositionend', { data: 'hello' }));
    expect(hands.did.join('')).toBe('hi⌫ello');
    input(field.value.slice(1));
    expect(hands.did.at(-1)).toBe('⌫');
    typing.callKeyboard(false);
    expect([field.inputMode, field.value]).toEqual(['none', '']);
  });
});
