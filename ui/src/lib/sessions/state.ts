import CalendarX from '@lucide/svelte/icons/calendar-x-2';
import CircleSlash from '@lucide/svelte/icons/circle-slash';
import CircleStop from '@lucide/svelte/icons/circle-stop';
import CircleQuestion from '@lucide/svelte/icons/circle-question-mark';
import Download from '@lucide/svelte/icons/download';
import Globe from '@lucide/svelte/icons/globe';
import Hourglass from '@lucide/svelte/icons/hourglass';
import Loader from '@lucide/svelte/icons/loader-circle';
import MessageCircleQuestion from '@lucide/svelte/icons/message-circle-question-mark';
import MonitorPlay from '@lucide/svelte/icons/monitor-play';
import SquareCheck from '@lucide/svelte/icons/square-check';
import TriangleAlert from '@lucide/svelte/icons/triangle-alert';
import UserCheck from '@lucide/svelte/icons/user-check';
import UserSearch from '@lucide/svelte/icons/user-search';
import WifiOff from '@lucide/svelte/icons/wifi-off';
import type { Component } from 'svelte';
import type { StateKind, StateView } from '../ipc/bindings';

export type Tone = 'ok' | 'wait' | 'bad' | 'info' | 'quiet';

export interface IconAndTone {
  icon: Component<{ size?: number | string; class?: string }>;
  tone: Tone;
}

/** Each state's icon and tone. The word comes from the console, so that meaning is never by colour alone. */
export const STATE_ICONS: Record<StateKind, IconAndTone> = {
  allocating: { icon: Loader, tone: 'info' },
  waiting: { icon: Hourglass, tone: 'wait' },
  page_open: { icon: Globe, tone: 'wait' },
  downloaded: { icon: Download, tone: 'wait' },
  being_asked: { icon: MessageCircleQuestion, tone: 'wait' },
  declined: { icon: CircleSlash, tone: 'bad' },
  ready: { icon: UserCheck, tone: 'info' },
  viewer_waiting: { icon: UserSearch, tone: 'wait' },
  active: { icon: MonitorPlay, tone: 'ok' },
  presenter_offline: { icon: WifiOff, tone: 'bad' },
  ended: { icon: CircleStop, tone: 'quiet' },
  unknown: { icon: CircleQuestion, tone: 'wait' },
  expired: { icon: CalendarX, tone: 'quiet' },
  failed: { icon: TriangleAlert, tone: 'bad' },
  closed: { icon: SquareCheck, tone: 'quiet' },
};

/** A state's detail without the word that it begins with and that stands beside it: of “unknown since 14:03” the rest. */
export function stateDetail(state: Pick<StateView, 'label' | 'detail'>): string {
  const word = `${state.label.toLowerCase()} `;
  return state.detail.toLowerCase().startsWith(word) ? state.detail.slice(word.length) : state.detail;
}

/** Whether a session waits for somebody, as the console counts it: not while its PIN is being fetched. */
export const isWaiting = (kind: StateKind): boolean => WAITING.has(kind);

const WAITING: ReadonlySet<StateKind> = new Set([
  'waiting',
  'page_open',
  'downloaded',
  'being_asked',
  'viewer_waiting',
]);

export const isActive = (kind: StateKind): boolean => kind === 'active';
