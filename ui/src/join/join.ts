import './join.css';
import type { Connection, Message } from '../shared/connection';
import { $ } from '../shared/dom';
import { readPin } from '../shared/pin';
import { saveFile } from '../shared/save';
import { chatForm, joinSession, showPeople, showValid } from '../shared/sessionPage';
import { helpersOf, list } from './helpers';
import { NoProgram, ownProgram, plainProgram, type Program, programs, systemOf, systemsOf } from './program';

type Sharing = 'none' | 'shared' | 'paused';

const SHARING: Record<Sharing, { word: string; title?: string; text?: string }> = {
  none: { word: 'Connected' },
  shared: {
    word: 'Sharing the screen',
    title: 'Your screen is shared',
    text: 'The banner on your screen names who watches and controls. "Stop" there ends it.',
  },
  paused: {
    word: 'Control paused',
    title: 'Your screen is shared, control is paused',
    text: "They see your screen, and can't type or click until you allow it on the banner.",
  },
};

const pin = readPin(decodeURIComponent(location.hash.slice(1)));
if (pin) open(pin);
else location.replace('/');

function open(pin: string): void {
  let sharing: Sharing = 'none';
  const name = chatForm(() => connection, 'name', '');
  const connection: Connection = joinSession({
    // As a companion, this page leaves it to the program to report who is here and what is shared.
    hello: () => ({ session_pin: pin, side: 'presenter', companion: true, name: name() }),
    onOnline: (welcome) => {
      showValid(Number(welcome['expires']));
      showRequester((welcome['asker'] ?? {}) as { technician?: string; company?: string });
    },
    onRoster: (roster) => {
      sharing = (roster['sharing'] ?? 'none') as Sharing;
      showSharing(sharing);
      showRoster(roster, sharing);
    },
    onEnd: (code) => {
      $('lead').textContent = 'You are not connected.';
      const goesOn = sharing !== 'none' && (code === 'left' || code === 'reported');
      if (goesOn) {
        $('over-text').textContent = "Your screen is still shared: press Stop on the program's banner.";
      }
      $('sharing').hidden = true;
      showPeople([{ name: 'You', word: 'Not connected', here: false }]);
    },
  });
  wireLeaving(pin, connection);
  void offer(pin);
}

function showRoster(roster: Message, sharing: Sharing): void {
  const { lead, rows } = helpersOf(roster);
  $('lead').textContent = lead;
  const word = roster['presenter'] === null ? 'On this page' : SHARING[sharing].word;
  showPeople([{ name: 'You', word, here: true }, ...rows]);
}

/** The buttons by which the customer leaves, or reports the session and leaves. */
function wireLeaving(pin: string, connection: Connection): void {
  $('leave').addEventListener('click', () => {
    connection.leave();
  });
  $('alarm').addEventListener('click', () => {
    $('confirm').hidden = false;
    $('report').focus();
  });
  $('cancel').addEventListener('click', () => {
    $('confirm').hidden = true;
    $('alarm').focus();
  });
  $('report').addEventListener('click', () => {
    // The customer wants to leave even if the report doesn't arrive.
    void report(pin).then((done) => {
      connection.leave(done ? 'reported' : 'left');
    });
  });
}

/** False if the report did not arrive. */
async function report(pin: string): Promise<boolean> {
  const body = JSON.stringify({ user_agent: navigator.userAgent, session_pin: pin });
  const answer = await fetch('/api/v1/report_abuse', { method: 'POST', body }).catch(() => null);
  return answer?.ok ?? false;
}

function showSharing(sharing: Sharing): void {
  const { title, text } = SHARING[sharing];
  if (title && text) {
    $('sharing-title').textContent = title;
    $('sharing-text').textContent = text;
  } else if ($('sharing').dataset['sharing'] !== 'none') {
    $('sharing-title').textContent = 'No screen is shared any more';
    $('sharing-text').textContent = 'Nobody can see or control this computer now.';
  }
  $('sharing').dataset['sharing'] = sharing;
  $('program').hidden = sharing !== 'none';
}

/** Who asks to see the screen, in their own words. */
function showRequester({ technician = '', company = '' }: { technician?: string; company?: string }): void {
  const who = technician && company ? `${technician}, ${company},` : technician || company;
  $('asker').hidden = !who;
  $('asker-name').textContent = `${who} asks to see this computer's screen.`;
}

/** Says which computers the program works on, before anything is downloaded. */
async function offer(pin: string): Promise<void> {
  const systems = systemsOf(await programs());
  const mine = systemOf(navigator);
  if (!systems.length) {
    showUnfit(
      'This server has no program to hand out',
      'Ask your technician. You can chat with them here meanwhile.',
    );
  } else if (mine && !systems.includes(mine)) {
    showUnfit(
      `The program doesn't work on ${mine} yet`,
      `It works on ${list(systems)} only so far. You can chat here meanwhile, or open this page on another computer.`,
    );
  }
  const download = $<HTMLButtonElement>('download');
  const plain = $<HTMLButtonElement>('plain');
  // A browser may be wrong about its computer.
  download.disabled = !systems.length;
  download.addEventListener('click', () => void fetchProgram(download, () => ownProgram(pin), ''));
  const server = `--broker ${location.origin}`;
  plain.addEventListener('click', () => void fetchProgram(plain, () => plainProgram(pin), server));
}

function showUnfit(title: string, text: string): void {
  $('unfit-title').textContent = title;
  $('unfit-text').textContent = text;
  $('unfit').hidden = false;
}

const FAILED: Partial<Record<string, string>> = {
  missing: 'There is no program for this computer on this server. Ask your technician.',
  over: 'This PIN is no longer valid. Ask for a new one.',
  damaged: 'The file did not arrive as the server sent it, so it was not saved. Try once more.',
  unreachable: 'The server could not be reached. Check the connection and try once more.',
  refused: 'The server refused it. Wait a minute and try once more.',
};

/** Downloads, saves, and says how to run it: `rest` is what has to be typed after the file's name. */
async function fetchProgram(
  button: HTMLButtonElement,
  get: () => Promise<Program>,
  rest: string,
): Promise<void> {
  const word = button.textContent;
  button.disabled = true;
  button.textContent = 'Downloading';
  $('download-error').hidden = true;
  try {
    const program = await get();
    saveFile(program.blob, program.name);
    showArrived(program, rest);
    button.textContent = 'Download once more';
  } catch (error) {
    const code = error instanceof NoProgram ? error.code : 'refused';
    $('again').hidden = code !== 'given';
    $('download-error').textContent = FAILED[code] ?? '';
    $('download-error').hidden = !FAILED[code];
    button.textContent = word;
  }
  button.disabled = false;
}

function showArrived({ name, sum }: Program, rest: string): void {
  $('file').textContent = name;
  $('sum').textContent = sum;
  $('arrived').hidden = false;
  const file = `~/Downloads/${name}`;
  $('command').textContent = `chmod +x ${file} && ${file}${rest && ` ${rest}`}`;
  // Without the session's conf the program asks for the PIN, and it can do so only in a terminal.
  if (rest) $<HTMLDetailsElement>('terminal').open = true;
}
