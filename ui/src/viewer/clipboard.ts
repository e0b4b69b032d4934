import { drawPreview, isPng, pngOf, sameBytes } from './copiedPicture';

/** The system's clipboard, where the browser lets a page use it; not every one does so for pictures. */
export type Local = Pick<Clipboard, 'readText' | 'writeText'> & Partial<Pick<Clipboard, 'read' | 'write'>>;

/** A picture as PNG. */
export type Png = Uint8Array<ArrayBuffer>;

/** What became of a text or a picture for the customer. */
export type Sent = 'sent' | 'too long' | 'too large' | 'not taken' | 'not now';

/** How many rows the panel has for a text. */
const ROWS = 5;

const UNSENT = {
  'too long': "Not sent: it is too long for the customer's clipboard (250,000 characters at most).",
  'too large':
    "Not sent: the picture is too large for the customer's clipboard (4 MiB as PNG, 16 megapixels).",
  'not taken': "Not sent: the customer's program takes no pictures.",
  'not now': 'Not sent: the screen is not connected, or control is paused.',
};

/** What the panel and the page around it do for the clipboards. */
export type ClipsPage = {
  field: HTMLTextAreaElement;
  /** Shows the picture that is there in place of a text. */
  preview: HTMLElement;
  /** Shows in the panel what happened. */
  report(text: string): void;
  /** Sends to the customer's clipboard; else says why that can't be done. */
  send(what: string | Png): Sent;
  /** Asks the customer for what they copied; false if that can't be done now. */
  ask(): boolean;
};

/** The two clipboards and the panel between them, which holds a text or a picture. */
export class Clips {
  /** What this computer's clipboard held when it was looked at last. */
  private here: string | Png | null = null;
  /** What the customer's clipboard holds, as far as is known. */
  private there: string | Png | null = null;
  /** The last write to this computer's clipboard; it never fails. */
  private writing: Promise<boolean> = Promise.resolve(false);
  private picture: Png | null = null;
  /** Whether both clipboards are kept the same. */
  follows = false;

  constructor(
    private readonly page: ClipsPage,
    private readonly local: Local | undefined,
  ) {
    page.field.addEventListener('input', () => this.show(this.page.field.value));
    page.field.addEventListener('paste', (event) => {
      const picture = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
      if (!picture) {
        // Not every web view gives a page the picture that is pasted there.
        if (!event.clipboardData?.getData('text/plain')) void this.takeFromClipboard();
        return;
      }
      event.preventDefault();
      void this.takePicture(picture);
    });
  }

  /** The customer copied something. */
  async receive(what: string | Png): Promise<void> {
    this.there = what;
    this.show(what);
    // One after the other: a picture takes longer than a text, and would end up over a newer one.
    this.writing = this.writing.then(() => (this.there === what ? this.write(what) : false));
    const written = await this.writing;
    if (written && typeof what === 'string') this.here = what;
    if (this.there !== what) return;
    this.page.report(
      written
        ? 'Copied by the customer; it is on your clipboard too.'
        : 'Copied by the customer. Press "Copy here" to have it on your clipboard.',
    );
  }

  /** The customer copied something that isn't carried; what they had copied before is not there any more. */
  notCarried(isPicture: boolean): void {
    this.there = null;
    this.show('');
    this.page.report(
      isPicture
        ? 'The customer copied a picture that is not carried: it is too large (over 4 MiB or 16 megapixels), or no PNG. Ask them to open it, and save a picture of the screen.'
        : 'The customer copied something that is not carried: it is neither text nor a picture, or longer than 1 MiB.',
    );
  }

  /** Asks the customer for what they copied. */
  askCustomer(): void {
    this.page.report(
      this.page.ask()
        ? 'Asked. It appears here when the customer sends it.'
        : 'Not asked: the screen is not connected, or control is paused.',
    );
  }

