/** Every setting that the page shows, by its name in the settings file. The only place that knows the names. */
export type Field = { key: string; label: string; hint?: string } & (
  | { kind: 'text'; placeholder?: string; mono?: boolean }
  | { kind: 'number'; unit: string; min: number; max: number }
  | { kind: 'switch' }
  | { kind: 'choice'; choices: { value: string; label: string }[] }
);

export interface Group {
  id: string;
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
    text: 'Leave the base URL empty to use the broker that comes along.',
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
        hint: 'Where a region is probed; {region} stands for its name.',
        kind: 'text',
        mono: true,
        placeholder: 'https://{region}.support.example.com/',
      },
      {
        key: 'join_url_template',
        label: 'Join URL',
        hint: 'The customer’s page; {pin} stands for the PIN. Empty if the service has none.',
        kind: 'text',
        mono: true,
        placeholder: 'https://support.example.com/join#{pin}',
      },
      {
        key: 'lan',
        label: 'Let customers on this network join',
        hint: 'Without it, only this computer reaches the broker that comes along.',
        kind: 'switch',
      },
    ],
  },
  {
    id: 'listener',
    title: 'Listener',
    text: 'Where the service tells this console what happens.',
    fields: [
      { key: 'listen', label: 'Address', kind: 'text', mono: true, placeholder: '127.0.0.1:0' },
      {
        key: 'public_url',
        label: 'Public URL',
        hint: 'Set it when the service is on another computer and a proxy or a forwarded port leads here.',
        kind: 'text',
        mono: true,
        placeholder: 'https://hooks.example.com/',
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
        hint: 'Measurements a region, 1 to 3.',
        kind: 'number',
        unit: 'rounds',
        min: 1,
        max: 3,
      },
      {
        key: 'heartbeat_s',
        label: 'Heartbeat',
        hint: 'How often each hook is put again, in case one was lost.',
        kind: 'number',
        unit: 's',
        min: 2,
        max: 3600,
      },
    ],
  },
  {
    id: 'mail',
    title: 'Mail rule for every session',
    text: 'Sends at most one mail for each event.',
    fields: [
      { key: 'mail_rule_to', label: 'Address', kind: 'text', placeholder: 'desk@example.com' },
      {
        key: 'mail_rule_when',
        label: 'Sent',
        kind: 'choice',
        choices: [
          { value: 'off', label: 'Never' },
          { value: 'next_event', label: 'The first time that a customer is online' },
          { value: 'every_event', label: 'Each time that a customer comes online' },
        ],
      },
    ],
  },
];

/** The settings that no group names: shown as text, so that nothing is out of reach. */
export function others(settings: Record<string, unknown>): Field[] {
  const named = new Set(GROUPS.flatMap((group) => group.fields.map((field) => field.key)));
  return Object.entries(settings)
    .filter(([key]) => !named.has(key))
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
