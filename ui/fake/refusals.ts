import type { Trouble } from '../src/lib/ipc/bindings';

/** What the services of identity are refused with. */
export const CANCELLED_IN_BROWSER: Trouble = {
  code: 'try_again',
  text: 'Sign in as Anna Keller: it was cancelled in the browser.',
  remedy: 'Try again, and choose the passkey when the browser asks.',
};
export const LAST: Trouble = {
  code: 'refused',
  text: 'Delete a passkey: it is the last one.',
  remedy: 'Add another first, or confirm it.',
};
export const TAKEN: Trouble = {
  code: 'refused',
  text: 'Save the aliases: “taken@example.com” belongs to somebody else already.',
  remedy: 'Take it out of the list, or have the other person give it up first.',
};
export const NO_MAIL: Trouble = {
  code: 'refused',
  text: 'E-mail a code: one-time passwords by e-mail are not enabled in this domain.',
  remedy: 'Enable them in LoginTC’s administration, or send a push.',
};
export const NO_SESSION: Trouble = {
  code: 'not_found',
  text: 'Look the device up: the workspace knows no login session of that id.',
  remedy: 'Check the id, or choose it from the list.',
};
export const KEY_REFUSED: Trouble = {
  code: 'set_up',
  text: 'Test the connection: the key was refused (401).',
  remedy: 'Replace the key with one that is still valid.',
};
export const UNCONFIRMED: Trouble = {
  code: 'refused',
  text: 'Log a login session out: it is not confirmed.',
  remedy: 'If that is meant, give the command again with confirmed: true.',
};
export const LOCKED: Trouble = {
  code: 'locked',
  text: 'Do that: this console is locked.',
  remedy: 'Sign in first.',
};
