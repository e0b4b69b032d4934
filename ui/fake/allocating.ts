import type { SessionDetail } from '../src/lib/ipc/bindings';
import { detail, hook, HOOKS, lane, pin, race, row } from './make';
import type { Stage } from './stage';

/** A session that was made just now: it has neither PIN nor region. */
export function begun(id: string, customer: string, now: number): SessionDetail {
  const made = row(id, customer || 'New session', 'allocating', now);
  made.state.since = null;
  return detail(made, now, {
    customer,
    pin: null,
    created_at: now,
    regions: null,
    region: null,
    region_ms: null,
    hooks: HOOKS.map((h) => hook(h, 'off')),
    waited_ms: 0,
  });
}

/** Gives a session its PIN after a race of the regions, and then arms its hooks. */
export function allocate(id: string, stage: Stage): void {
  runRace(stage);
  setTimeout(() => {
    const now = stage.now();
    stage.change(id, (d) => ({
      ...d,
      failure: null,
      pin: pin('9FY-42-0L7W', now),
      region: 'us-east-1',
      region_ms: 24.3,
      regions: race(now),
      waiting: true,
      timers_at: now,
      hooks: HOOKS.map((h) => hook(h, 'rearming')),
      row: {
        ...d.row,
        timer_since: now,
        state: { kind: 'waiting', label: 'Waiting', detail: '', since: now },
      },
    }));
  }, 900);
  setTimeout(() => {
    const checked_at = stage.now();
    stage.change(id, (d) => ({ ...d, hooks: HOOKS.map((h) => hook(h, 'armed', { checked_at })) }));
  }, 1300);
}

/** Has the regions race, which takes a moment. */
export function runRace(stage: Stage): void {
  const at = stage.now();
  const names = race(at).lanes.map((l) => l.region);
  const lanes = names.map((n) => lane(n, { running: true }));
  stage.push({ push: 'regions', ...race(at, { lanes, chosen: null, reason: '', took_ms: null }) });
  setTimeout(() => stage.push({ push: 'regions', ...race(at) }), 600);
}
