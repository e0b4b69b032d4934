import { render } from '@testing-library/svelte';
import App from '../src/App.svelte';
import { FakeConsole } from '../fake/console';

/** The whole window over a fake console. */
export function open(scene: string): FakeConsole {
  const port = new FakeConsole(scene);
  render(App, { props: { port } });
  return port;
}
