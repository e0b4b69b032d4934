import type { Settings } from '../bindings';
import { DEFAULTS } from '../settings';

/** The settings with their defaults filled in, as the console answers them. */
export const SETTINGS: Settings = {
  ...DEFAULTS,
  technician: 'Anna Keller',
  company: 'Example Help Desk',
};
