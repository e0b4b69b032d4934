/** The recent quality of the connection to the customer's computer. */
export type Quality = { latency: number | null; fps: number };

/** A round trip that takes longer than this means that the connection has stalled. */
const STALLED_MS = 5000;

/** Counts pictures and keeps the last round trip. Time is an argument, in milliseconds. */
export class Meter {
  private frames = 0;
  private latency: number | null = null;
  private since: number;

  constructor(now: number) {
    this.since = now;
  }

  frame(): void {
    this.frames += 1;
  }

  roundTrip(ms: number): void {
    this.latency = ms;
  }

  /** The quality since the last call. `pending` is how long an answer has been waited for. */
  read(now: number, pending: number): Quality {
    const seconds = Math.max(0.001, (now - this.since) / 1000);
    const fps = Math.round(this.frames / seconds);
    this.frames = 0;
    this.since = now;
    const latency = Math.max(this.latency ?? 0, pending);
    return { latency: this.latency === null && pending === 0 ? null : Math.round(latency), fps };
  }
}

/**
 * The quality in a word, where there was a round trip to judge by, and in figures; a screen on which nothing changes
 * has no frame rate worth showing. That it is connected is said beside it.
 */
export function inWords({ latency, fps }: Quality): { word: string; level: string; text: string } {
  const [word, level] = grade(latency);
  const pictures = `${fps} ${fps === 1 ? 'picture' : 'pictures'}/s`;
  if (latency === null) return { word, level, text: fps === 0 ? 'Still' : pictures };
  const parts = [word, `${latency} ms`, fps === 0 ? 'still' : pictures];
  return { word, level, text: parts.join(' · ') };
}

function grade(latency: number | null): [string, string] {
  if (latency === null) return ['', 'unknown'];
  if (latency < 80) return ['Good', 'good'];
  if (latency < 250) return ['Fair', 'fair'];
  if (latency < STALLED_MS) return ['Slow', 'slow'];
  return ['No answer', 'slow'];
}
