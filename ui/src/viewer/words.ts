import { $ } from '../shared/dom';

/** Whether the words were compared: never, with the result that they match, or before they changed. */
export type Compared = 'not_yet' | 'match' | 'changed';

/** The words that both people compare, as the app tells them. */
export type Words = {
  words: string;
  compared: Compared;
  /** Keyboard and mouse wait until somebody says that the words match. */
  waits: boolean;
};

/** What the strip reports. Each is false if it can't be said now. */
export type WordsHandlers = {
  onMatch(words: string): boolean;
  onDiffer(): boolean;
  /** The question was answered, so the keyboard is wanted elsewhere. */
  onAnswered(): void;
  /** Keyboard and mouse need not wait any longer. */
  onReleased(): void;
  onNotConnected(): void;
};

/** Reads a message of the app; null if it has no words. */
export function wordsOf({ words, compared, waits }: Record<string, unknown>): Words | null {
  if (typeof words !== 'string' || words === '') return null;
  const known = compared === 'match' || compared === 'changed' ? compared : 'not_yet';
  return { words, compared: known, waits: waits === true };
}

/** What stands before and after the words, and what warns first of all, if anything does. */
export function sentencesOf({ compared, waits }: Words): { alarm: string; before: string; after: string } {
  const same = "If the customer's banner shows the same words, nobody in between can see or type.";
  const until = waits ? ' Keyboard and mouse wait until you have said so.' : '';
  if (compared === 'changed') {
    return {
      alarm: 'The words have changed.',
      before:
        'The customer started the program on another computer, or somebody has come in between. Compare again by phone:',
      after: `${same}${until}`,
    };
  }
  if (compared === 'match') {
    const after = "If the customer's banner shows others, say so: that ends the session.";
    return { alarm: '', before: 'You said that these words match:', after };
  }
  return { alarm: '', before: 'Compare by phone:', after: `${same}${until}` };
}

/** So long after the words appear or change a click counts for nothing: it was meant for those before. */
const SETTLE_MS = 1000;

/** The strip that asks to compare the words, and the mark that they were compared. */
export class WordsStrip {
  private now: Words | null = null;
  private picture = false;
  private differ = false;
  /** Whether somebody looks at the words once more after they said that these match. */
  private again = false;
  /** When the words last appeared or changed. */
  private since = 0;

  constructor(private readonly handlers: WordsHandlers) {
    $('words-done').addEventListener('click', () => {
      if (performance.now() - this.since < SETTLE_MS) return;
      if (!this.now) return;
      if (handlers.onMatch(this.now.words)) handlers.onAnswered();
      else handlers.onNotConnected();
    });
    // Whoever said so by mistake can still say that they differ.
    $('compared').addEventListener('click', () => {
      this.again = !this.again;
      this.draw();
    });
    $('words-differ').addEventListener('click', () => {
      if (handlers.onDiffer()) this.showEnd();
      else handlers.onNotConnected();
    });
  }

  /** Whether there are words at all. */
  get areKnown(): boolean {
    return this.now !== null;
  }

  /** Whether keyboard and mouse wait. */
  get waits(): boolean {
    return this.now?.waits ?? false;
  }

  show(words: Words): void {
    const waited = this.waits;
    if (words.words !== this.now?.words) this.since = performance.now();
    if (words.compared !== 'match') this.again = false;
    this.now = words;
    const { alarm, before, after } = sentencesOf(words);
    $('words-alarm').textContent = alarm;
    $('words-before').textContent = before;
    $('words-text').textContent = words.words;
    $('words-after').textContent = after;
    this.draw();
    if (waited && !words.waits) this.handlers.onReleased();
  }

  /** Whether there is a picture: without one there is nothing to protect. */
  setPicture(shown: boolean): void {
    if (shown && !this.picture) this.since = performance.now();
    this.picture = shown;
    this.draw();
  }

  private draw(): void {
    const compared = this.now?.compared;
    const matched = compared === 'match';
    const asks = this.picture && compared !== undefined && (!matched || this.again);
    $('words').hidden = !asks && !this.differ;
    $('words-done').hidden = matched || this.differ;
    const strip = $('words').classList;
    const warns = this.differ || compared === 'changed';
    strip.toggle('wait', warns);
    strip.toggle('ok', !warns);
    const mark = $('compared');
    mark.hidden = !this.picture || !matched || this.differ;
    mark.title = `The words were compared and match: ${this.now?.words ?? ''}. Click to see them again, or to say that they don't match.`;
    mark.setAttribute('aria-expanded', String(this.again));
  }

  private showEnd(): void {
    this.differ = true;
    $('words-differ').hidden = true;
    $('words-say').textContent =
      'You ended the session: somebody may be between you and the customer. Call the customer on a number that you know, have them close the program, and begin a new session over another network.';
    this.draw();
  }
}
