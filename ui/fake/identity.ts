import type {
  AccessView,
  CeremonyView,
  CodeAsked,
  Command,
  DeviceView,
  PersonView,
  Reply,
  SecondFactor,
  SessionDetail,
  Trouble,
  VerificationState,
} from '../src/lib/ipc/bindings';
import { KEY_REFUSED, LAST, NO_MAIL, NO_SESSION, TAKEN, unconfirmed } from './refusals';
import {
  ANNA,
  audit,
  ceremony,
  device,
  openGate,
  passkeys,
  services,
  verification,
  type ServicesAre,
} from './people';

/** What a scenario sets for passkeys, services and the audit log. */
export interface IdentityScenario {
  services?: ServicesAre;
  /** The audit log's entry whose link is broken. */
  brokenAt?: number;
  entries?: number;
  /** There is only one passkey. */
  onePasskey?: boolean;
}

type Does =
  | 'create_profile'
  | 'skip_profile'
  | 'sign_in'
  | 'ceremony_link'
  | 'cancel_ceremony'
  | 'lock'
  | 'passkeys'
  | 'add_passkey'
  | 'delete_passkey'
  | 'set_aliases'
  | 'verify'
  | 'cancel_verification'
  | 'mail_code'
  | 'override_gate'
  | 'look_up_device'
  | 'devices'
  | 'log_out_device'
  | 'services'
  | 'set_secret'
  | 'remove_secret'
  | 'test_connection'
  | 'audit'
  | 'verify_audit'
  | 'export_audit';
export type IdentityCommand = Extract<Command, { do: Does }>;

/** What the rest of the fake console offers to this part. */
interface Around {
  now: () => number;
  access: () => AccessView;
  setAccess: (access: AccessView) => void;
  change: (id: string, change: (known: SessionDetail) => SessionDetail) => void;
}

/** The code of a second factor that the workspace accepts. */
export const GOOD_CODE = '123456';
const PAGE = 100;
const DEVICES = 10_000;
/** After how many milliseconds the browser or the phone answers, unless a test answers for it. */
const THINKS = 5000;

/** Passkeys, verification, devices, services and the audit log, in memory. */
export class FakeIdentity {
  readonly #services;
  readonly #audit;
  #passkeys;
  #aliases = { set_here: [] as string[], set_at: null as number | null, hashing: true };
  #factor = false;
  #then: (() => void) | null = null;

  constructor(
    private readonly scenario: IdentityScenario,
    private readonly around: Around,
  ) {
    const now = around.now();
    this.#services = services(scenario.services ?? 'sandbox', now);
    this.#audit = audit(now, scenario.entries ?? 1240);
    this.#passkeys = passkeys(now).slice(0, scenario.onePasskey ? 1 : 2);
  }

  /** The browser reports success. */
  complete(): void {
    const then = this.#then;
    if (this.around.access().ceremony?.step !== 'waiting' || then === null) return;
    this.#then = null;
    then();
  }

  /** The browser reports a failure. */
  fail(trouble: Trouble): void {
    const { ceremony: under } = this.around.access();
    if (under) this.#ceremony({ ...under, step: 'failed', trouble });
  }

