import type { SessionDetail } from '../ipc/bindings';
import { moment, running } from '../time/format';
import { isWaiting } from './state';

export type Counted = Pick<
  SessionDetail,
  'waited_ms' | 'waiting' | 'connected_ms' | 'connected' | 'timers_at' | 'created_at'
> & { row: Pick<SessionDetail['row'], 'live' | 'active_at'> };

/** The three timers in milliseconds at `now`: those that run go on from the moment at which they were read. */
export function timers(detail: Counted, now: number): { waited: number; connected: number; total: number } {
  const since = Math.max(0, now - detail.timers_at);
  return {
    waited: detail.waited_ms + (detail.waiting ? since : 0),
    connected: detail.connected_ms + (detail.connected ? since : 0),
    total: Math.max(0, (detail.row.live ? now : detail.row.active_at) - detail.created_at),
  };
}

/** How long the state has lasted, in words that follow the state's: `Connected 12:41`, `for 1:05`. */
export function lasting(detail: SessionDetail, now: number): string {
  const { kind, since } = detail.row.state;
  const counted = timers(detail, now);
  if (detail.connected) return `Connected ${running(counted.connected)}`;
  // What isn't counted as waiting isn't called so either, such as the session of a customer who declined.
  if (detail.waiting && isWaiting(kind))
    return `${kind === 'waiting' ? 'for' : 'Waiting'} ${running(counted.waited)}`;
  if (since === null) return '';
  return `${kind === 'closed' ? 'at' : 'since'} ${moment(since, now)}`;
}
