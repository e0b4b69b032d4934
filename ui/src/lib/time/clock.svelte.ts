import { createSubscriber } from 'svelte/reactivity';

/**
 * The one ticker: readers of `now` are updated each second, and nothing ticks while there is none.
 * So all times on the screen change at once.
 */
class Clock {
  #now = Date.now();
  readonly #watched = createSubscriber((changed) => {
    let timer: ReturnType<typeof setTimeout>;
    const tick = () => {
      this.#now = Date.now();
      changed();
      timer = setTimeout(tick, 1000 - (this.#now % 1000) + 5);
    };
    timer = setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
    return () => clearTimeout(timer);
  });

  /** Milliseconds since 1970, whole seconds apart. */
  get now(): number {
    this.#watched();
    // A timer that starts between two ticks must not count below zero.
    if (Date.now() - this.#now > 1000) this.#now = Date.now();
    return this.#now;
  }
}

export const clock = new Clock();
