import { $ } from '../shared/dom';

/** The panel with people and chat, and the count of messages that came while it was closed. */
export class SidePanel {
  private unread = 0;
  private chosen = false;
  private readonly button = $('chat-toggle');
  private readonly panel = $('side');

  constructor(private readonly leave: () => void) {
    this.button.addEventListener('click', () => {
      this.toggle();
    });
    if (matchMedia('(max-width: 720px)').matches) this.set(false);
  }

  toggle(): void {
    this.chosen = true;
    this.set(Boolean(this.panel.hidden));
    if (this.panel.hidden) this.leave();
    else $('text').focus();
  }

  /** Opens the chat. */
  showChat(): void {
    this.chosen = true;
    this.set(true);
    $('text').focus();
  }

  /** Closes the panel when a screen appears, unless the panel is in use or was asked for. */
  makeRoom(): void {
    if (!this.chosen && !this.panel.contains(document.activeElement)) this.set(false);
    this.chosen = true;
  }

  /** A message has arrived. */
  countMessage(): void {
    if (this.panel.hidden) this.count(this.unread + 1);
  }

  private set(open: boolean): void {
    this.panel.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    if (open) this.count(0);
  }

  private count(unread: number): void {
    this.unread = unread;
    const badge = $('unread');
    badge.hidden = unread === 0;
    badge.textContent = unread > 99 ? '99+' : String(unread);
    const said = unread === 1 ? '1 unread message' : `${unread} unread messages`;
    this.button.setAttribute('aria-label', unread ? `Chat and people, ${said}` : 'Chat and people');
  }
}
