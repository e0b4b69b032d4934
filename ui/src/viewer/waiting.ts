import { $ } from '../shared/dom';
import type { WaitingViewer } from '../shared/waiting';

/** What is asked about a viewer that waits. */
export function questionOf({ name, role, sealed, invited }: WaitingViewer): string {
  const who = name.trim() === '' ? 'Somebody without a name' : name;
  const wants = role === 'control' ? 'see and control the screen' : 'see the screen';
  const pin = invited ? '' : ' They have nothing but the PIN.';
  const open = sealed ? '' : ' They use a web page: whoever runs the server could see the screen.';
  return `${who} waits to ${wants}.${pin}${open} Let them in only if you expect them; the customer is told.`;
}

/** So long after another question appears a click counts for nothing: it was meant for whoever stood there. */
const SETTLE_MS = 800;
/** So long after an answer that viewer isn't asked about again, although they still wait. */
const ANSWERED_MS = 10_000;

/** The strip that asks about the first viewer that waits. Only the app can answer. */
export class WaitingStrip {
  private now: WaitingViewer | null = null;
  /** When the question appeared or changed. */
  private since = 0;
  /** When a viewer was answered. */
  private readonly answered = new Map<string, number>();
  /** Why an answer about a viewer had no effect. */
  private readonly undone = new Map<string, string>();
  private waiting: WaitingViewer[] = [];

  /** `onAllAnswered`: nobody waits any more, so the keyboard is wanted elsewhere. */
  constructor(answer: (viewer: WaitingViewer, letsIn: boolean) => boolean, onAllAnswered: () => void) {
    for (const [id, letsIn] of [
      ['waiting-in', true],
      ['waiting-out', false],
    ] as const) {
      $(id).addEventListener('click', () => {
        if (!this.now || performance.now() - this.since < SETTLE_MS) return;
        if (!answer(this.now, letsIn)) return;
        this.answered.set(this.now.challenge, performance.now());
        this.undone.delete(this.now.challenge);
        this.show(this.waiting);
        if (!this.now) onAllAnswered();
      });
    }
  }

  /** The app says that an answer had no effect: the question comes again. */
  notDone(challenge: string, text: string): void {
    this.answered.delete(challenge);
    this.undone.set(challenge, text);
    this.show(this.waiting);
  }

  show(waiting: WaitingViewer[]): void {
    this.waiting = waiting;
    const next = waiting.find(({ challenge }) => !this.isAnswered(challenge)) ?? null;
    if (JSON.stringify(next) !== JSON.stringify(this.now)) this.since = performance.now();
    this.now = next;
    $('waiting').hidden = this.now === null;
    if (!this.now) return;
    const undone = this.undone.get(this.now.challenge);
    $('waiting-say').textContent = [undone, questionOf(this.now)].filter(Boolean).join(' ');
  }

  private isAnswered(challenge: string): boolean {
    const at = this.answered.get(challenge);
    return at !== undefined && performance.now() - at < ANSWERED_MS;
  }
}