  answer(command: IdentityCommand): Reply {
    switch (command.do) {
      case 'create_profile': {
        const person: PersonView = { ...ANNA, name: command.name, email: command.email };
        return this.#begin('create_profile', () => this.#signIn(person));
      }
      case 'skip_profile':
        this.#set({ is: 'open', since: this.around.now() });
        return DONE;
      case 'sign_in': {
        const { people } = this.around.access();
        const who = people.find((one) => one.id === command.person) ?? people[0] ?? ANNA;
        return this.#begin('sign_in', () => this.#signIn(who));
      }
      case 'ceremony_link':
        return LINK;
      case 'cancel_ceremony':
        this.#ceremony(null);
        return DONE;
      case 'lock':
        this.#set({ is: 'locked', since: this.around.now(), why: 'asked', ceremony: null });
        return DONE;
      case 'passkeys':
        return { reply: 'passkeys', passkeys: this.#passkeys, aliases: this.#aliases };
      case 'add_passkey':
        return this.#begin('add_passkey', () => {
          const at = this.around.now();
          const made = { id: `cred-${at}`, device: 'Firefox, Linux', country: '', last_used_at: null };
          this.#passkeys = [...this.#passkeys, { ...made, nickname: command.nickname, created_at: at }];
          this.#ceremony(null);
        });
      case 'delete_passkey':
        if (this.#passkeys.length === 1 && !command.confirmed) throw LAST;
        this.#passkeys = this.#passkeys.filter((known) => known.id !== command.passkey);
        return DONE;
      case 'set_aliases':
        if (command.aliases.includes('taken@example.com')) throw TAKEN;
        this.#aliases = {
          set_here: command.aliases,
          set_at: this.around.now(),
          hashing: command.hashing,
        };
        return DONE;
      case 'verify':
        return this.#verify(command);
      case 'cancel_verification':
        this.settle(command.session, command.verification, 'cancelled');
        return DONE;
      case 'mail_code':
        if (command.user.startsWith('0000')) throw NO_MAIL;
        return DONE;
      case 'override_gate':
        return this.#begin('override', () => {
          this.#ceremony(null);
          this.around.change(command.session, (d) => ({
            ...d,
            gate: openGate('require', this.around.now(), command.reason),
          }));
        });
      case 'look_up_device':
        return this.#lookUp(command.session, command.login_session, command.factor);
      case 'devices':
        return this.#list(command.filter, command.offset, command.factor);
      case 'log_out_device':
        if (!command.confirmed) throw unconfirmed('Log a login session out');
        if (this.#asks(command.factor)) return this.#code(command.factor);
        if (command.session !== undefined)
          this.around.change(command.session, (d) => ({
            ...d,
            devices: d.devices.map((known) =>
              known.login_session === command.login_session ? { ...known, logged_out: true } : known,
            ),
          }));
        return DONE;
      case 'services':
        return { reply: 'services', services: structuredClone(this.#services) };
      case 'set_secret':
      case 'remove_secret':
        return this.#keep(command);
      case 'test_connection':
        return this.#test(command.service);
      case 'audit': {
        const at = command.before ?? Infinity;
        const found = this.#audit.filter((entry) => entry.seq < at).slice(0, PAGE);
        const last = found.at(-1)?.seq ?? 1;
        return { reply: 'audit', entries: found, before: last > 1 ? last : null };
      }
      case 'verify_audit':
        return this.#check();
      case 'export_audit':
        return {
          reply: 'text',
          file_name: 'deskhand-audit.jsonl',
          text: this.#audit.map((entry) => JSON.stringify(entry)).join('\n'),
        };
    }
  }

  /** Ends a verification with what the phone or the service answers. */
  settle(session: string, id: number, state: VerificationState): void {
    const at = this.around.now();
    this.around.change(session, (d) => {
      const known = d.verifications.find((one) => one.id === id);
      if (!known || known.ended_at !== null) return d;
      const good = state === 'approved';
      return {
        ...d,
        row: { ...d.row, verified: good ? known.who : d.row.verified },
        gate: good && d.gate.policy !== 'off' ? openGate(d.gate.policy, at) : d.gate,
        verifications: d.verifications.map((one) =>
          one.id === id ? { ...one, state, until: null, ended_at: at } : one,
        ),
      };
    });
  }

  #verify(command: Extract<Command, { do: 'verify' }>): Reply {
    const now = this.around.now();
    let id = 0;
    this.around.change(command.session, (d) => {
      id = Math.max(0, ...d.verifications.map((one) => one.id)) + 1;
      const made = verification(id, 'asking', now, {
        who: command.who,
        user: command.user,
        reason: command.reason,
        how: command.code === undefined ? 'push' : command.code.length === 9 ? 'bypass_code' : 'otp',
        shown: [
          ['Technician', ANNA.name],
          ['Reason', command.reason],
          ['Session', '7D20C1A4'],
          ['Number', '47'],
        ],
      });
      return { ...d, verifications: [...d.verifications, made] };
    });
    if (command.code !== undefined)
      this.settle(command.session, id, command.code.startsWith('1') ? 'approved' : 'denied');
    else if (command.user === 'nobody') this.settle(command.session, id, 'no_device');
    else {
      this.around.change(command.session, (d) => ({
        ...d,
        verifications: d.verifications.map((one) =>
          one.id === id ? { ...one, state: 'no_answer_yet' } : one,
        ),
      }));
      setTimeout(() => this.settle(command.session, id, 'approved'), THINKS);
    }
    return DONE;
  }

  #lookUp(session: string, asked: string, factor?: SecondFactor): Reply {
    if (this.#asks(factor)) return this.#code(factor);
    const now = this.around.now();
    const found = this.#devices().find((one) => one.login_session === asked);
    if (!found) throw NO_SESSION;
    const pinned: DeviceView = { ...found, looked_up_at: now, by: ANNA.name };
    this.around.change(session, (d) => ({
      ...d,
      devices: [...d.devices.filter((one) => one.login_session !== asked), pinned],
    }));
    return { reply: 'device', device: pinned };
  }

  #list(filter: string, offset: number, factor?: SecondFactor): Reply {
    if (this.#asks(factor)) return this.#code(factor);
    const wanted = filter.trim().toLowerCase();
    const found = this.#devices().filter((one) =>
      [one.name, one.username, one.app, one.os, one.ip].some((text) => text.toLowerCase().includes(wanted)),
    );
    return { reply: 'devices', devices: found.slice(offset, offset + PAGE), total: found.length, offset };
  }

  #devices(): DeviceView[] {
    return Array.from({ length: DEVICES }, (_, n) => device(n, this.around.now()));
  }

  #asks(factor?: SecondFactor): boolean {
    this.#factor ||= factor?.code === GOOD_CODE;
    return !this.#factor;
  }

  #code(given?: SecondFactor): Reply {
    const asked: CodeAsked = {
      method: 'totp',
      methods: ['totp', 'email'],
      sent: false,
      wrong: given !== undefined,
      text:
        given === undefined
          ? 'The workspace asks for the code of your authenticator app.'
          : 'The workspace says that this code is wrong.',
    };
    return { reply: 'code_asked', asked };
  }

  #keep(command: Extract<Command, { do: 'set_secret' | 'remove_secret' }>): Reply {
    const known = this.#services.find((one) => one.secret === command.secret);
    if (!known) return DONE;
    const on = command.do === 'set_secret';
    Object.assign(known, {
      has_secret: on,
      secret_set_at: on ? this.around.now() : null,
      secret_set_by: on ? ANNA.name : '',
      missing: on ? null : known.missing,
    });
    return DONE;
  }

  #test(service: IdentityServiceTested): Reply {
    const known = this.#services.find((one) => one.service === service);
    const good = known?.missing === null;
    return {
      reply: 'connection',
      connection: {
        service,
        works: good ? ['It answers', 'The key is accepted'] : ['It answers'],
        trouble: good ? null : KEY_REFUSED,
      },
    };
  }

  #check(): Reply {
    const { brokenAt } = this.scenario;
    const entries = this.#audit.length;
    const head = entries === 0 ? '' : '9f2c41d07be65a3388d1c0f4b7e92a6615d8c3ab04f7719e2d50b86cc1a4ef37';
    const broken =
      brokenAt === undefined ? null : { seq: brokenAt, why: 'its text was changed after it was written' };
    const text = broken
      ? `Entry ${broken.seq} is broken: ${broken.why}.`
      : `All ${entries} entries hold together.`;
    return { reply: 'audit_check', check: { entries, broken, text, head } };
  }

  #begin(purpose: CeremonyView['purpose'], then: () => void): Reply {
    this.#ceremony(ceremony(purpose, this.around.now()));
    this.#then = then;
    setTimeout(() => this.#then === then && this.complete(), THINKS);
    return LINK;
  }

  #signIn(person: PersonView): void {
    const known = this.around.access().people;
    this.#set({
      is: 'signed_in',
      since: this.around.now(),
      person,
      people: known.some((one) => one.id === person.id) ? known : [...known, person],
      ceremony: null,
    });
  }

  #ceremony(under: CeremonyView | null): void {
    this.#set({ ceremony: under });
  }

  #set(change: Partial<AccessView>): void {
    this.around.setAccess({ ...this.around.access(), ...change });
  }
}

type IdentityServiceTested = Extract<Command, { do: 'test_connection' }>['service'];

const DONE: Reply = { reply: 'done' };
const LINK: Reply = { reply: 'link', url: 'http://localhost:47230/#one-time-state', by_role: null };
