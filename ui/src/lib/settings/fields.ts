import { IDENTITY_GROUPS } from './identityFields';
import type { Section } from '../shell/shell.svelte';

/** Every setting that the page shows, by its name in the settings file. The only place that knows the names. */
export type Field = { key: string; label: string; hint?: string } & (
  | { kind: 'text'; placeholder?: string; mono?: boolean }
  | { kind: 'number'; unit: string; min: number; max: number }
  | { kind: 'switch' }
  | { kind: 'list'; placeholder?: string }
  | { kind: 'choice'; options: { value: string; label: string; hint: string }[] }
  | { kind: 'mail_rules' }
);

export interface Group {
  id: string;
  /** Where of the settings it stands; with the general ones if it doesn't say. */
  section?: Section;
  title: string;
  text?: string;
  fields: Field[];
}

export const GROUPS: Group[] = [
  {
    id: 'you',
    title: 'You',
    fields: [
      {
        key: 'technician',
        label: 'Your name',
        hint: 'Mails to customers say that this person is connected and waiting.',
        kind: 'text',
        placeholder: 'Anna Keller',
      },
    ],
  },
  {
    id: 'service',
    title: 'Service',
    text: 'Without a base URL, the broker that comes along is used. It can change only while no session is live.',
    fields: [
      {
        key: 'base_url',
        label: 'Base URL',
        kind: 'text',
        mono: true,
        placeholder: 'The broker that comes along',
      },
      {
        key: 'region_url_template',
        label: 'Region URL',
        hint: 'Where a region is timed; {region} stands for its name.',
        kind: 'text',
        mono: true,
        placeholder: 'The service’s own',
      },
      {
        key: 'join_url_template',
        label: 'Join URL',
        hint: 'The customer’s link; {pin} stands for the PIN.',
        kind: 'text',
        mono: true,
        placeholder: 'The service’s own, if it has one',
      },
      {
        key: 'viewer_origins',
        label: 'Further viewer origins',
        hint: 'What a viewer’s page may load beside the origin that the service names, one a line.',
        kind: 'list',
        placeholder: 'https://files.example.org',
      },
    ],
  },
  {
    id: 'lan',
    title: 'Customers on this network',
    text: 'For the broker that comes along. Invites then carry an address that others reach.',
    fields: [
      {
        key: 'lan',
        label: 'Let customers on this network join',
        hint: 'Without it, invites work on this computer only.',
        kind: 'switch',
      },
      { key: 'lan_listen', label: 'Listens at', kind: 'text', mono: true, placeholder: '0.0.0.0:0' },
      {
        key: 'lan_url',
        label: 'Address that customers use',
        kind: 'text',
        mono: true,
        placeholder: 'This computer’s own',
      },
      {
        key: 'tls_cert',
        label: 'TLS certificate',
        hint: 'A PEM file with its chain. Without one, plain http is spoken.',
        kind: 'text',
        mono: true,
        placeholder: '/etc/ssl/deskhand.pem',
      },
      { key: 'tls_key', label: 'TLS key', kind: 'text', mono: true, placeholder: '/etc/ssl/deskhand.key' },
    ],
  },
  {
    id: 'listener',
    title: 'Listener',
    text: 'Where the service tells this console what happens.',
    fields: [
      {
        key: 'listen',
        label: 'Address',
        hint: 'Port 0 takes the one of last time, or any.',
        kind: 'text',
        mono: true,
        placeholder: '127.0.0.1:0',
      },
      {
        key: 'public_url',
        label: 'Public URL',
        hint: 'Needed when the service runs elsewhere: what leads here from there.',
        kind: 'text',
        mono: true,
        placeholder: 'Its own address',
      },
    ],
  },
  {
    id: 'timing',
    title: 'Regions and hooks',
    fields: [
      {
        key: 'probe_rounds',
        label: 'Probe rounds',
        hint: 'Measurements a region, 1 to 10.',
        kind: 'number',
        unit: 'rounds',
        min: 1,
        max: 10,
      },
      {
        key: 'heartbeat_s',
        label: 'Heartbeat',
        hint: 'How often each hook is put again, in case one was lost. Empty: 30 s on the broker that comes along, else 120 s.',
        kind: 'number',
        unit: 's',
        min: 5,
        max: 3600,
      },
    ],
  },
  {
    id: 'mail',
    title: 'Mail rules',
    text: 'Ordered for every new session. A rule sends at most one mail for each event.',
    fields: [{ key: 'mail_rules', label: 'Mail rules', kind: 'mail_rules' }],
  },
  ...IDENTITY_GROUPS,
];

/** Shown elsewhere, or written by the console. */
const NOT_HERE = new Set([
  'version',
  'theme',
  'licence_consent',
  'licence_consent_at',
  'licence_consent_by',
  'sign_in_skipped',
]);

/** Where of the settings a setting stands. */
export const sectionOf = (key: string): Section =>
  GROUPS.find((group) => group.fields.some((field) => field.key === key))?.section ?? 'general';

/** One mail that is ordered for every new session. */
export interface MailRule {
  to: string;
  to_customer: boolean;
  when: 'next_event' | 'every_event';
}

export function isMailRules(value: unknown): value is MailRule[] {
  return (
    Array.isArray(value) && value.every((rule) => typeof rule === 'object' && rule !== null && 'to' in rule)
  );
}

/** The settings that no group names: shown as text, so that nothing is out of reach. */
export function others(settings: Record<string, unknown>): Field[] {
  const named = new Set(GROUPS.flatMap((group) => group.fields.map((field) => field.key)));
  return Object.entries(settings)
    .filter(([key]) => !named.has(key) && !NOT_HERE.has(key))
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([key, value]) => {
      const label = sentence(key);
      if (typeof value === 'boolean') return { key, label, kind: 'switch' };
      if (typeof value === 'number')
        return { key, label, kind: 'number', unit: '', min: 0, max: Number.MAX_SAFE_INTEGER };
      return { key, label, kind: 'text' };
    });
}

function sentence(key: string): string {
  const words = key.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
