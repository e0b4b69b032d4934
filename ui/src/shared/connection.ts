// The live connection of a page: it is kept up, and is independent of what the page looks like.

/** A message in either direction, as the broker's hub reads and sends them. */
export type Message = { type: string } & Record<string, unknown>;

export type ConnectionState = 'connecting' | 'online' | 'reconnecting' | 'over';

export type Connection = {
  /** False if it can't be sent now. */
  send(message: Message): boolean;
  leave(code?: string): void;
  /** Ends it here, without a word to the broker: whoever serves the page ends it there. */
  end(code: string): void;
};

export type ConnectionHandlers = {
  /** The fields of the first message beside its type and page. */
  hello(): Record<string, unknown>;
  onState(state: ConnectionState, text: string): void;
  onMessage(message: Message): void;
  /** The broker refused what was sent, with its reason. */
  onRefused(reason: string): void;
  /** The connection has ended and is not tried again. */
  onEnd(code: string): void;
  /** The part of the address behind the hash has changed; true if that needs no new page. */
  onHash?: (() => boolean) | undefined;
};

/** The address of a WebSocket beside this page: `/live` for `/view`, `/viewer/x/live` for `/viewer/x/`. */
export function socketBeside(name: string): string {
  const url = new URL(name, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = url.hash = '';
  return url.href;
}

/** How long to wait before the next try, in milliseconds: longer each time, and random to spread the load. */
export function retryDelay(tries: number): number {
  return Math.min(15_000, 500 * 2 ** Math.min(tries, 5)) * (0.75 + Math.random() / 2);
}

/** How often a page pings the broker: a network that drops everything closes no connection. */
const PING_EVERY_MS = 5000;

/** An answer that takes longer than this is not expected any more. */
const PONG_WITHIN_MS = 9500;

/** How long a connection may take until the broker's welcome has arrived. */
const WELCOME_WITHIN_MS = 15_000;

/** Connects, and reconnects after every loss with the same page id, so that the broker sees the same page resume. */
export function connect(handlers: ConnectionHandlers): Connection {
  return new LiveConnection(handlers);
}

class LiveConnection implements Connection {
  private readonly page = newId();
  private socket: WebSocket | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;
  /** When the ping that has no answer yet was sent. */
  private pingedAt: number | null = null;
  private tries = 0;
  private joined = false;
  private over = false;

  constructor(private readonly handlers: ConnectionHandlers) {
    // The network or the computer is back: don't wait for the next try.
    const hurry = () => {
      if (!this.over && this.socket === undefined) this.open();
    };
    addEventListener('online', hurry);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) hurry();
    });
    // A page restored from the back-forward cache has lost its connection, so it is loaded anew.
    addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload();
    });
    // Another link opened in this page is another session.
    addEventListener('hashchange', () => {
      if (!handlers.onHash?.()) location.reload();
    });
    handlers.onState('connecting', 'Connecting');
    this.open();
  }

  send(message: Message): boolean {
    const { socket } = this;
    if (!this.joined || socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    return true;
  }

  leave(code = 'left'): void {
    this.send({ type: 'leave' });
    this.end(code);
  }

  private open(): void {
    const socket = new WebSocket(socketBeside('live'));
    this.socket = socket;
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'hello', page: this.page, ...this.handlers.hello() }));
    };
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      this.pingedAt = null;
      this.receive(JSON.parse(String(event.data)) as Message);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      this.lost();
    }, WELCOME_WITHIN_MS);
  }

  private ping(): void {
    // Counted from the ping, not from the last message: browsers run a page in the background only once a minute.
    if (this.pingedAt === null) {
      this.pingedAt = performance.now();
      this.send({ type: 'ping' });
    } else if (performance.now() - this.pingedAt > PONG_WITHIN_MS) {
      this.lost();
    }
  }

  private lost(): void {
    if (this.over) return;
    this.joined = false;
    this.pingedAt = null;
    clearInterval(this.pingTimer);
    // Without a network its close event would come much later, and must not count as a second loss.
    const gone = this.socket;
    this.socket = undefined;
    gone?.close();
    const wait = retryDelay(this.tries);
    this.tries += 1;
    const count = this.tries > 1 ? ` (${this.tries})` : '';
    this.handlers.onState('reconnecting', `Connection lost, trying again${count}`);
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      this.open();
    }, wait);
  }

  private receive(message: Message): void {
    switch (message.type) {
      case 'welcome':
        this.welcome(message);
        break;
      case 'pong':
        break;
      case 'refused':
        if (this.joined) this.handlers.onRefused(String(message['error']));
        // Both refusals pass by themselves, so a later try may be let in.
        else if (message['code'] !== 'too_many' && message['code'] !== 'not_saved') {
          this.end(String(message['code']));
        }
        break;
      case 'bye':
        if (message['code'] !== 'restarting') this.end(String(message['code']));
        break;
      default:
        this.handlers.onMessage(message);
    }
  }

  private welcome(message: Message): void {
    this.tries = 0;
    this.joined = true;
    clearTimeout(this.retryTimer);
    clearInterval(this.pingTimer);
    this.pingTimer = setInterval(() => {
      this.ping();
    }, PING_EVERY_MS);
    this.handlers.onState('online', 'Connected');
    this.handlers.onMessage(message);
  }

  end(code: string): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.retryTimer);
    clearInterval(this.pingTimer);
    const text = code === 'left' || code === 'reported' ? 'You have left' : 'Ended';
    this.handlers.onState('over', text);
    this.handlers.onEnd(code);
    this.socket?.close();
  }
}

/** randomUUID exists only on https and localhost; a page on the local network has neither. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
