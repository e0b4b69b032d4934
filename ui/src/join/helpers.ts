import { isWaiting, WAITS, waitingOf } from '../shared/waiting';
import type { PersonRow } from '../shared/sessionPage';

/** What the customer's page says of the others: in a sentence, and a line for each of them. */
export function helpersOf(roster: Record<string, unknown>): { lead: string; rows: PersonRow[] } {
  const waiting = waitingOf(roster);
  // An older broker sends only names.
  const { watchers } = roster;
  const all = Array.isArray(watchers)
    ? (watchers as { name: string; page: string }[])
    : (roster['viewers'] as string[]).map((name) => ({ name, page: '' }));
  const helpers = all.map(({ name, page }) => ({ name, waits: isWaiting(waiting, page) }));
  const names = helpers.filter(({ waits }) => !waits).map(({ name }) => name);
  const spoken = names.map((name, at) => name || (at ? 'a technician' : 'A technician'));
  const rows = helpers.map(({ name, waits }) => ({
    name: name || 'A technician',
    word: waits ? WAITS : 'Here',
    here: !waits,
  }));
  return {
    // Somebody who writes in the chat need not have opened the screen.
    lead: names.length
      ? `${list(spoken)} ${names.length > 1 ? 'are' : 'is'} here with you.`
      : 'You are connected. Nobody has opened your screen yet.',
    rows: names.length ? rows : [...rows, { name: 'Technician', word: 'Not watching yet', here: false }],
  };
}

/** Names or words, as they are listed in a sentence. */
export function list(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
