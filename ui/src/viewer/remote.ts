import RFB from '@novnc/novnc';
import { meaningOf, message, OURS, PNG, PROVIDE, REQUEST, TEXT } from './extendedClipboard';
import { type Monitor, monitorsOf } from './monitors';
import type { Hands } from './typing';

/**
 * AltGr, Caps Lock and Num Lock: what they make of a key arrives as it is made here, so the customer's computer never
 * gets them, and its own locks stay as they are.
 */
const KEPT_HERE = [0xfe03, 0xffe5, 0xff7f];

/** The flag of a fence that asks for an answer. */
const ANSWER_WANTED = 2 ** 31;

/** The events of the RFB connection beside noVNC's own. */
export type RemoteHandlers = {
  /** A picture was drawn. */
  onFrame(): void;
  /** A round trip took this long, in milliseconds. */
  onLatency(ms: number): void;
  /** The monitors have changed. */
  onMonitors(monitors: Monitor[]): void;
  /** The customer copied a picture, a PNG. */
  onPicture(png: Uint8Array<ArrayBuffer>): void;
  /** The customer copied something that isn't carried. */
  onNotCarried(isPicture: boolean): void;
};

/** noVNC with what its interface lacks: showing one of several monitors, measuring round trips, counting pictures. */
export class Remote extends RFB implements Hands {
  private monitor: Monitor | null = null;
  private measuredAt = 0;
  private waiting = false;
  private receivedAt = 0;

  constructor(
    target: HTMLElement,
    channel: WebSocket,
    private readonly field: HTMLElement,
    private readonly handlers: RemoteHandlers,
  ) {
    super(target, channel);
    // The focus is in the field, which is in the target.
    this._keyboard._target = target;
    const send = this._keyboard.onkeyevent;
    this._keyboard.onkeyevent = (keysym, ...rest) => {
      if (!KEPT_HERE.includes(keysym)) send(keysym, ...rest);
    };
  }

  /** Gives the field under the keyboard the focus. */
  override focus(options?: FocusOptions): void {
    this.field.focus(options);
  }

  tap(keysym: number, code: string | null): void {
    this.sendKey(keysym, code, true);
    this.sendKey(keysym, code, false);
  }

  holds(code: string): boolean {
    return code in this._keyboard._keyDownList;
  }

  release(code: string): void {
    const keysym = this._keyboard._keyDownList[code];
    if (keysym !== undefined) this._keyboard._sendKeyEvent(keysym, code, false);
  }

  pressKeptBack(): void {
    this._keyboard._interruptAltGrSequence();
  }

  /** The picture itself. */
  get canvas(): HTMLCanvasElement {
    return this._canvas;
  }

  /** Releases every key that is pressed on the customer's computer. */
  releaseKeys(): void {
    this._keyboard._allKeysUp();
  }

  /** Ends the connection, if it hasn't ended already. */
  end(): void {
    if (this._rfbConnectionState !== 'disconnected') this.disconnect();
  }

  /** Shows one monitor, or all of them. */
  show(monitor: Monitor | null): void {
    this.monitor = monitor;
    this._updateClip();
    this._updateScale();
  }

  /** Measures a round trip to the customer's computer and back, if it can be measured and none is under way. */
  measure(): void {
    if (!this._supportsFence || this.waiting || this._rfbConnectionState !== 'connected') return;
    this.waiting = true;
    this.measuredAt = performance.now();
    RFB.messages.clientFence(this._sock, ANSWER_WANTED, 'r');
  }

  /** Asks for what the customer has copied; false if their program can't be asked. */
  askClipboard(): boolean {
    if (!this._clipboardServerCapabilitiesFormats[TEXT]) return false;
    RFB.messages.clientCutText(this._sock, message(REQUEST | TEXT), true);
    return true;
  }

