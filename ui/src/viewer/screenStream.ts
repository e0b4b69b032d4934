import { retryDelay, socketBeside } from '../shared/connection';
import type { Role } from './screenNotice';

/** How long the other end may take to join: the presenter has ten seconds to dial. */
const ANSWER_WITHIN_MS = 15_000;

/** After so many tries, the wait before the next one is at its longest. */
const SLOWEST = 5;

/** The events that a stream reports. */
export type StreamHandlers = {
  /** Both ends are connected: from now on the socket carries RFB and belongs to the receiver of this call. */
  onJoined(socket: WebSocket, role: Role): void;
  /** The stream is being opened. */
  onOpening(): void;
  /**
   * The stream has ended and is tried again; the reason is for people, where one is known. With a misfit, one end is
   * too old for the other.
   */
  onLost(why: string | null, misfit: boolean): void;
};

/** Why there was no stream, in our own words: text from the other side is never shown. */
const REFUSED: Record<string, string> = {
  no_presenter: "The customer's program is not connected just now.",
  timeout: "The customer's program did not answer.",
  older_program: "The customer's program is too old for this Deskhand. Have them download it again.",
  older_viewer: "This Deskhand is too old for the customer's program. Update it, then open the viewer again.",
  unanswered:
    "The customer's program ended the connection before it was encrypted. If that goes on, it is too old: have them download it again.",
  too_many: 'As many people as possible watch already.',
};

/** The refusals that only an update ends. */
const MISFITS = new Set(['older_program', 'older_viewer']);

/** The connection of the screen; it reconnects for as long as there is a key for it. */
export class ScreenStream {
  private key: string | null = null;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;

  constructor(private readonly handlers: StreamHandlers) {}

  /** Sets the key that opens the screen, null while none is shared. A new key starts a new stream. */
  setKey(key: string | null): void {
    if (key === this.key) return;
    this.key = key;
    this.tries = 0;
    this.drop();
    if (key !== null) this.open(key);
  }

  /** A picture has arrived, so the first wait after the next loss is short again. */
  resetRetries(): void {
    this.tries = 0;
  }

  /** The connection that carried the joined stream has ended. */
  ended(): void {
    this.lost(null);
  }

  /** Opens another stream in the place of this one, at once: this one can't do what is allowed by now. */
  reopen(): void {
    this.drop();
    if (this.key !== null) this.open(this.key);
  }

  private open(key: string): void {
    const socket = new WebSocket(socketBeside('screen'));
    this.socket = socket;
    this.handlers.onOpening();
    this.timer = setTimeout(() => {
      this.lost(REFUSED['timeout'] ?? null);
    }, ANSWER_WITHIN_MS);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'watch', key }));
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.replied(socket, readReply(event.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost(null);
    };
  }

  private replied(socket: WebSocket, reply: StreamReply): void {
    if (reply.type === 'refused') {
      // The broker counts an unknown key as a guess, so it is hardly tried again; the next welcome brings another key.
      if (reply.code === 'unknown') this.tries = SLOWEST;
      this.lost(REFUSED[reply.code] ?? null, MISFITS.has(reply.code));
      return;
    }
    clearTimeout(this.timer);
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.handlers.onJoined(socket, reply.role);
  }

  private lost(why: string | null, misfit = false): void {
    this.drop();
    const { key } = this;
    if (key === null) return;
    const wait = retryDelay(this.tries);
    this.tries += 1;
    this.timer = setTimeout(() => {
      this.open(key);
    }, wait);
    this.handlers.onLost(why, misfit);
  }

  private drop(): void {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}

type StreamReply = { type: 'joined'; role: Role } | { type: 'refused'; code: string };

/** Reads the first message; one that can't be read counts as a refusal. */
export function readReply(data: unknown): StreamReply {
  try {
    const { type, role, code } = JSON.parse(String(data)) as Record<string, unknown>;
    if (type === 'joined') return { type, role: role === 'control' ? 'control' : 'watch' };
    return { type: 'refused', code: String(code) };
  } catch {
    return { type: 'refused', code: 'malformed' };
  }
}