  /** Sends what is in the panel to the customer. */
  sendShown(): void {
    const shown = this.picture ?? this.page.field.value;
    const sent = this.page.send(shown);
    if (sent === 'sent') this.there = shown;
    this.page.report(sent === 'sent' ? "It is on the customer's clipboard now." : UNSENT[sent]);
  }

  /** Copies what is in the panel to this computer's clipboard. */
  async copyShown(): Promise<void> {
    if (await this.write(this.picture ?? this.page.field.value)) {
      this.page.report('It is on your clipboard now.');
    } else if (this.picture) {
      this.page.report(
        'This window may not write pictures to your clipboard. The right mouse button on the picture may offer it.',
      );
    } else {
      this.page.field.select();
      this.page.report('This window may not write to your clipboard. The text is selected: press Ctrl+C.');
    }
  }

  /** Sends what was copied here since the last call. */
  async sendNew(): Promise<void> {
    const before = this.there;
    const what = (await this.readPicture()) ?? (await this.local?.readText().catch(() => null));
    if (what === '') this.page.report('Nothing was sent: your clipboard holds no text and no picture.');
    // What the customer copied meanwhile is newer.
    if (!what || this.isKnown(what) || this.there !== before) return;
    const sent = this.page.send(what);
    if (sent !== 'sent') {
      this.page.report(UNSENT[sent]);
      return;
    }
    this.here = this.there = what;
    this.show(what);
  }

  private isKnown(what: string | Png): boolean {
    return [this.here, this.there].some((known) => {
      if (typeof what === 'string' || typeof known === 'string') return what === known;
      return known !== null && sameBytes(what, known);
    });
  }

  private show(what: string | Png): void {
    const isText = typeof what === 'string';
    this.picture = isText ? null : what;
    if (this.page.field.value !== (isText ? what : '')) this.page.field.value = isText ? what : '';
    // Beside a picture it only takes what is pasted next.
    this.page.field.rows = isText ? ROWS : 1;
    this.page.preview.hidden = isText;
    this.page.preview.replaceChildren();
    if (!isText) void drawPreview(this.page.preview, what);
  }

  /** A picture was pasted into the panel. */
  private async takePicture(file: Blob): Promise<void> {
    this.take(await pngOf(file), 'This picture can not be read.');
  }

  /** Something that came with no event was pasted into the panel. */
  private async takeFromClipboard(): Promise<void> {
    const why =
      'Nothing was pasted: your clipboard has no text, and no picture that is given to this window.';
    this.take(await this.readPicture(), why);
  }

  private take(png: Png | null, otherwise: string): void {
    if (!png) {
      this.page.report(otherwise);
      return;
    }
    this.show(png);
    this.page.report('Press "Send to the customer" to put this picture on their clipboard.');
  }

  /** The picture on this computer's clipboard, if it holds one and no text. */
  private async readPicture(): Promise<Png | null> {
    const items = await this.local?.read?.().catch(() => []);
    const types = items?.flatMap(({ types }) => types) ?? [];
    if (types.includes('text/plain')) return null;
    const item = items?.find(({ types }) => types.includes('image/png'));
    const png = await item?.getType('image/png').catch(() => null);
    return png ? pngOf(png) : null;
  }

  private async write(what: string | Png): Promise<boolean> {
    if (!this.local) return false;
    try {
      await (typeof what === 'string' ? this.local.writeText(what) : this.writePicture(what));
      return true;
    } catch {
      return false;
    }
  }

  private async writePicture(png: Png): Promise<void> {
    if (!this.local?.write || typeof ClipboardItem === 'undefined' || !isPng(png))
      throw new Error('no pictures');
    await this.local.write([new ClipboardItem({ 'image/png': new Blob([png], { type: 'image/png' }) })]);
    // Browsers write the pixels into a PNG of their own, which must not be taken for something new.
    if (this.isKnown(png)) this.here = (this.follows ? await this.readPicture() : null) ?? png;
  }
}
