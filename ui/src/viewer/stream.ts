import { beside, patience } from '../../../crates/broker/src/pages/live.js';
import type { Role } from './scene';

/** How long the other end has to be there: the presenter has ten seconds to dial. */
const ANSWER_WITHIN_MS = 15_000;

/** So many tries make the waits as long as they get. */
const SLOWEST = 5;

/** What a stream tells. */
export type Told = {
  /** The other end is there: from here on the socket carries RFB and is the caller's. */
  onJoined(socket: WebSocket, role: Role): void;
  /** It is being opened. */
  onOpening(): void;
  /** It is gone, with a reason for people where one is known; it is tried again. */
  onLost(why: string | null): void;
};

/** Why there was no stream, in words for people: what the other side wrote is not repeated. */
const REFUSED: Record<string, string> = {
  no_presenter: "The customer's program is not connected just now.",
  timeout: "The customer's program did not answer.",
  too_many: 'As many people as possible watch already.',
};

/** The screen's own connection: kept up for as long as there is a key for it. */
export class Stream {
  private key: string | null = null;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;

  constructor(private readonly told: Told) {}

  /** The key that opens the screen; null while there is none to be seen. A new key is a new stream. */
  want(key: string | null): void {
    if (key === this.key) return;
    this.key = key;
    this.tries = 0;
    this.drop();
    if (key !== null) this.open(key);
  }

  /** A picture came, so that the next loss is tried again at once. */
  works(): void {
    this.tries = 0;
  }

  /** What carried the joined stream has ended. */
  ended(): void {
    this.lost(null);
  }

  private open(key: string): void {
    const socket = new WebSocket(beside('screen'));
    this.socket = socket;
    this.told.onOpening();
    this.timer = setTimeout(() => {
      this.lost(REFUSED['timeout'] ?? null);
    }, ANSWER_WITHIN_MS);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'watch', key }));
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.answered(socket, answerOf(event.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost(null);
    };
  }

  private answered(socket: WebSocket, answer: Answer): void {
    if (answer.type === 'refused') {
      // A key that nobody knows counts as a guess, and the next welcome brings another.
      if (answer.code === 'unknown') this.tries = SLOWEST;
      this.lost(REFUSED[answer.code] ?? null);
      return;
    }
    clearTimeout(this.timer);
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.told.onJoined(socket, answer.role);
  }

  private lost(why: string | null): void {
    this.drop();
    const { key } = this;
    if (key === null) return;
    const wait = patience(this.tries);
    this.tries += 1;
    this.timer = setTimeout(() => {
      this.open(key);
    }, wait);
    this.told.onLost(why);
  }

  private drop(): void {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}

type Answer = { type: 'joined'; role: Role } | { type: 'refused'; code: string };

/** Whatever is no answer is a refusal. */
export function answerOf(data: unknown): Answer {
  try {
    const { type, role, code } = JSON.parse(String(data)) as Record<string, unknown>;
    if (type === 'joined') return { type, role: role === 'control' ? 'control' : 'watch' };
    return { type: 'refused', code: String(code) };
  } catch {
    return { type: 'refused', code: 'malformed' };
  }
}
