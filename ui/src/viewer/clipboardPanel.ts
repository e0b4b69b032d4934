import { $ } from '../shared/dom';
import { Clips, type Png, type Sent } from './clipboard';
import { isLarge, isPng } from './copiedPicture';
import type { Remote } from './remote';

/** The most characters for the customer's clipboard: at worst 1 MiB, which is the most that their program takes. */
const LONGEST_TEXT = 250_000;

/** The panel under the button "Clipboard". */
export class ClipboardPanel {
  private readonly auto = $('clip-auto') as HTMLInputElement;
  private readonly clips: Clips;

  /** `hands`: the screen, while it is there and this viewer may control it. */
  constructor(private readonly hands: () => Remote | null) {
    // Missing where the page came without encryption.
    const local = (navigator as Partial<Navigator>).clipboard;
    this.clips = new Clips(
      {
        field: $('clip') as HTMLTextAreaElement,
        preview: $('clip-picture'),
        report: (text) => ($('clip-told').textContent = text),
        send: (what) => this.send(what),
        ask: () => this.hands()?.askClipboard() ?? false,
      },
      local,
    );
    $('clip-auto-row').hidden = local === undefined;
    $('clip-send').addEventListener('click', () => {
      this.clips.sendShown();
    });
    $('clip-ask').addEventListener('click', () => {
      this.clips.askCustomer();
    });
    $('clip-copy').addEventListener('click', () => void this.clips.copyShown());
    this.auto.addEventListener('change', () => this.follow());
    addEventListener('focus', () => this.follow());
  }

  /** The customer copied something. */
  receive(what: string | Png): void {
    if (typeof what === 'string' || (isPng(what) && !isLarge(what))) void this.clips.receive(what);
    else this.clips.notCarried(true);
  }

  /** The customer copied something that isn't carried. */
  notCarried(isPicture: boolean): void {
    this.clips.notCarried(isPicture);
  }

  private follow(): void {
    this.clips.follows = this.auto.checked;
    if (this.auto.checked && this.hands()) void this.clips.sendNew();
  }

  private send(what: string | Png): Sent {
    const remote = this.hands();
    if (!remote) return 'not now';
    if (typeof what !== 'string') {
      if (isLarge(what)) return 'too large';
      return remote.sendPicture(what) ? 'sent' : 'not taken';
    }
    if (what.length > LONGEST_TEXT) return 'too long';
    remote.clipboardPasteFrom(what);
    return 'sent';
  }
}
