import { describe, expect, test } from 'vitest';
import { questionOf, waitingOf } from './waiting';
import { sentencesOf, wordsOf } from './words';

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
    expect(of({ compared: 'changed' }).before).toMatch(/^The words have changed\..*Compare again/);
  });
});

describe('a viewer that waits', () => {
  const ben = { challenge: 'c', page: 'p', name: 'Ben', role: 'watch', sealed: false, invited: false };

  test('is asked about with what is missing', () => {
    const [waits] = waitingOf({ waiting: [ben] });
    expect(waits && questionOf(waits)).toBe(
      'Ben waits to see the screen. They have nothing but the PIN. They use a web page, which the server could look on at. Let them in only if you expect them; the customer is told.',
    );
    expect(waitingOf({})).toEqual([]);
  });
});
