import { $ } from '../shared/dom';
import { ClipboardPanel } from './clipboardPanel';
import { press, shortcutOf, SPECIAL, type Shortcut } from './keys';
import { fill, Menu } from './menu';
import { choices, type Monitor, same } from './monitors';
import { keep, tooLarge } from './picture';
import { inWords, Meter, type Quality } from './quality';
import { Remote } from './remote';
import type { ScreenNotice } from './screenNotice';
import { systemOfKeys, Typing } from './typing';
import { type Words, WordsStrip } from './words';

/** How long the first picture may take after both ends are there. */
const PICTURE_WITHIN_MS = 20_000;

/**
 * After so long without a byte, though an answer is due, the picture must no longer look like a live screen: a network
 * that drops everything closes no connection.
 */
const SILENT_MS = 11_000;

/** The events that the remote screen reports to the page. */
export type RemoteScreenHandlers = {
  /** The connection that carries the picture has ended. */
  onEnded(): void;
  /** The first picture of a connection was drawn. */
  onPicture(): void;
  /** A picture is being saved; false if the customer can't be told now. */
  onSnapshot(): boolean;
  /** The customer's banner shows these words, too; false if that can't be said now. */
  onWordsMatch(words: string): boolean;
  /** The customer's banner shows other words; false if that can't be said now. */
  onWordsDiffer(): boolean;
  /** Control need not wait any longer: a stream with it can be opened. */
  onControl(): void;
  /** The shortcut for the chat was pressed. */
  onChat(): void;
};

/** The remote screen and the tools around it. */
export class RemoteScreen {
  private remote: Remote | null = null;
  private meter: Meter | null = null;
  private first: ReturnType<typeof setTimeout> | undefined;
  private fit = true;
  private monitors: Monitor[] = [];
  private monitor: Monitor | null = null;
  private control = false;
  private allowed = { role: false, paused: false };
  private readonly words: WordsStrip;
  private toastTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly field = $('typed') as HTMLTextAreaElement;
  private readonly typing: Typing;
  private readonly clipboard: ClipboardPanel;
  private readonly keysMenu: Menu;
  private readonly clipMenu: Menu;
  private readonly monitorsMenu: Menu;

  constructor(
    private readonly app: boolean,
    private readonly handlers: RemoteScreenHandlers,
  ) {
    const refocus = () => {
      this.focus();
    };
    this.keysMenu = new Menu($('keys'), $('keys-list'), refocus);
    this.clipMenu = new Menu($('clipboard'), $('clipboard-panel'), refocus);
    this.monitorsMenu = new Menu($('monitors'), $('monitors-list'), refocus);
    this.clipboard = new ClipboardPanel(() => (this.meter && this.control ? this.remote : null));
    this.words = new WordsStrip({
      onMatch: (words) => handlers.onWordsMatch(words),
      onDiffer: () => handlers.onWordsDiffer(),
      // Its button goes away under the keyboard.
      onAnswered: refocus,
      onReleased: () => {
        handlers.onControl();
      },
      onNotConnected: () => {
        this.toast('Not connected just now. Close this window and end the session in Deskhand.');
      },
    });
    const system = systemOfKeys(navigator.userAgent);
    this.typing = new Typing($('screen'), this.field, () => this.remote, system);
    this.wireKeys();
    this.wireTools();
  }

  /** The stream is there: the picture is drawn from it until it ends. */
  attach(socket: WebSocket): void {
    this.detach();
    const meter = new Meter(performance.now());
    const remote: Remote = new Remote($('screen'), socket, this.field, {
      onFrame: () => {
        meter.frame();
        if (this.remote === remote && this.meter === null) this.showFirstPicture(meter);
      },
      onLatency: (ms) => {
        meter.roundTrip(ms);
      },
      onMonitors: (monitors) => {
        this.showMonitors(monitors);
      },
      onPicture: (png) => {
        this.clipboard.receive(png);
      },
      onNotCarried: (isPicture) => {
        this.clipboard.notCarried(isPicture);
      },
    });
    this.remote = remote;
    remote.background = 'transparent';
    remote.showDotCursor = true;
    remote.addEventListener('clipboard', (event) => {
      const { text } = (event as CustomEvent<{ text: string }>).detail;
      this.clipboard.receive(text);
    });
    remote.addEventListener('disconnect', () => {
      if (this.remote === remote) this.handlers.onEnded();
    });
    this.arrange();
    this.first = setTimeout(() => {
      this.handlers.onEnded();
    }, PICTURE_WITHIN_MS);
  }

