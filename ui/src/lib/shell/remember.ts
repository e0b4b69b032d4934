/** The window's last widths and colours, and nothing about a session. */
export type Remembered = 'theme' | 'side' | 'side_width';

export function remembered<T>(key: Remembered, fits: (value: unknown) => value is T, otherwise: T): T {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`deskhand.${key}`) ?? 'null');
    return fits(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(key: Remembered, value: string | number | boolean): void {
  try {
    localStorage.setItem(`deskhand.${key}`, JSON.stringify(value));
  } catch {
    // A web view without storage forgets; nothing else depends on it.
  }
}
