/** The system's clipboard, where the browser lets a page use it. */
export type Local = Pick<Clipboard, 'readText' | 'writeText'>;

/** What became of a text for the customer. */
export type Sent = 'sent' | 'too long' | 'not now';

const UNSENT = {
  'too long': "Not sent: it is too long for the customer's clipboard (250,000 characters at most).",
  'not now': 'Not sent: the screen is not connected, or control is paused.',
};

/** The two clipboards and the panel between them. */
export class Clips {
  private known: string | null = null;

  constructor(
    private readonly field: HTMLTextAreaElement,
    private readonly local: Local | undefined,
    /** Shows in the panel what happened to a text. */
    private readonly report: (text: string) => void,
    /** Sends text to the customer's clipboard; else says why that can't be done. */
    private readonly send: (text: string) => Sent,
    /** Asks the customer for what they copied; false if that can't be done now. */
    private readonly ask: () => boolean,
  ) {}

  /** The customer copied something. */
  async receive(text: string): Promise<void> {
    this.known = text;
    this.field.value = text;
    const written = await this.write(text);
    this.report(
      written
        ? 'Copied by the customer; it is on your clipboard too.'
        : 'Copied by the customer. Press "Copy here" to have it on your clipboard.',
    );
  }

  /** The customer copied something that isn't carried; what they had copied before is not there any more. */
  notCarried(isPicture: boolean): void {
    this.known = null;
    this.field.value = '';
    this.report(
      isPicture
        ? 'The customer copied a picture, and only texts are carried. Ask them to open it, and save a picture of the screen.'
        : 'The customer copied something that is not carried: it is no text, or longer than 1 MiB.',
    );
  }

  /** Asks the customer for what they copied. */
  askCustomer(): void {
    this.report(
      this.ask()
        ? 'Asked. It appears here when the customer sends it.'
        : 'Not asked: the screen is not connected, or control is paused.',
    );
  }

  /** Sends the text in the field to the customer. */
  sendField(): void {
    const sent = this.send(this.field.value);
    if (sent === 'sent') this.known = this.field.value;
    this.report(sent === 'sent' ? "It is on the customer's clipboard now." : UNSENT[sent]);
  }

  /** Copies the text in the field to this computer's clipboard. */
  async copyField(): Promise<void> {
    if (await this.write(this.field.value)) {
      this.report('It is on your clipboard now.');
      return;
    }
    this.field.select();
    this.report('This window may not write to your clipboard. The text is selected: press Ctrl+C.');
  }

  /** Sends what was copied here since the last call. */
  async sendNew(): Promise<void> {
    const text = await this.local?.readText().catch(() => null);
    if (text === '') this.report('Nothing was sent: your clipboard holds no text.');
    if (!text || text === this.known) return;
    const sent = this.send(text);
    if (sent !== 'sent') {
      this.report(UNSENT[sent]);
      return;
    }
    this.known = text;
    this.field.value = text;
  }

  private async write(text: string): Promise<boolean> {
    if (!this.local) return false;
    return this.local.writeText(text).then(
      () => true,
      () => false,
    );
  }
}
