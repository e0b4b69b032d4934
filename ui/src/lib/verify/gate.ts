import type { GateView } from '../ipc/bindings';

/** No viewer and no viewer link until somebody is verified. */
export const shut = (gate: GateView): boolean => gate.policy === 'require' && !gate.open;

/** It would be better to verify somebody first, and nothing is in the way. */
export const warned = (gate: GateView): boolean => gate.policy === 'warn' && !gate.open;

/** Why a button is out of reach, for its title. */
export const SHUT = 'This console’s policy: a viewer needs a verification first.';