  /** Ends the connection; the last picture stays as a still. */
  detach(): void {
    const { remote } = this;
    if (!remote) return;
    clearTimeout(this.first);
    this.keepStill(remote.canvas);
    this.remote = this.meter = null;
    this.arrange();
    remote.end();
  }

  /** Gives the remote screen the keyboard's focus. */
  focus(): void {
    this.remote?.focus({ preventScroll: true });
  }

  /** Whether keyboard and mouse are passed on. */
  mayControl(role: boolean, paused: boolean): void {
    this.allowed = { role, paused };
    this.control = role && !paused && !this.words.waits;
    this.field.readOnly = !this.control;
    $('paused').hidden = !role || !paused;
    for (const tool of document.querySelectorAll<HTMLElement>('[data-control]')) {
      tool.hidden = !this.control;
    }
    this.arrange();
  }

  /** Whether the app shares a key with the customer's program. */
  get isKnown(): boolean {
    return this.words.areKnown;
  }

  /** The words that both people compare. */
  showWords(words: Words): void {
    this.words.show(words);
    this.mayControl(this.allowed.role, this.allowed.paused);
  }

  showNotice({ title, text, behind }: ScreenNotice): void {
    if (title) $('stage-title').textContent = title;
    if (text) $('screen-text').textContent = text;
    $('notice').hidden = behind === 'screen';
    $('notice').classList.toggle('over-picture', behind === 'still');
    $('still').hidden = behind !== 'still';
    $('tools').hidden = behind === 'nothing';
    $('stage').classList.toggle('bare', behind === 'nothing');
    if (behind !== 'screen') $('quality').hidden = true;
    this.words.setPicture(behind === 'screen');
  }

  /** Measures the quality since the last call and shows it; null while there is no picture. */
  measureQuality(): Quality | null {
    if (!this.meter || !this.remote) return null;
    if (this.remote.silence(performance.now()) > SILENT_MS) {
      this.handlers.onEnded();
      return null;
    }
    const quality = this.meter.read(performance.now(), this.remote.pending(performance.now()));
    const { level, text } = inWords(quality);
    $('quality').hidden = false;
    $('quality').dataset['level'] = level;
    $('quality-word').textContent = text;
    this.remote.measure();
    return quality;
  }

  private showFirstPicture(meter: Meter): void {
    clearTimeout(this.first);
    this.meter = meter;
    this.handlers.onPicture();
    this.arrange();
    const elsewhere = document.activeElement?.closest('aside, .float');
    if (!elsewhere) this.focus();
  }

  private arrange(): void {
    $('frame').hidden = !this.control || this.meter === null;
    if (!this.remote) return;
    if (this.remote.viewOnly === this.control) {
      // Before view-only stops all input, so that no key stays pressed on the customer's computer.
      this.typing.stop();
      this.remote.viewOnly = !this.control;
    }
    this.remote.scaleViewport = this.fit;
    this.remote.show(this.monitor);
  }

  private keepStill(picture: HTMLCanvasElement): void {
    const still = $('still') as HTMLCanvasElement;
    if (picture.width === 0 || !this.meter) return;
    still.width = picture.width;
    still.height = picture.height;
    still.getContext('2d')?.drawImage(picture, 0, 0);
  }

  private showMonitors(monitors: Monitor[]): void {
    this.monitors = monitors;
    if (!monitors.some((one) => same(one, this.monitor))) this.monitor = null;
    this.listMonitors();
    this.remote?.show(this.monitor);
  }

