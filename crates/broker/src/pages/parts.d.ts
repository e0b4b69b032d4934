type Told = { type: string } & Record<string, unknown>;
export interface Said {
  guid: string;
  timestamp: number;
  subject: string;
  body: string;
}
export interface Line {
  /** False if it can't be sent now. */
  send(message: Told): boolean;
  leave(code?: string): void;
}
export function $(id: string): HTMLElement;
export function meet(page: {
  hello(): Record<string, unknown>;
  onState?(state: "connecting" | "online" | "reconnecting" | "over"): void;
  onOnline(welcome: Told): void;
  onRoster(roster: Told): void;
  onChat?(message: Said): void;
  onOther?(message: Told): void;
  onEnd(code: string): void;
  onHash?(): boolean;
}): Line;
export function chatForm(live: () => Line, key: string, initial: string | null): () => string;
export function showPeople(rows: { name: string; word: string; here: boolean }[]): void;
export function showValid(expires: number): void;
