import { remembered, remember } from './remember';

export type Theme = 'system' | 'dark' | 'light';

const isTheme = (value: unknown): value is Theme =>
  value === 'system' || value === 'dark' || value === 'light';

/** Dark or light: as the system says, unless chosen here. */
class Appearance {
  theme = $state<Theme>(remembered('theme', isTheme, 'system'));

  constructor() {
    this.#apply();
  }

  /** Takes the theme of the settings; an unknown one is ignored. */
  adopt(theme: unknown): void {
    if (isTheme(theme) && theme !== this.theme) this.choose(theme);
  }

  choose(theme: Theme): void {
    this.theme = theme;
    remember('theme', theme);
    this.#apply();
  }

  #apply(): void {
    if (this.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.theme;
  }
}

export const appearance = new Appearance();