  private listMonitors(): void {
    const offered = choices(this.monitors);
    $('monitors-menu').hidden = offered.length === 0;
    const now = offered.find(({ monitor }) => same(monitor, this.monitor));
    $('monitors-word').textContent = now?.label.replace(/ \(.*/, '') ?? 'All screens';
    const entries = offered.map(({ label, monitor }) => ({
      label,
      current: same(monitor, this.monitor),
      choose: () => {
        this.monitor = monitor;
        this.arrange();
        this.listMonitors();
        this.monitorsMenu.close();
      },
    }));
    fill($('monitors-list'), entries);
  }

  private wireKeys(): void {
    const entries = SPECIAL.map(({ label, keys, hint }) => ({
      label,
      hint,
      choose: () => {
        if (this.remote) press(this.remote, keys);
        this.keysMenu.close();
      },
    }));
    fill($('keys-list'), entries);
    // Caught before noVNC sees the key, so that it isn't sent to the customer's computer.
    addEventListener(
      'keydown',
      (event) => {
        const shortcut = shortcutOf(event);
        if (!shortcut) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        this.typing.stop();
        if (!event.repeat) this.run(shortcut);
      },
      { capture: true },
    );
  }

  private run(shortcut: Shortcut): void {
    switch (shortcut) {
      case 'full':
        void this.fullScreen();
        break;
      case 'chat':
        this.handlers.onChat();
        break;
      case 'scale':
        this.rescale();
        break;
      case 'delete':
        this.remote?.sendCtrlAltDel();
        break;
      case 'clipboard':
        if (this.control) this.clipMenu.toggle();
        break;
      case 'picture':
        void this.savePicture();
        break;
      case 'tools':
        document.querySelector<HTMLElement>('#bar button:not([hidden] *)')?.focus();
        break;
    }
  }

  private wireTools(): void {
    const press = (id: string, act: () => void) => {
      $(id).addEventListener('click', () => {
        act();
        this.focus();
      });
    };
    press('scale', () => {
      this.rescale();
    });
    this.wireTouchKeyboard(press);
    press('full', () => void this.fullScreen());
    press('picture', () => void this.savePicture());
    document.addEventListener('fullscreenchange', () => {
      const full = document.fullscreenElement !== null;
      $('full').setAttribute('aria-pressed', String(full));
      // In full screen, Escape goes to the customer where the browser lets a page have that key.
      const { keyboard } = navigator as { keyboard?: { lock(): Promise<void>; unlock(): void } };
      if (full) void keyboard?.lock().catch(() => undefined);
      else keyboard?.unlock();
    });
  }

  /** The button that calls up a keyboard is there where a finger can press it. */
  private wireTouchKeyboard(press: (id: string, act: () => void) => void): void {
    const button = $('touch-keyboard');
    button.hidden = !matchMedia('(any-pointer: coarse)').matches;
    addEventListener('touchstart', () => (button.hidden = false), { once: true, passive: true });
    press('touch-keyboard', () => {
      const wanted = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(wanted));
      this.typing.callKeyboard(wanted);
    });
  }

  private rescale(): void {
    this.fit = !this.fit;
    $('scale').setAttribute('aria-pressed', String(this.fit));
    $('scale-word').textContent = this.fit ? 'Fit' : '1:1';
    this.arrange();
  }

  private async fullScreen(): Promise<void> {
    const change = document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen();
    await change.catch(() => {
      this.toast('This window may not fill the screen. Make it larger by its own buttons.');
    });
  }

  private async savePicture(): Promise<void> {
    const remote = this.meter && this.remote;
    if (!remote) {
      this.toast('There is no picture to save now.');
      return;
    }
    const picture = await new Promise<Blob | null>((done) => {
      remote.toBlob(done, 'image/png');
    });
    const refusal = picture && tooLarge(picture, this.app);
    if (refusal) {
      this.toast(refusal);
      return;
    }
    // The customer is told first: no picture is saved that they don't know of.
    if (!picture || !this.handlers.onSnapshot()) {
      this.toast('The picture was not saved: the customer could not be told of it.');
      return;
    }
    this.toast(await keep(picture, this.app));
  }

  private toast(text: string): void {
    $('told').textContent = text;
    $('told').hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => {
      $('told').hidden = true;
    }, 6000);
  }
}
