import CircleDot from '@lucide/svelte/icons/circle-dot';
import Download from '@lucide/svelte/icons/download';
import ExternalLink from '@lucide/svelte/icons/external-link';
import Fingerprint from '@lucide/svelte/icons/fingerprint-pattern';
import KeyRound from '@lucide/svelte/icons/key-round';
import Lock from '@lucide/svelte/icons/lock';
import MonitorSmartphone from '@lucide/svelte/icons/monitor-smartphone';
import Settings from '@lucide/svelte/icons/settings';
import ShieldCheck from '@lucide/svelte/icons/shield-check';
import ShieldOff from '@lucide/svelte/icons/shield-off';
import type { IconAndTone } from '../sessions/state';

/** Icons by which the eye finds a kind of entry; what was done stands beside it in words. */
const KINDS: [RegExp, IconAndTone['icon']][] = [
  [/locked/, Lock],
  [/overr/, ShieldOff],
  [/secret|connection/, KeyRound],
  [/sign|profile|passkey|alias/, Fingerprint],
  [/verif|code_/, ShieldCheck],
  [/look|device|logged_out/, MonitorSmartphone],
  [/viewer/, ExternalLink],
  [/export/, Download],
  [/setting|configure/, Settings],
];

export const iconOf = (action: string): IconAndTone['icon'] =>
  KINDS.find(([kind]) => kind.test(action))?.[1] ?? CircleDot;
