import Fingerprint from '@lucide/svelte/icons/fingerprint-pattern';
import MonitorSmartphone from '@lucide/svelte/icons/monitor-smartphone';
import Smartphone from '@lucide/svelte/icons/smartphone';
import type { Identity } from '../ipc/bindings';
import type { IconAndTone } from '../sessions/state';

interface About {
  name: string;
  /** What it tells. */
  tells: string;
  icon: IconAndTone['icon'];
  secret: string;
  /** The sandbox's page. */
  page: string;
}

export const ABOUT: Record<Identity, About> = {
  passwordless: {
    name: 'Passwordless.dev',
    tells: 'Passkeys: who is at this console',
    icon: Fingerprint,
    secret: 'API secret',
    page: 'Open its page',
  },
  logintc: {
    name: 'LoginTC',
    tells: 'Push verification: is this the person',
    icon: Smartphone,
    secret: 'API key',
    page: 'Open the phone',
  },
  rocketchat: {
    name: 'Rocket.Chat',
    tells: 'Device lookup: whose device is it',
    icon: MonitorSmartphone,
    secret: 'Access token',
    page: 'Open the workspace',
  },
};
