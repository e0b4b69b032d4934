import type {
  AccessView,
  AuditLine,
  CeremonyView,
  DeviceView,
  GateView,
  IdentityServiceView,
  PasskeyView,
  PersonView,
  Purpose,
  VerificationState,
  VerificationView,
} from '../src/lib/ipc/bindings';
import { hhmm } from '../src/lib/time/format';
import { MINUTE } from './make';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const ANNA: PersonView = {
  id: '5f0c2a9e-1e0b-4f5b-9d3a-6f0f2f6f1a10',
  name: 'Anna Keller',
  email: 'anna.keller@example.com',
};
export const JONAS: PersonView = {
  id: 'a1b7c9d2-3c52-4a67-8a7c-0d5b7a1c9e44',
  name: 'Jonas Weber',
  email: 'jonas.weber@example.com',
};

export function access(is: AccessView['is'], now: number, more: Partial<AccessView> = {}): AccessView {
  const known = is === 'signed_in' || is === 'locked';
  return {
    is,
    since: is === 'first_start' ? null : now - 8 * MINUTE,
    why: is === 'locked' ? 'idle' : null,
    person: known ? ANNA : null,
    people: known ? [ANNA] : [],
    required: false,
    ceremony: null,
    ...more,
  };
}

const PURPOSES: Record<Purpose, string> = {
  create_profile: 'Create a passkey for Anna Keller',
  sign_in: 'Sign in as Anna Keller',
  add_passkey: 'Add a passkey for Anna Keller',
  override: 'Sign the override as Anna Keller',
};

export function ceremony(purpose: Purpose, now: number, more: Partial<CeremonyView> = {}): CeremonyView {
  return {
    purpose,
    text: PURPOSES[purpose],
    step: 'waiting',
    until: now + 2 * MINUTE,
    trouble: null,
    ...more,
  };
}

export function gate(policy: GateView['policy'], more: Partial<GateView> = {}): GateView {
  const text = policy === 'off' ? '' : 'The customer has not been verified in this session.';
  return { policy, open: policy === 'off', until: null, text, overridden: null, ...more };
}

/** The gate that a verification or an override opened for half an hour. */
export function openGate(policy: GateView['policy'], at: number, reason?: string): GateView {
  const verified = reason === undefined;
  return gate(policy, {
    open: true,
    until: at + 30 * MINUTE,
    text: verified
      ? `The customer approved at ${hhmm(at)}.`
      : `The customer was not verified: overridden at ${hhmm(at)}.`,
    overridden: verified ? null : { by: ANNA.name, at, reason },
  });
}

export function verification(
  id: number,
  state: VerificationState,
  at: number,
  more: Partial<VerificationView> = {},
): VerificationView {
  const waits = state === 'asking' || state === 'no_answer_yet';
  return {
    id,
    who: 'customer',
    user: 'maria.lopez',
    how: 'push',
    by: 'Anna Keller',
    at,
    reason: 'Remote support, HD-20417',
    shown: [
      ['Asked as', 'Customer: if you approve, the technician may see your screen'],
      ['Technician', 'Anna Keller'],
      ['Company', 'Example Help Desk'],
      ['Reason', 'Remote support, HD-20417'],
      ['Session', '7D20C1A4'],
      ['Number', '47'],
    ],
    state,
    until: waits ? at + MINUTE : null,
    ended_at: waits ? null : at + 9000,
    trouble: null,
    warning: null,
    ...more,
  };
}

export function device(n: number, now: number, more: Partial<DeviceView> = {}): DeviceView {
  const [name = '', username = ''] = OWNERS[n % OWNERS.length] ?? [];
  const [kind = '', app = '', os = ''] = MACHINES[n % MACHINES.length] ?? [];
  return {
    login_session: `Sess${String(n).padStart(5, '0')}k7QwZr2pLm`,
    kind,
    app,
    os,
    host: 'chat.example.com',
    ip: `10.${(n >> 8) % 256}.${n % 256}.17`,
    login_at: now - n * 7 * MINUTE - HOUR,
    name,
    username,
    user_id: `u${n % OWNERS.length}aXq9TtP`,
    looked_up_at: null,
    by: '',
    logged_out: false,
    ...more,
  };
}

