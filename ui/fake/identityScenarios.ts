import type { AccessView, SessionDetail, VerificationState } from '../src/lib/ipc/bindings';
import { CANCELLED_IN_BROWSER } from './refusals';
import { MINUTE } from './make';
import { access, ANNA, ceremony, device, gate, JONAS, openGate, verification } from './people';
import type { Scenario } from './scenarios';

type Made = (now: number) => Scenario;

/** The scenarios of signing in, of verifying the customer and of looking up devices. */
export function identityScenarios(empty: Made, rich: Made): Record<string, Made> {
  const at =
    (base: Made, is: AccessView['is'], more: (now: number) => Partial<AccessView> = () => ({})): Made =>
    (now) => {
      const scenario = base(now);
      return { ...scenario, console: { ...scenario.console, access: access(is, now, more(now)) } };
    };
  const asked = (step: 'waiting' | 'failed') => (now: number) => ({
    ceremony: ceremony('sign_in', now, { step, trouble: step === 'failed' ? CANCELLED_IN_BROWSER : null }),
  });
  const signedIn = at(rich, 'signed_in');
  return {
    first: at(empty, 'first_start'),
    first_required: at(empty, 'first_start', () => ({ required: true })),
    first_waiting: at(empty, 'first_start', (now) => ({ ceremony: ceremony('create_profile', now) })),
    locked: at(rich, 'locked'),
    locked_two: at(rich, 'locked', () => ({ people: [ANNA, JONAS] })),
    unlocking: at(rich, 'locked', asked('waiting')),
    unlock_failed: at(rich, 'locked', asked('failed')),
    signed_in: signedIn,
    verified: (now) => first(signedIn(now), (d) => verified(d, now)),
    verifying: (now) => first(signedIn(now), (d) => verifying(d, now)),
    denied: (now) => first(signedIn(now), (d) => denied(d, now)),
    results: (now) => first(signedIn(now), (d) => results(d, now)),
    gate_shut: (now) => first(signedIn(now), (d) => ({ ...d, gate: gate('require') })),
    gate_warns: (now) => first(signedIn(now), (d) => ({ ...d, gate: gate('warn') })),
    gate_overridden: (now) => first(signedIn(now), (d) => overridden(d, now)),
    services_missing: (now) => ({ ...signedIn(now), identity: { services: 'missing' } }),
    services_set: (now) => ({ ...signedIn(now), identity: { services: 'set', onePasskey: true } }),
    audit_broken: (now) => ({ ...signedIn(now), identity: { brokenAt: 417 } }),
    audit_empty: (now) => ({ ...signedIn(now), identity: { entries: 0 } }),
  };
}

function first(scenario: Scenario, change: (detail: SessionDetail) => SessionDetail): Scenario {
  return { ...scenario, details: scenario.details.map((known, n) => (n === 0 ? change(known) : known)) };
}

function verified(d: SessionDetail, now: number): SessionDetail {
  return {
    ...d,
    row: { ...d.row, verified: 'customer' },
    gate: openGate('require', now - 3 * MINUTE),
    verifications: [verification(1, 'approved', now - 3 * MINUTE)],
    devices: [device(0, now, { looked_up_at: now - 2 * MINUTE, by: ANNA.name })],
  };
}

function verifying(d: SessionDetail, now: number): SessionDetail {
  return {
    ...d,
    gate: gate('require'),
    verifications: [
      verification(1, 'timed_out', now - 6 * MINUTE),
      verification(2, 'no_answer_yet', now - 13_000),
    ],
  };
}

function denied(d: SessionDetail, now: number): SessionDetail {
  return { ...d, gate: gate('require'), verifications: [verification(1, 'denied', now - 40_000)] };
}

function results(d: SessionDetail, now: number): SessionDetail {
  const all: VerificationState[] = [
    'unknown',
    'failed',
    'no_device',
    'cancelled',
    'timed_out',
    'denied',
    'approved',
    'no_answer_yet',
  ];
  return {
    ...d,
    verifications: all.map((state, n) =>
      verification(n + 1, state, now - (all.length - 1 - n) * 4 * MINUTE - 9000, {
        how: state === 'failed' ? 'otp' : 'push',
        who: n % 3 === 2 ? 'technician' : 'customer',
        trouble:
          state === 'failed'
            ? {
                code: 'service_fault',
                text: 'Ask for a verification: LoginTC answered with a page instead of data.',
                remedy: 'Check its address in the settings.',
              }
            : null,
      }),
    ),
    devices: [0, 3].map((n) =>
      device(n, now, { looked_up_at: now - MINUTE, by: ANNA.name, logged_out: n > 0 }),
    ),
  };
}

function overridden(d: SessionDetail, now: number): SessionDetail {
  return { ...d, gate: openGate('require', now - 8 * MINUTE, 'Phone is broken, I know the voice') };
}
