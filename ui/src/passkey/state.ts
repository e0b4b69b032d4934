const KEY = 'deskhand-step';

/**
 * The step's one-time state: as the link has it, or as this tab had it before it was loaded again. The tab forgets
 * it when it is closed, and Deskhand when the step is over.
 */
export function keptState(fromLink: string, storage: () => Storage): string {
  try {
    if (fromLink === '') return storage().getItem(KEY) ?? '';
    storage().setItem(KEY, fromLink);
  } catch {
    // A browser that keeps nothing only has to be given the link again.
  }
  return fromLink;
}
