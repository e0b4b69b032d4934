import type { ListenerView, ServiceView } from '../ipc/bindings';
import type { Tone } from '../sessions/state';

export interface Words {
  text: string;
  tone: Tone;
}

/** The service and whether it answers; green only after an answer. */
export function serviceWords(service: ServiceView): Words {
  const name = service.kind === 'embedded' ? 'Embedded broker' : hostOf(service.base_url);
  switch (service.health.is) {
    case 'answers':
      return { text: name, tone: 'ok' };
    case 'unknown':
      return { text: `${name} · not asked yet`, tone: 'quiet' };
    case 'fails':
      return { text: `${name} · offline`, tone: 'bad' };
  }
}

/** The listener of the hooks, and whether the service can reach it. */
export function listening(listener: ListenerView): Words {
  if (listener.address === null) return { text: 'Not listening', tone: 'bad' };
  const where = `Listening on ${listener.address}`;
  switch (listener.reach) {
    case 'reachable':
      return { text: where, tone: 'quiet' };
    case 'unknown':
      return { text: `${where} · reach not tested`, tone: 'quiet' };
    case 'unreachable':
      return { text: `${where} · the service can’t reach it`, tone: 'wait' };
  }
}

/** Who can join, where this console decides that: its own broker serves this computer only, unless set otherwise. */
export function whoCanJoin(service: ServiceView): string | null {
  if (service.this_computer_only)
    return 'This computer only. Settings has a switch that lets customers on this network join.';
  if (service.kind !== 'embedded' || service.join_page === null) return null;
  const how = service.join_page.startsWith('https:')
    ? 'encrypted'
    : 'not encrypted, as no TLS certificate is set';
  return `Customers on this network, at ${service.join_page} (${how}).`;
}

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
