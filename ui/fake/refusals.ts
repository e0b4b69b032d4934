import type { Trouble } from '../src/lib/ipc/bindings';

// What the console refuses commands with.

export const CANCELLED_IN_BROWSER: Trouble = {
  code: 'try_again',
  text: 'Sign in as Anna Keller: it was cancelled in the browser.',
  remedy: 'Try again, and choose the passkey when the browser asks.',
};
export const WEAK_PASSPHRASE: Trouble = {
  code: 'bad_input',
  text: 'Seal the backup: the passphrase is too easy to guess (it has fewer than 12 characters).',
  remedy: 'Choose a longer one, such as four random words.',
};
export const WRONG_PASSPHRASE: Trouble = {
  code: 'unlock_key',
  text: 'Open the backup deskhand-2026-11-29.backup: the passphrase is wrong.',
  remedy: 'Enter it again; without it the backup can’t be opened.',
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
export const LOCKED: Trouble = {
  code: 'locked',
  text: 'Do that: this console is locked.',
  remedy: 'Sign in first.',
};
export const UNREACHABLE: Trouble = {
  code: 'already_running',
  text: 'Open the data folder: another Deskhand has it (process 4711).',
  remedy: 'Use that window, or quit it and try again.',
};
export const CANCELLED: Trouble = {
  code: 'try_again',
  text: 'Save the customer’s program: it was cancelled, and no file is left.',
  remedy: 'Try the download again. What the service gave is kept, encrypted.',
};
export const BAD_URL: Trouble = {
  code: 'bad_input',
  text: 'Set base_url: it is not a plain http or https address.',
  remedy: 'Give an address like https://help.example.org/api/v1, or leave it empty.',
};
export const TERMS: Trouble = {
  code: 'bad_input',
  text: 'Set base_url: the hosted service’s licence terms are not accepted yet.',
  remedy:
    'Read them and set licence_consent to true. The hosted service at loginwith.me is free for personal and internal business use. A product that is distributed and uses it needs an agreement with its vendor. Deskhand records who accepted this, and when.',
};
export const notFound = (id: string): Trouble => ({
  code: 'not_found',
  text: `Show session ${id}: there is none of that name.`,
  remedy: 'Choose another one.',
});
export const unconfirmed = (what: string): Trouble => ({
  code: 'refused',
  text: `${what}: it is not confirmed.`,
  remedy: 'If that is meant, give the command again with confirmed: true.',
});
export const NO_REGION: Trouble = {
  code: 'choose_region',
  text: 'Get a PIN: none of the five regions answers.',
  remedy: 'Check the network and try again, or choose a region by hand.',
};
