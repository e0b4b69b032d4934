import type { AccessView, CeremonyView, PersonView, Purpose } from '../ipc/bindings';

/** Whether somebody can be locked out: there is a person who can sign in again. */
export const canLock = (access: AccessView | undefined): boolean => access?.is === 'signed_in';

/** Nobody may see anything here yet: somebody has to sign in, or to make the first profile where one is required. */
export const isLocked = (access: AccessView | undefined): boolean =>
  access?.is === 'locked' || (access?.is === 'first_start' && access.required);

/** Nobody signs in here yet, and a profile can be made. */
export const canSetUp = (access: AccessView): boolean =>
  access.people.length === 0 && (access.is === 'open' || access.is === 'first_start');

/** The step in the browser that is for one purpose: under way, or how it failed. */
export const step = (access: AccessView, purpose: Purpose): CeremonyView | null =>
  access.ceremony?.purpose === purpose ? access.ceremony : null;

/** Whether the step in the browser is still under way. */
export const waits = (ceremony: CeremonyView | null): boolean =>
  ceremony !== null && ceremony.step !== 'failed';

/** The person who signs in unless somebody else is chosen: the last one who did. */
export const likely = (access: AccessView): PersonView | null => access.person ?? access.people[0] ?? null;

/** `AK`: the first letters of the first and the last word. */
export function initials(name: string): string {
  return name
    .trim()
    .split(/\s+/)
    .filter((_, n, all) => n === 0 || n === all.length - 1)
    .map((part) => [...part][0]?.toUpperCase() ?? '')
    .join('');
}

/** What is wrong with a name, in a sentence; none if nothing is. The console checks it again. */
export function nameFault(typed: string): string | null {
  const name = typed.trim();
  if (name === '') return 'Type your name, as your records will carry it.';
  return [...name].length > 64 ? 'A name has at most 64 characters.' : null;
}