  /** Puts a picture, a PNG, into the customer's clipboard; false if their program takes none. */
  sendPicture(png: Uint8Array): boolean {
    if (!this._clipboardServerCapabilitiesFormats[PNG]) return false;
    RFB.messages.clientCutText(this._sock, message(PROVIDE | PNG, png), true);
    return true;
  }

  /** How long the answer has been waited for, in milliseconds; 0 while none is under way. */
  pending(now: number): number {
    return this.waiting ? now - this.measuredAt : 0;
  }

  /** How long an answer has been waited for without a single byte, in milliseconds; 0 while none is under way. */
  silence(now: number): number {
    return this.waiting ? now - Math.max(this.measuredAt, this.receivedAt) : 0;
  }

  /** Data that can't be read ends this connection, not the page. */
  protected override _handleMessage(): void {
    this.receivedAt = performance.now();
    try {
      super._handleMessage();
    } catch (error) {
      this._fail(String(error));
    }
  }

  protected override _framebufferUpdate(): boolean {
    const drawn = super._framebufferUpdate();
    if (drawn) this.handlers.onFrame();
    return drawn;
  }

  protected override _handleExtendedDesktopSize(): boolean {
    const head = this._sock.rQlen() >= 4 ? this._sock.rQpeekBytes(4)[0] : undefined;
    const layout = head === undefined ? null : 4 + head * 16;
    const bytes = layout !== null && this._sock.rQlen() >= layout ? this._sock.rQpeekBytes(layout) : null;
    const done = super._handleExtendedDesktopSize();
    if (done && bytes) this.handlers.onMonitors(monitorsOf(bytes));
    return done;
  }

  /** Does what noVNC doesn't: pictures, and what it would stumble over while nothing may be taken. */
  protected override _handleServerCutText(): boolean {
    const head = this._sock.rQlen() >= 11 ? this._sock.rQpeekBytes(11, true) : null;
    const view = head && new DataView(head.buffer, head.byteOffset, head.byteLength);
    const [length, flags] = [-(view?.getInt32(3) ?? 0), view?.getUint32(7) ?? 0];
    if (length < 4) return super._handleServerCutText();
    const meaning = meaningOf(flags);
    if (meaning === 'brings a picture' || (this.viewOnly && flags & PROVIDE)) {
      if (this._sock.rQwait('picture', 7 + length, 1)) return false;
      this._sock.rQskipBytes(11);
      const content = this._sock.rQshiftBytes(length - 4).slice();
      if (meaning === 'brings a picture' && !this.viewOnly) this.handlers.onPicture(content);
      return true;
    }
    const done = super._handleServerCutText();
    if (!done) return done;
    if (meaning === 'asks for ours') RFB.messages.clientCutText(this._sock, OURS, true);
    else if (meaning === 'has a picture' && !this.viewOnly) {
      RFB.messages.clientCutText(this._sock, message(REQUEST | PNG), true);
    } else if (meaning === 'has another picture') this.handlers.onNotCarried(true);
    else if (meaning === 'has something else') this.handlers.onNotCarried(false);
    return done;
  }

  /** Takes the answers to our own fences; noVNC itself sends none. */
  protected override _handleServerFenceMsg(): boolean {
    const head = this._sock.rQlen() >= 8 ? this._sock.rQpeekBytes(8) : null;
    const [flag, length] = [head?.[3], head?.[7]];
    if (flag === undefined || length === undefined || flag & 0x80 || !this.waiting) {
      return super._handleServerFenceMsg();
    }
    if (this._sock.rQwait('fence', 8 + length, 1)) return false;
    this._sock.rQskipBytes(8 + length);
    this.waiting = false;
    this.handlers.onLatency(performance.now() - this.measuredAt);
    return true;
  }

  protected override _updateClip(): void {
    if (!this.monitor) {
      super._updateClip();
      return;
    }
    const { x, y, width, height } = this.monitor;
    this._display.clipViewport = true;
    this._display.viewportChangeSize(width, height);
    const at = this._display._viewportLoc;
    this._display.viewportChangePos(x - at.x, y - at.y);
  }
}
