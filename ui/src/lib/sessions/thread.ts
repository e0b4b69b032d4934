import type { ChatLine, Dot, SessionDetail } from '../ipc/bindings';

export type Entry =
  { is: 'line'; key: string; line: ChatLine; follows: boolean } | { is: 'event'; key: string; event: Dot };

/** Lines of one person within this many milliseconds belong together. */
const TOGETHER = 60_000;

/** Chat and what happened meanwhile in one row of time; of two at once, what happened comes first. */
export function thread(chat: ChatLine[], events: Dot[]): Entry[] {
  const entries: { at: number; entry: Entry }[] = [
    ...events.map((event, n) => ({
      at: event.at,
      entry: { is: 'event', key: `event-${n}`, event } as const,
    })),
    ...chat.map((line) => ({
      at: line.at,
      entry: { is: 'line', key: line.guid, line, follows: false } as const,
    })),
  ];
  entries.sort((a, b) => a.at - b.at);
  return entries.map(({ at, entry }, n) => {
    const before = entries[n - 1];
    if (entry.is === 'event' || before?.entry.is !== 'line') return entry;
    const { from, side } = before.entry.line;
    const isSame = from === entry.line.from && side === entry.line.side;
    const follows = isSame && at - before.at < TOGETHER;
    return { ...entry, follows };
  });
}

/** The chat as known until now, continued by a push's new messages; null if they continue another one. */
export function continued(
  known: ChatLine[],
  { chat, chat_after }: Pick<SessionDetail, 'chat' | 'chat_after'>,
): ChatLine[] | null {
  if (chat_after === null) return chat;
  const at = known.findLastIndex((line) => line.guid === chat_after);
  return at < 0 ? null : [...known.slice(0, at + 1), ...chat];
}
