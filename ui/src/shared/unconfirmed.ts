// A message is sent once the broker has told it back. A network that drops everything, or a broker that stands still, takes
// what is written to it without a word, until the connection counts as lost.

/** What was written on this page and wasn't told back yet, oldest first. */
export class Unconfirmed {
  private bodies: string[] = [];

  add(body: string): void {
    this.bodies.push(body);
  }

  /** The broker has told a message. Of two alike it is the older one. */
  told(body: string): void {
    const told = seen(body);
    const at = this.bodies.findIndex((one) => seen(one) === told);
    if (at >= 0) this.bodies.splice(at, 1);
  }

  /** The last one, which was refused. */
  takeNewest(): string[] {
    return this.bodies.splice(-1);
  }

  takeAll(): string[] {
    return this.bodies.splice(0);
  }
}

/** What can be seen of a text: the broker leaves out characters that hide, and has its own line ends. */
function seen(body: string): string {
  return body.replace(/[^\p{L}\p{N}\p{P}\p{S}]/gu, '');
}
