import type { ConsolePort } from '../ipc/port';

const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const;

/** Tells the console that somebody uses the window, so that it doesn't lock. Returns a function that stops it. */
export function watchActivity(port: ConsolePort): () => void {
  const seen = () => port.active?.();
  for (const sign of SIGNS) addEventListener(sign, seen, { passive: true, capture: true });
  return () => {
    for (const sign of SIGNS) removeEventListener(sign, seen, { capture: true });
  };
}
