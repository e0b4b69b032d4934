import '../src/styles/base.css';
import { mount } from 'svelte';
import App from '../src/App.svelte';
import { appearance } from '../src/lib/shell/appearance.svelte';
import { FakeConsole } from './console';

// The window over a fake console, in a plain browser: `?fake=many&theme=dark` chooses what it shows.
const wanted = new URLSearchParams(location.search);
const theme = wanted.get('theme');
const port = new FakeConsole(wanted.get('fake') ?? 'rich');
if (theme === 'dark' || theme === 'light') {
  appearance.choose(theme);
  // Else the window would take the theme of the settings.
  void port.ask({ do: 'configure', changes: { theme } });
}

const target = document.getElementById('app');
if (target) mount(App, { target, props: { port } });
