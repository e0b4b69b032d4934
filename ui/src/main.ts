import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { tauriConsole } from './lib/ipc/client';
import type { ConsolePort } from './lib/ipc/port';
import { appearance } from './lib/shell/appearance.svelte';

/** In the window, the real console; in a plain browser, while developing, the fake. */
async function port(): Promise<ConsolePort> {
  const plain = !('__TAURI_INTERNALS__' in window);
  if (import.meta.env.MODE === 'fake' || (import.meta.env.DEV && plain)) {
    const { FakeConsole } = await import('./lib/ipc/fake/console');
    const wanted = new URLSearchParams(location.search);
    const theme = wanted.get('theme');
    if (theme === 'dark' || theme === 'light') appearance.choose(theme);
    return new FakeConsole(wanted.get('fake') ?? 'rich');
  }
  return tauriConsole;
}

const target = document.getElementById('app');
if (target) mount(App, { target, props: { port: await port() } });