const OWNERS: [string, string][] = [
  ['Maria Lopez', 'maria.lopez'],
  ['James Okafor', 'j.okafor'],
  ['Zoë Ångström-Núñez', 'zoe'],
  ['مريم الخالدي', 'mariam'],
  ['', 'service.account'],
];
const MACHINES: [string, string, string][] = [
  ['browser', 'Firefox 145.0', 'Windows 11'],
  ['mobile-app', 'Rocket.Chat 4.60', 'Android 15'],
  ['browser', 'Chrome 142.0', 'macOS 15.6'],
  ['desktop-app', 'Rocket.Chat Desktop 4.9', 'Linux'],
];

export function passkeys(now: number): PasskeyView[] {
  return [
    {
      id: 'cred-1',
      nickname: 'Work laptop',
      device: 'Chrome, Windows 11',
      country: 'DE',
      created_at: now - 90 * DAY,
      last_used_at: now - 8.5 * MINUTE,
    },
    {
      id: 'cred-2',
      nickname: 'Security key on the key ring, for when the laptop is at home',
      device: 'Firefox, Linux',
      country: '',
      created_at: now - 30 * DAY,
      last_used_at: null,
    },
  ];
}

const sandbox = (
  service: IdentityServiceView['service'],
  base_url: string,
  secret: IdentityServiceView['secret'],
  page: string | null,
): IdentityServiceView => ({
  service,
  sandbox: true,
  base_url,
  secret,
  has_secret: false,
  secret_set_at: null,
  secret_set_by: '',
  missing: null,
  page,
});
const SANDBOX = [
  sandbox('passwordless', 'http://127.0.0.1:47220/passwordless', 'passwordless_secret', null),
  sandbox('logintc', 'http://127.0.0.1:47221/api', 'logintc_key', 'http://127.0.0.1:47221/phone'),
  sandbox('rocketchat', 'http://127.0.0.1:47222', 'rocketchat_token', 'http://127.0.0.1:47222/workspace'),
];

export type ServicesAre = 'sandbox' | 'missing' | 'set';

export function services(are: ServicesAre, now: number): IdentityServiceView[] {
  const urls = ['https://v4.passwordless.dev', 'https://cloud.logintc.com/api', 'https://chat.example.com'];
  if (are === 'sandbox') return structuredClone(SANDBOX);
  return SANDBOX.map((known, n) => ({
    ...known,
    sandbox: false,
    base_url: urls[n] ?? '',
    page: null,
    has_secret: are === 'set',
    secret_set_at: are === 'set' ? now - (n + 3) * DAY : null,
    secret_set_by: are === 'set' ? 'Anna Keller' : '',
    missing:
      are === 'set'
        ? null
        : {
            code: 'set_up',
            text: `Use ${urls[n] ?? ''}: its secret isn’t set.`,
            remedy: 'Enter it here. It goes to the vault and is never shown again.',
          },
  }));
}

const AUDITED: [string, string][] = [
  ['signed_in', 'Signed in with the passkey “Work laptop”'],
  ['viewer_opened', 'Opened a viewer of Maria Lopez’s session'],
  ['verification', 'Maria Lopez approved a push to maria.lopez'],
  ['lookup', 'Looked a login session up for Maria Lopez’s session: Firefox 145.0 on Windows 11'],
  ['override', 'Overrode the verification gate of J. Okafor’s session: “phone is broken, known voice”'],
  ['locked', 'Locked: nobody used the window for 15 minutes'],
  ['exported', 'Exported Priya Raman’s session as CSV'],
  ['settings', 'Changed verify_gate to require'],
];

/** Entries of the audit log, newest first. */
export function audit(now: number, size: number): AuditLine[] {
  return Array.from({ length: size }, (_, n) => {
    const [action = '', text = ''] = AUDITED[n % AUDITED.length] ?? [];
    return {
      seq: size - n,
      at: now - n * 11 * MINUTE,
      by: n % 7 === 6 ? 'Jonas Weber' : 'Anna Keller',
      action,
      text,
      session: action === 'viewer_opened' ? 's1' : null,
    };
  });
}
