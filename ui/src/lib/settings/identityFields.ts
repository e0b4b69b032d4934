import type { Identity } from '../ipc/bindings';
import { FIELDS } from '../ipc/settings';
import type { Group } from './fields';

/** Who signs in, and when a viewer needs a verified person. */
const ACCESS: Group[] = [
  {
    id: 'access',
    section: 'access',
    title: 'Sign-in',
    text: 'Locks this app: while it is locked, it takes no commands. Whoever has your account on this computer has the files.',
    fields: FIELDS.access,
  },
  {
    id: 'gate',
    section: 'access',
    title: 'Verification',
    text: 'This console’s policy, not a lock on the service: whoever has a viewer’s link can open it elsewhere.',
    fields: [...FIELDS.gate, ...FIELDS.company],
  },
];

const TITLES: Record<Identity, string> = {
  passwordless: 'Passwordless.dev',
  logintc: 'LoginTC',
  rocketchat: 'Rocket.Chat',
};

/** The settings of a service; its secret isn't one of them. */
export const serviceGroup = (service: Identity): Group => ({
  id: service,
  section: 'services',
  title: TITLES[service],
  fields: FIELDS[service],
});

const SERVICES: Identity[] = ['passwordless', 'logintc', 'rocketchat'];

export const IDENTITY_GROUPS: Group[] = [...ACCESS, ...SERVICES.map(serviceGroup)];
