import { render } from '@testing-library/svelte';
import App from '../src/App.svelte';
import { FakeConsole } from '../fake/console';

/** The whole window over a fake console. */
export function open(scenario: string, prepare: (port: FakeConsole) => void = () => undefined): FakeConsole {
  const port = new FakeConsole(scenario);
  prepare(port);
  render(App, { props: { port } });
  return port;
}
