// The viewers that wait to be let in, as all pages of a session are told of them.

/** A viewer that waits to be let in, as the customer's program tells it. It goes back unchanged with the answer. */
export type WaitingViewer = {
  challenge: string;
  page: string;
  name: string;
  role: 'watch' | 'control';
  sealed: boolean;
  invited: boolean;
};

/** What the lists of people say of somebody who waits. */
export const WAITS = 'Waits to be let in';

/** Whether the page with this public half waits. */
export function isWaiting(waiting: WaitingViewer[], page: string): boolean {
  return waiting.some((one) => one.page === page);
}

/** Reads who waits from a roster. */
export function waitingOf(roster: Record<string, unknown>): WaitingViewer[] {
  const { waiting } = roster;
  return Array.isArray(waiting) ? (waiting as WaitingViewer[]) : [];
}
