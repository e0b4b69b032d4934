import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { $ } from '../shared/dom';
import { waitingOf } from '../shared/waiting';
import { questionOf, WaitingStrip } from './waiting';
import { sentencesOf, wordsOf, WordsStrip, type Words } from './words';

describe('the words to compare', () => {
  const told = { type: 'words', words: 'maple otter thunder', compared: 'not_yet', waits: false };

  test('are read, and anything unknown counts as not compared', () => {
    expect(wordsOf(told)).toEqual({ words: 'maple otter thunder', compared: 'not_yet', waits: false });
    expect(wordsOf({ words: 'a b c', compared: 'later' })).toMatchObject({ compared: 'not_yet' });
    expect(wordsOf({ words: 7 })).toBeNull();
  });

  test('say when they changed and when control waits', () => {
    const of = (changes: object) =>
      sentencesOf({ words: 'a', compared: 'not_yet', waits: false, ...changes });
    expect(of({}).before).toBe('Compare by phone:');
    expect(of({}).after).not.toContain('wait');
    expect(of({ waits: true }).after).toContain('Keyboard and mouse wait');
    expect([of({}).alarm, of({ compared: 'changed' }).alarm]).toEqual(['', 'The words have changed.']);
    expect(of({ compared: 'changed' }).before).toMatch(/Compare again by phone:$/);
  });
});

describe('a viewer that waits', () => {
  const ben = { challenge: 'c', page: 'p', name: 'Ben', role: 'watch', sealed: false, invited: false };

  test('is asked about with what is missing', () => {
    const [waits] = waitingOf({ waiting: [ben] });
    expect(waits && questionOf(waits)).toBe(
      'Ben waits to see the screen. They have nothing but the PIN. They use a web page: whoever runs the server could see the screen. Let them in only if you expect them; the customer is told.',
    );
    expect(waitingOf({})).toEqual([]);
  });
});

