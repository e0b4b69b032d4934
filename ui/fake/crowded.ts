import type { ChatLine, MailView, SessionDetail, SessionRow } from '../src/lib/ipc/bindings';
import { ACCEPTED, chat, detail, MINUTE, toldNow } from './make';

/** As full as it gets: a long chat by people with all sorts of names, every kind of mail, a long log. */
export function crowded(shown: SessionRow, now: number): SessionDetail {
  const from = now - 80 * MINUTE;
  return detail(shown, now, {
    customer: 'Zoë Ångström-Núñez',
    ticket: 'HD-20419',
    contact: 'zoe.angstrom-nunez+support@very-long-department-name.example.com',
    screen: {
      sharing: 'paused',
      platform: 'linux-x86_64',
      ...toldNow(now),
      presenter: { name: 'Zoë Ångström-Núñez', since: now - 13 * MINUTE },
      watchers: [
        {
          id: 'a1',
          name: 'Anna Keller',
          since: now - 9 * MINUTE,
          controls: true,
          watching: true,
          sealed: true,
          latency_ms: 12,
          fps: 24,
        },
        {
          id: 'b2',
          name: 'Ben',
          since: now - 2 * MINUTE,
          controls: false,
          watching: true,
          sealed: false,
          latency_ms: null,
          fps: null,
        },
        {
          id: 'c3',
          name: '',
          since: null,
          controls: true,
          watching: false,
          sealed: false,
          latency_ms: null,
          fps: null,
        },
      ],
    },
    pictures: [
      { id: 1, at: now - 20 * MINUTE, by: 'Anna Keller', bytes: 148_200 },
      { id: 2, at: now - 3 * MINUTE, by: 'Anna Keller', bytes: 97_012 },
    ],
    created_at: from - 5 * MINUTE,
    presenter: { is: 'online', since: from },
    viewers: { is: 'online', since: from },
    windows: 3,
    connected_ms: 79 * MINUTE,
    timeline: {
      presenter: [
        { from, to: now - 9 * MINUTE, is: 'online' },
        { from: now - 9 * MINUTE, to: now - 6 * MINUTE, is: 'unknown' },
        { from: now - 6 * MINUTE, to: null, is: 'online' },
      ],
      viewers: [
        { from, to: now - 9 * MINUTE, is: 'online' },
        { from: now - 9 * MINUTE, to: null, is: 'unknown' },
      ],
      events: [14, 13, 9, 6, 1].map((ago) => ({
        at: now - ago * MINUTE,
        side: ago % 2 === 0 ? 'presenter' : 'viewers',
        text: ago % 2 === 0 ? "The customer's program is online" : 'A viewer joined',
      })),
    },
    mails: [
      mail(1, 'zoe.angstrom-nunez+support@very-long-department-name.example.com', true, ACCEPTED),
      mail(
        2,
        'jonas@example.com',
        false,
        { state: 'waiting', status: 'Goes out when the customer is online' },
        { waiting: true },
      ),
      mail(
        3,
        'chef@example.com',
        false,
        {
          state: 'refused',
          status: 'Refused 14:02: permanent error (550): 5.1.1 There is no user with the name chef here',
        },
        { doubtful: true, can_repeat: true },
      ),
      mail(
        4,
        'team@example.com',
        false,
        { state: 'queued', status: 'Not taken yet; it will be tried again: 451 4.3.0 try again later' },
        {},
      ),
    ],
    chat: chatter(now - 70 * MINUTE),
    chat_as_of: now - 2000,
    note: 'Printer queue again.\nDriver 4.2 rolled back to 4.1, spooler restarted twice.\nCall back on Friday.',
    tags: ['printer', 'driver', 'third time', 'waits for a spare part from the warehouse'],
    log: Array.from({ length: 60 }, (_, n) => ({
      seq: n,
      at: now - (60 - n) * MINUTE,
      text: n % 11 === 0 ? 'Hook viewer_offline could not be re-armed: no answer in 5 s' : 'A viewer joined',
      bad: n % 11 === 0,
    })),
  });
}

const mail = (
  id: number,
  to: string,
  to_customer: boolean,
  came: Pick<MailView, 'state' | 'status'>,
  flags: Partial<MailView> = {},
): MailView => ({
  id,
  to,
  to_customer,
  ...came,
  waiting: false,
  doubtful: false,
  can_repeat: false,
  ...flags,
});

/** Sixty messages, one a minute. */
export function chatter(from: number): ChatLine[] {
  const said: [string, string][] = [
    [
      'Zoë 🦊',
      'https://intranet.example.com/very/long/path/without/a/single/space/that/anybody/could/break?and=a&query=too',
    ],
    ['Anna', 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'],
    ['مريم', 'مرحبا، الطابعة لا تعمل منذ الصباح'],
    ['👩‍👩‍👧‍👦', '😀😀😀'],
    ['', 'line one\nline two\n    indented'],
    ['Anna', 'I’ll have a look.'],
  ];
  return chat(
    Array.from({ length: 60 }, (_, n): [string, number, string] => {
      const [who, text] = said[n % said.length] ?? ['', ''];
      return [who, from + n * MINUTE, text];
    }),
  );
}
