import type { Identity } from '../ipc/bindings';
import type { Group } from './fields';

/** Who signs in, and when a viewer needs a verified person. */
const ACCESS: Group[] = [
  {
    id: 'access',
    section: 'access',
    title: 'Sign-in',
    text: 'An app lock: it locks this window, and the console refuses every order. Whoever has the account of this computer has the files.',
    fields: [
      {
        key: 'require_sign_in',
        label: 'Somebody must be signed in',
        hint: '“Not now” is not offered at the start. Somebody needs a passkey before this is switched on.',
        kind: 'switch',
      },
      {
        key: 'lock_after_min',
        label: 'Lock after',
        hint: 'Without a key or a click, 0 to 480; 0 for never.',
        kind: 'number',
        unit: 'minutes',
        min: 0,
        max: 480,
      },
      {
        key: 'lock_with_screen',
        label: 'Lock with the screen',
        hint: 'When the desktop locks its screen, where it tells.',
        kind: 'switch',
      },
    ],
  },
  {
    id: 'gate',
    section: 'access',
    title: 'Verification',
    text: 'This console’s policy, not a lock on the service: whoever has a viewer’s link can open it elsewhere.',
    fields: [
      {
        key: 'verify_gate',
        label: 'Before a viewer is opened',
        kind: 'choice',
        options: [
          { value: 'off', label: 'Off', hint: 'Nobody needs to be verified.' },
          { value: 'warn', label: 'Warn', hint: 'A warning stands beside the buttons, and they work.' },
          {
            value: 'require',
            label: 'Require',
            hint: 'No viewer and no viewer’s link until the customer has approved. An override needs a reason and a passkey, and is in the audit log.',
          },
        ],
      },
      {
        key: 'verify_gate_min',
        label: 'An approval counts for',
        hint: '1 to 1440. It belongs to one session and ends with it.',
        kind: 'number',
        unit: 'minutes',
        min: 1,
        max: 1440,
      },
      {
        key: 'verify_wait_s',
        label: 'Wait for the phone',
        hint: '10 to 600.',
        kind: 'number',
        unit: 's',
        min: 10,
        max: 600,
      },
      {
        key: 'company',
        label: 'Company',
        hint: 'People see it beside your name: on the phone, and before they share their screen.',
        kind: 'text',
        placeholder: 'Example Help Desk',
      },
    ],
  },
];

const address = (key: string, placeholder: string) =>
  ({ key, label: 'Address', kind: 'text', mono: true, placeholder }) as const;
const SANDBOX = 'The sandbox that comes along';

/** What each service is told; its secret is no setting. */
const SERVICES: Record<Identity, Group> = {
  passwordless: {
    id: 'passwordless',
    section: 'services',
    title: 'Passwordless.dev',
    fields: [
      address('passwordless_url', SANDBOX),
      {
        key: 'passwordless_key',
        label: 'Public key',
        kind: 'text',
        mono: true,
        placeholder: 'app:public:…',
      },
    ],
  },
  logintc: {
    id: 'logintc',
    section: 'services',
    title: 'LoginTC',
    fields: [
      address('logintc_url', SANDBOX),
      {
        key: 'logintc_domain',
        label: 'Domain id',
        kind: 'text',
        mono: true,
        placeholder: '40 hex digits',
      },
    ],
  },
  rocketchat: {
    id: 'rocketchat',
    section: 'services',
    title: 'Rocket.Chat',
    fields: [
      address('rocketchat_url', SANDBOX),
      { key: 'rocketchat_user', label: 'User id', kind: 'text', mono: true, placeholder: 'The token’s' },
    ],
  },
};

export const IDENTITY_GROUPS: Group[] = [...ACCESS, ...Object.values(SERVICES)];

export const serviceGroup = (service: Identity): Group => SERVICES[service];
