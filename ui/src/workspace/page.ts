import './page.css';
import { $, make } from '../shared/dom';

// What people wrote is always set as text, never as markup.

type Person = {
  name: string;
  username: string;
  role: string;
  factor: string;
  /** What the authenticator shows, and its secret; null without one. */
  code: string | null;
  secret: string | null;
  backupCodes: string[];
  mailedCode: string | null;
};
type LoginSession = {
  _user: { name: string };
  device: { name: string; version: string; os: { name: string; version: string } };
  ip: string;
  loginAt: string;
  sessionId: string;
};
type Workspace = { people: Person[]; sessions: LoginSession[]; total: number; secondsLeft: number };

function row(cells: string[], mono = -1): HTMLTableRowElement {
  const tr = make('tr');
  cells.forEach((text, at) => {
    const td = make('td', at === mono ? 'mono' : '', text || '–');
    td.dir = 'auto';
    tr.append(td);
  });
  return tr;
}

function code(person: Person, secondsLeft: number): HTMLLIElement {
  const li = make('li');
  li.append(make('strong', '', person.name));
  if (person.code)
    li.append(
      make('span', 'code', `${person.code.slice(0, 3)} ${person.code.slice(3)}`),
      make('span', 'quiet', `for ${secondsLeft} s more`),
      make('span', 'quiet mono', `Secret for an app of yours: ${person.secret ?? ''}`),
    );
  if (person.mailedCode) li.append(make('span', 'mono', `Sent by e-mail: ${person.mailedCode}`));
  if (person.backupCodes.length)
    li.append(make('span', 'quiet mono', `Backup codes left: ${person.backupCodes.join(' ')}`));
  return li;
}

const FACTORS: Partial<Record<string, string>> = {
  totp: 'Authenticator app',
  email: 'E-mail',
  none: 'Password, where asked for',
};

function show({ people, sessions, total, secondsLeft }: Workspace): void {
  const withCodes = people.filter((person) => person.code || person.mailedCode || person.backupCodes.length);
  $('codes').replaceChildren(...withCodes.map((person) => code(person, secondsLeft)));
  $('people').replaceChildren(
    ...people.map((p) => row([p.name, p.username, p.role, FACTORS[p.factor] ?? p.factor], 1)),
  );
  $('sessions').replaceChildren(
    ...sessions.map((s) =>
      row(
        [
          s._user.name,
          `${s.device.name} ${s.device.version}`.trim(),
          `${s.device.os.name} ${s.device.os.version}`.trim(),
          s.ip,
          new Date(s.loginAt).toLocaleString(),
          s.sessionId,
        ],
        5,
      ),
    ),
  );
  $('total').textContent =
    sessions.length < total ? `(the newest ${sessions.length} of ${total})` : `(${total})`;
}

async function refresh(): Promise<void> {
  try {
    const answer = await fetch('/page/workspace');
    if (!answer.ok) throw new Error(String(answer.status));
    show((await answer.json()) as Workspace);
    $('state').textContent = '';
  } catch {
    $('state').textContent = 'The workspace does not answer';
  }
  setTimeout(() => void refresh(), 2000);
}

void refresh();
