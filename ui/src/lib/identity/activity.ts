import type { ConsolePort } from '../ipc/port';

const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const;

/** Tells the console that somebody uses the window: it need not lock yet. Stops with what it gives back. */
export function watchActivity(port: ConsolePort): () => void {
  const seen = () => port.active?.();
  for (const sign of SIGNS) addEventListener(sign, seen, { passive: true, capture: true });
  return () => {
    for (const sign of SIGNS) removeEventListener(sign, seen, { capture: true });
  };
}
