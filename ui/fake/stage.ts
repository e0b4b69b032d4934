import type { SessionDetail } from '../src/lib/ipc/bindings';
import type { Pushed } from '../src/lib/ipc/port';

/** Where the parts of the fake console that take their time play: its sessions, its clock, and the window that hears. */
export interface Stage {
  now(): number;
  change(id: string, change: (known: SessionDetail) => SessionDetail): void;
  push(...pushes: Pushed[]): void;
}
