import { keysymOf, meaningOf, type Meaning, type System } from './keyMeaning';

/** What types on the customer's computer. */
export type Hands = {
  /** Presses a key there and releases it. */
  tap(keysym: number, code: string | null): void;
  /** Whether the key of this code is down there. */
  holds(code: string): boolean;
  /** Releases the key of this code there. */
  release(code: string): void;
  /** Releases all keys there. */
  releaseKeys(): void;
  /** Presses the Ctrl that noVNC has kept back, in case that an AltGr of Windows comes after it. */
  pressKeptBack(): void;
};

/**
 * How long a key that types no text is down there without news of it. It is less than the time after which an X server
 * repeats a key, so one whose release is never heard of is pressed once. The technician's own computer repeats it.
 */
const HELD_MS = 400;

/** So that a touch keyboard has something to delete, which is how its Backspace is noticed. */
const TO_DELETE = '_'.repeat(64);
const BACKSPACE = 0xff08;

/** The modifiers, with the part of an event that says whether they are held. */
const MODIFIERS = [
  ['Shift', 'shiftKey'],
  ['Control', 'ctrlKey'],
  ['Alt', 'altKey'],
  ['Meta', 'metaKey'],
] as const;

/** The events that say which modifiers are held, at the mouse too. */
type Modified = Pick<MouseEvent, 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>;

/**
 * Types what the technician's keyboard composes, whatever its layout, input method or touch keyboard, on the
 * customer's computer.
 *
 * The keyboard's focus is in a text field that nobody sees, because browsers compose (^ and e to ê) only where text can
 * be written. No text key is ever held down there, so none can stay down: it is pressed and released at once, and
 * again when it repeats here. Modifiers, arrows and the like are noVNC's, which hears of them after this.
 */
export class Typing {
  private touch = false;
  /** The field's content that has been typed there already. */
  private known = '';
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Whether this browser says in its events that Meta is held; WebKitGTK doesn't. */
  private tellsMeta = false;

  constructor(
    screen: HTMLElement,
    private readonly field: HTMLTextAreaElement,
    private readonly hands: () => Hands | null,
    private readonly system: System,
  ) {
    const early = { capture: true };
    screen.addEventListener('keydown', (event) => this.onKeyDown(event), early);
    screen.addEventListener('keyup', (event) => this.forget(event.code), early);
    for (const kind of ['mousedown', 'mousemove', 'wheel'] as const) {
      screen.addEventListener(kind, (event) => this.comeUp(event), { capture: true, passive: true });
    }
    screen.addEventListener('focusout', (event) => {
      if (!screen.contains(event.relatedTarget as Node | null)) this.stop();
    });
    document.addEventListener('visibilitychange', () => this.stop());
    field.addEventListener('input', (event) => {
      const composing = (event as InputEvent).isComposing;
      if (!composing || this.touch) this.take();
      if (!composing) this.empty();
    });
    field.addEventListener('compositionend', () => {
      this.take();
      this.empty();
    });
    this.callKeyboard(false);
  }

  /** Calls up a touch screen's keyboard, or sends it away. Called while a finger's press is being handled. */
  callKeyboard(wanted: boolean): void {
    this.touch = wanted;
    this.field.inputMode = wanted ? 'text' : 'none';
    this.empty();
    // A keyboard comes when a field gets the focus, not while it has it.
    this.field.blur();
    if (wanted) this.field.focus({ preventScroll: true });
  }

  /** Releases all keys, and drops what was half composed. */
  stop(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.hands()?.releaseKeys();
    this.empty();
  }

  private onKeyDown(event: KeyboardEvent): void {
    const hands = this.hands();
    if (!hands || this.field.readOnly) return;
    this.comeUp(event);
    const superHeld = hands.holds('MetaLeft') || hands.holds('MetaRight');
    const meaning = meaningOf(event, this.system, superHeld);
    if (meaning.is === 'other') {
      this.watch(event, hands);
      return;
    }
    event.stopImmediatePropagation();
    if (meaning.is === 'composing') return;
    event.preventDefault();
    this.type(meaning, event.code || null, hands);
  }

  private type(meaning: Meaning & { text: string }, code: string | null, hands: Hands): void {
    if (meaning.is === 'text' && meaning.bare) hands.releaseKeys();
    else hands.pressKeptBack();
    for (const character of meaning.text) hands.tap(keysymOf(character), code);
  }

  /** Sees to it that this key comes up, whether or not its release is heard of. */
  private watch({ code, key, repeat }: KeyboardEvent, hands: Hands): void {
    if (MODIFIERS.some(([name]) => name === key) || key.endsWith('Lock') || key === 'AltGraph') return;
    // What repeats there is what repeats here.
    if (repeat) hands.release(code);
    clearTimeout(this.timers.get(code));
    this.timers.set(
      code,
      setTimeout(() => {
        this.timers.delete(code);
        this.hands()?.release(code);
      }, HELD_MS),
    );
  }

  private forget(code: string): void {
    clearTimeout(this.timers.get(code));
    this.timers.delete(code);
  }

  /** Releases the modifiers that, by this event, have come up unheard. */
  private comeUp(event: Modified): void {
    const hands = this.hands();
    if (!hands) return;
    this.tellsMeta ||= event.metaKey;
    for (const [name, held] of MODIFIERS) {
      if (event[held] || (held === 'metaKey' && !this.tellsMeta)) continue;
      for (const code of [`${name}Left`, `${name}Right`]) if (hands.holds(code)) hands.release(code);
    }
  }

  /** Types what has changed in the field. */
  private take(): void {
    const hands = this.hands();
    const [now, before] = [[...this.field.value], [...this.known]];
    this.known = this.field.value;
    if (!hands) return;
    let same = 0;
    while (same < now.length && now[same] === before[same]) same += 1;
    for (let gone = before.length; gone > same; gone -= 1) hands.tap(BACKSPACE, null);
    for (const character of now.slice(same)) hands.tap(keysymOf(character), null);
  }

  private empty(): void {
    const content = this.touch ? TO_DELETE : '';
    this.known = content;
    if (this.field.value === content) return;
    this.field.value = content;
    this.field.setSelectionRange(content.length, content.length);
  }
}

/** The system that this page is on, as far as keys are concerned. */
export function systemOfKeys(agent: string): System {
  if (/Mac|iPhone|iPad/.test(agent)) return 'mac';
  return agent.includes('Windows') ? 'windows' : 'other';
}
