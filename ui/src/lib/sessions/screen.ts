import type { PresenterView, ScreenView, SharingKind, WaitingView, WatcherView } from '../ipc/bindings';
import { moment } from '../time/format';

/** What there is to see, beside the presence. */
export const SHARING: Record<SharingKind, string> = {
  unknown: 'Not known yet',
  none: 'Not shared',
  shared: 'Screen shared',
  paused: 'Control paused by the customer',
};

/** A roster that is older than this, in ms, is shown with its age; the service is asked every 2 s. */
const FRESH = 7_000;

/** “Anna controls · 12 ms · 24 pictures/s · since 14:03 · end-to-end encrypted”: only what is known. */
export function watches(watcher: WatcherView, now: number): string {
  const name = watcher.name || 'Somebody';
  const since = watcher.since === null ? [] : [`since ${moment(watcher.since, now)}`];
  if (!watcher.watching) return [`${name} is here, without a picture`, ...since].join(' · ');
  const parts = [`${name} ${watcher.controls ? 'controls' : 'watches'}`];
  if (watcher.latency_ms !== null) parts.push(`${watcher.latency_ms} ms`);
  if (watcher.fps !== null) parts.push(`${watcher.fps} ${watcher.fps === 1 ? 'picture' : 'pictures'}/s`);
  parts.push(...since, watcher.sealed ? 'end-to-end encrypted' : 'not end-to-end encrypted');
  return parts.join(' · ');
}

/** Who waits to be let in, and what should be known before they are. */
export function newcomer({ name, controls, sealed, invited }: WaitingView) {
  const called = name || 'somebody without a name';
  const who = `${name || 'Somebody without a name'} waits to ${controls ? 'see and control' : 'see'} the screen.`;
  const facts = [
    invited ? 'They have a link of yours.' : 'They have nothing but the PIN.',
    sealed ? 'End-to-end encrypted.' : 'They use a web page: whoever runs the server could see the screen.',
  ];
  return { name: called, who, facts: facts.join(' ') };
}

/** “Maria has been connected since 14:03”: only what is known. */
export function connected({ name, since }: PresenterView, now: number): string {
  const state = since === null ? 'is connected' : `has been connected since ${moment(since, now)}`;
  return `${name || 'The customer'} ${state}`;
}

/** `linux-x86_64` as people say it. */
export function platform(name: string): string {
  const [system = '', ...machine] = name.split('-');
  const known: Record<string, string> = { linux: 'Linux', windows: 'Windows', macos: 'macOS' };
  return [known[system] ?? system, ...machine].join(' ');
}

/** How old what is known is, in seconds, where that should be said; none while it is fresh. */
export function age(screen: ScreenView, now: number): number | null {
  if (screen.current || screen.as_of === null || now - screen.as_of < FRESH) return null;
  return Math.round((now - screen.as_of) / 1000);
}
