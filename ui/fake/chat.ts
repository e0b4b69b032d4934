import type { ChatLine, SessionDetail } from '../src/lib/ipc/bindings';

/** The most messages of a chat that are given at once. */
const CHAT_PAGE = 200;

export function newest(all: SessionDetail): SessionDetail {
  return { ...all, chat: all.chat.slice(-CHAT_PAGE), chat_total: all.chat.length };
}

/** The page of a chat that ends before the message with a guid, or at the chat's end. */
export function page(
  all: ChatLine[],
  before: string | null | undefined,
): { chat: ChatLine[]; earlier: number } {
  const end = before === null ? all.length : all.findIndex((l) => l.guid === before);
  const earlier = Math.max(0, end - CHAT_PAGE);
  return { chat: all.slice(earlier, end), earlier };
}
