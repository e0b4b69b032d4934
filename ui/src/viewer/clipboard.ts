/** The system's clipboard, where the browser lets a page use it. */
export type Local = Pick<Clipboard, 'readText' | 'writeText'>;

/** The two clipboards and the panel between them. */
export class Clips {
  private known: string | null = null;

  constructor(
    private readonly field: HTMLTextAreaElement,
    private readonly local: Local | undefined,
    /** Shows in the panel what happened to a text. */
    private readonly report: (text: string) => void,
    /** Sends text to the customer's clipboard; false if that can't be done now. */
    private readonly send: (text: string) => boolean,
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

  /** Sends the text in the field to the customer. */
  sendField(): void {
    const sent = this.send(this.field.value);
    if (sent) this.known = this.field.value;
    this.report(
      sent
        ? "It is on the customer's clipboard now."
        : 'Not sent: the text is too long, or the screen is not connected.',
    );
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
    if (!text || text === this.known || !this.send(text)) return;
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