describe('the strips of a viewer window', () => {
  const IDS = [
    ...[
      'words',
      'words-say',
      'words-alarm',
      'words-before',
      'words-text',
      'words-after',
      'words-done',
      'words-differ',
    ],
    ...['compared', 'waiting', 'waiting-say', 'waiting-in', 'waiting-out'],
  ];

  let now = 0;
  /** Lets the time pass in which a click on "They match" counts for nothing. */
  const settle = () => {
    now += 1000;
  };

  beforeEach(() => {
    document.body.innerHTML = IDS.map((id) => `<button id="${id}" hidden></button>`).join('');
    now = 5000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  const of = (changes: Partial<Words> = {}): Words => ({
    words: 'maple otter thunder',
    compared: 'not_yet',
    waits: true,
    ...changes,
  });

  test('ask to compare until the app knows that the words match, and then let control go on', () => {
    const handlers = {
      onMatch: vi.fn(() => true),
      onDiffer: vi.fn(() => true),
      onAnswered: vi.fn(),
      onReleased: vi.fn(),
      onNotConnected: vi.fn(),
    };
    const strip = new WordsStrip(handlers);
    strip.show(of());
    expect($('words').hidden).toBe(true);
    strip.setPicture(true);
    expect([$('words').hidden, $('compared').hidden, strip.waits]).toEqual([false, true, true]);
    settle();
    $('words-done').click();
    expect(handlers.onMatch).toHaveBeenCalledWith('maple otter thunder');
    expect(handlers.onAnswered).toHaveBeenCalledOnce();
    expect($('words').hidden).toBe(false);
    strip.show(of({ compared: 'match', waits: false }));
    expect([$('words').hidden, $('compared').hidden, strip.waits]).toEqual([true, false, false]);
    expect(handlers.onReleased).toHaveBeenCalledOnce();
    strip.show(of({ words: 'lemon river stone', compared: 'changed' }));
    expect([$('words').hidden, $('compared').hidden]).toEqual([false, true]);
    expect($('words').classList.contains('wait')).toBe(true);
    expect($('words-alarm').textContent).toBe('The words have changed.');
  });

  test('say that nothing was done where the app is not connected', () => {
    const [onNotConnected, onAnswered] = [vi.fn(), vi.fn()];
    const no = () => false;
    const none = { onMatch: no, onDiffer: no, onReleased: vi.fn() };
    const strip = new WordsStrip({ ...none, onAnswered, onNotConnected });
    strip.show(of());
    strip.setPicture(true);
    settle();
    $('words-done').click();
    $('words-differ').click();
    expect(onNotConnected).toHaveBeenCalledTimes(2);
    expect(onAnswered).not.toHaveBeenCalled();
    expect($('words').hidden).toBe(false);
  });

  test('take no click that was meant for the words of before', () => {
    const onMatch = vi.fn(() => true);
    const none = { onDiffer: () => true, onAnswered: vi.fn(), onReleased: vi.fn(), onNotConnected: vi.fn() };
    const strip = new WordsStrip({ onMatch, ...none });
    const counts = () => {
      onMatch.mockClear();
      $('words-done').click();
      return onMatch.mock.calls.length === 1;
    };
    strip.show(of());
    settle();
    strip.setPicture(true);
    expect(counts()).toBe(false);
    now += 999;
    expect(counts()).toBe(false);
    now += 1;
    expect(counts()).toBe(true);
    strip.show(of({ waits: false }));
    strip.setPicture(true);
    expect(counts()).toBe(true);
    strip.show(of({ words: 'lemon river stone', compared: 'changed' }));
    expect(counts()).toBe(false);
    settle();
    expect(counts()).toBe(true);
    expect(onMatch).toHaveBeenCalledWith('lemon river stone');
    strip.setPicture(false);
    strip.setPicture(true);
    expect(counts()).toBe(false);
  });

  test('take at once that the words differ', () => {
    const onDiffer = vi.fn(() => true);
    const none = { onMatch: () => true, onAnswered: vi.fn(), onReleased: vi.fn(), onNotConnected: vi.fn() };
    const strip = new WordsStrip({ onDiffer, ...none });
    strip.show(of());
    strip.setPicture(true);
    $('words-differ').click();
    expect(onDiffer).toHaveBeenCalledOnce();
  });

  test('let whoever said by mistake that the words match say afterwards that they differ', () => {
    const onDiffer = vi.fn(() => true);
    const none = { onMatch: () => true, onAnswered: vi.fn(), onReleased: vi.fn(), onNotConnected: vi.fn() };
    const strip = new WordsStrip({ onDiffer, ...none });
    strip.show(of());
    strip.setPicture(true);
    strip.show(of({ compared: 'match', waits: false }));
    expect($('words').hidden).toBe(true);
    $('compared').click();
    expect([$('words').hidden, $('words-done').hidden]).toEqual([false, true]);
    expect($('words-before').textContent).toBe('You said that these words match:');
    expect($('words-after').textContent).toContain('that ends the session');
    $('compared').click();
    expect($('words').hidden).toBe(true);
    $('compared').click();
    // Words that change meanwhile are asked about as ever.
    strip.show(of({ words: 'lemon river stone', compared: 'changed' }));
    expect($('words-done').hidden).toBe(false);
    strip.show(of({ words: 'lemon river stone', compared: 'match', waits: false }));
    expect($('words').hidden).toBe(true);
    $('compared').click();
    $('words-differ').click();
    expect(onDiffer).toHaveBeenCalledOnce();
    expect([$('words').hidden, $('compared').hidden]).toEqual([false, true]);
    expect($('words-say').textContent).toContain('You ended the session');
  });

  test('give an answer about the viewer that was shown', () => {
    const ben = {
      challenge: 'c',
      page: 'p',
      name: 'Ben',
      role: 'watch',
      sealed: false,
      invited: false,
    } as const;
    const [answer, onAllAnswered] = [vi.fn(() => true), vi.fn()];
    const strip = new WaitingStrip(answer, onAllAnswered);
    const anna = { ...ben, challenge: 'd', name: 'Anna' };
    strip.show([ben, anna]);
    expect($('waiting-say').textContent).toContain('Ben waits');
    $('waiting-out').click();
    expect(answer).not.toHaveBeenCalled();
    settle();
    $('waiting-out').click();
    expect(answer).toHaveBeenCalledWith(ben, false);
    expect([$('waiting').hidden, onAllAnswered.mock.calls.length]).toEqual([false, 0]);
    settle();
    $('waiting-in').click();
    expect(answer).toHaveBeenCalledWith(anna, true);
    expect([$('waiting').hidden, onAllAnswered.mock.calls.length]).toEqual([true, 1]);
  });

  test('ask again, and say why, where the app knows that an answer had no effect', () => {
    const ben = waitingOf({
      waiting: [{ challenge: 'c', page: 'p', name: 'Ben', role: 'watch', sealed: true, invited: true }],
    });
    const answer = vi.fn(() => true);
    const strip = new WaitingStrip(answer, vi.fn());
    strip.show(ben);
    settle();
    $('waiting-in').click();
    expect($('waiting').hidden).toBe(true);
    strip.notDone('c', 'That had no effect: nobody heard it.');
    expect($('waiting').hidden).toBe(false);
    expect($('waiting-say').textContent).toMatch(/^That had no effect: nobody heard it\. Ben waits/);
    $('waiting-in').click();
    expect(answer).toHaveBeenCalledOnce();
    settle();
    $('waiting-in').click();
    expect(answer).toHaveBeenCalledTimes(2);
    // Who waits no longer isn't asked about, whatever is said of the answer.
    strip.show([]);
    strip.notDone('c', 'It had no effect.');
    expect($('waiting').hidden).toBe(true);
  });

  test('take no click for a viewer that took the place of another, nor a second one', () => {
    const viewer = (name: string) =>
      ({ challenge: name, page: 'p', name, role: 'watch', sealed: false, invited: false }) as const;
    const [ben, mallory] = [viewer('Ben'), viewer('Mallory')];
    const answer = vi.fn(() => true);
    const strip = new WaitingStrip(answer, vi.fn());
    strip.show([ben, mallory]);
    settle();
    $('waiting-in').click();
    // Told before the answer was heard: Ben still waits, and isn't asked about again.
    strip.show([ben, mallory]);
    expect($('waiting-say').textContent).toContain('Mallory waits');
    $('waiting-in').click();
    strip.show([mallory]);
    $('waiting-in').click();
    expect(answer.mock.calls).toEqual([[ben, true]]);
    settle();
    $('waiting-in').click();
    expect(answer).toHaveBeenLastCalledWith(mallory, true);
  });
});
