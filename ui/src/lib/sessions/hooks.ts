import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import CircleX from '@lucide/svelte/icons/circle-x';
import RefreshCw from '@lucide/svelte/icons/refresh-cw';
import Unplug from '@lucide/svelte/icons/unplug';
import Zap from '@lucide/svelte/icons/zap';
import type { HookView, LampKind } from '../ipc/bindings';
import { hhmm } from '../time/format';
import type { IconAndTone } from './state';

/** Each lamp's icon and tone. Only `armed` is green: what can't reach us may be armed and still tells nothing. */
export const LAMPS: Record<LampKind, IconAndTone> = {
  off: { icon: CircleDashed, tone: 'quiet' },
  armed: { icon: CircleCheck, tone: 'ok' },
  rearming: { icon: RefreshCw, tone: 'wait' },
  failed: { icon: CircleX, tone: 'bad' },
  consumed: { icon: Zap, tone: 'wait' },
  armed_unreachable: { icon: Unplug, tone: 'wait' },
};

/** The lamp in words: `fired 14:01 · armed`, `re-arming · try 2`. */
export function lampWords(hook: HookView): string {
  const fired = hook.fired_at === null ? '' : `fired ${hhmm(hook.fired_at)} · `;
  const nth = hook.attempt > 1 ? ` · try ${hook.attempt}` : '';
  switch (hook.lamp) {
    case 'off':
      return 'off';
    case 'armed':
      return `${fired}armed`;
    case 'rearming':
      return hook.fired_at === null && hook.attempt <= 1 ? 'arming' : `re-arming${nth}`;
    case 'failed':
      return `failed${nth}`;
    case 'consumed':
      return `${fired}not armed`;
    case 'armed_unreachable':
      return 'armed, unreachable';
  }
}
