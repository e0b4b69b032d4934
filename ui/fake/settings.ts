import type { Settings } from '../src/lib/ipc/bindings';
import { DEFAULTS } from '../src/lib/ipc/settings';

/** The settings with their defaults filled in, as the console answers them. */
export const SETTINGS: Settings = {
  ...DEFAULTS,
  technician: 'Anna Keller',
  company: 'Example Help Desk',
};
