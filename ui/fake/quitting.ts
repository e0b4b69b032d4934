/** What quitting would end, of a console with the broker inside. */
export const QUITTING = {
  live: 6,
  text: [
    '6 sessions are live.',
    'Quitting also stops the broker inside Deskhand, through which these sessions run.',
    'Maria Lopez and 2 viewers are connected and will be cut off at once.',
    'The sessions are kept. Until Deskhand runs again, nobody can join with their PINs.',
  ],
};
