import type { ConsolePort } from '../ipc/port';

/** How often the console is told that somebody is here, in milliseconds. */
export const EVERY = 20_000;

const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const;

/** Tells the console that somebody uses the window, at most each 20 s. Stops with what it gives back. */
export function watchActivity(port: ConsolePort, now: () => number = Date.now): () => void {
  let told = -Infinity;
  const seen = () => {
    if (now() - told < EVERY) return;
    told = now();
    port.active?.();
  };
  for (const sign of SIGNS) addEventListener(sign, seen, { passive: true, capture: true });
  return () => {
    for (const sign of SIGNS) removeEventListener(sign, seen, { capture: true });
  };
}
