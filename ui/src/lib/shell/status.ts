import type { ListenerView, ServiceView } from '../ipc/bindings';
import type { Tone } from '../sessions/state';

export interface Words {
  text: string;
  tone: Tone;
}

/** Which service this is and whether it answers: never green by guess. */
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

/** Where hooks arrive, and whether the service can get there. */
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

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
