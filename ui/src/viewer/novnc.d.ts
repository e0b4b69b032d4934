/** The parts of noVNC 1.7.0 that the viewer uses, some of them internal: package.json pins exactly this version. */
declare module '@novnc/novnc' {
  export interface Sock {
    rQlen(): number;
    rQpeekBytes(length: number, copy?: boolean): Uint8Array;
    rQskipBytes(length: number): void;
    rQshiftBytes(length: number): Uint8Array;
    rQwait(what: string, length: number, back?: number): boolean;
  }
  export default class RFB extends EventTarget {
    static messages: {
      clientFence(sock: Sock, flags: number, payload: string): void;
      clientCutText(sock: Sock, data: Uint8Array, extended: boolean): void;
    };
    constructor(target: HTMLElement, channel: WebSocket, options?: { shared?: boolean });
    viewOnly: boolean;
    scaleViewport: boolean;
    clipViewport: boolean;
    background: string;
    showDotCursor: boolean;
    focus(options?: FocusOptions): void;
    blur(): void;
    disconnect(): void;
    sendCtrlAltDel(): void;
    sendKey(keysym: number, code: string | null, down?: boolean): void;
    clipboardPasteFrom(text: string): void;
    toBlob(done: (blob: Blob | null) => void, type?: string): void;

    protected _canvas: HTMLCanvasElement;
    protected _sock: Sock;
    protected _supportsFence: boolean;
    protected _rfbConnectionState: string;
    protected _keyboard: {
      _target: HTMLElement;
      _keyDownList: Record<string, number>;
      onkeyevent(keysym: number, ...rest: unknown[]): void;
      _allKeysUp(): void;
      _interruptAltGrSequence(): void;
      _sendKeyEvent(keysym: number, code: string, down: boolean): void;
    };
    protected _display: {
      clipViewport: boolean;
      _viewportLoc: { x: number; y: number; w: number; h: number };
      viewportChangeSize(width: number, height: number): void;
      viewportChangePos(dx: number, dy: number): void;
    };
    protected _fail(details: string): false;
    protected _handleMessage(): void;
    protected _framebufferUpdate(): boolean;
    protected _handleExtendedDesktopSize(): boolean;
    protected _handleServerFenceMsg(): boolean;
    protected _handleServerCutText(): boolean;
    protected _clipboardServerCapabilitiesFormats: Record<number, boolean | undefined>;
    protected _updateClip(): void;
    protected _updateScale(): void;
  }
}
