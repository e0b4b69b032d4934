import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { open } from '../../../tests/rendered';
import type { ProgramState } from '../ipc/bindings';
import type { FakeConsole } from '../../../fake/console';
import { CANCELLED } from '../../../fake/refusals';
import { program } from '../../../fake/make';

const OPEN = 'Save the customer’s program …';
const asked = (port: FakeConsole) => port.asked.filter((command) => command.do === 'save_program');

async function onScreen(state: ProgramState = { is: 'not_asked' }): Promise<FakeConsole> {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  port.change('s1', (known) => ({ ...known, program: program(state) }));
  return port;
}

test('nothing is asked of the service before the consequence was read and confirmed', async () => {
  const port = await onScreen();
  await userEvent.click(screen.getByRole('button', { name: OPEN }));
  const dialog = await screen.findByRole('dialog', { name: 'Save the customer’s program' });
  expect(within(dialog).getByText(/own download stops working for this PIN/)).toBeInTheDocument();
  expect(asked(port)).toEqual([]);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Save the program' }));
  expect(asked(port)).toEqual([{ do: 'save_program', session: 's1', confirmed: true, path: null }]);
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(await screen.findByRole('progressbar')).toBeInTheDocument();
});

test('the dialog is opened and confirmed by keys alone, and Enter alone saves nothing', async () => {
  const port = await onScreen();
  screen.getByRole('button', { name: OPEN }).focus();
  await userEvent.keyboard('{Enter}');
  const dialog = await screen.findByRole('dialog');
  await vi.waitFor(() => expect(within(dialog).getByRole('button', { name: /^Cancel/ })).toHaveFocus());
  await userEvent.keyboard('{Enter}');
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(asked(port)).toEqual([]);
  screen.getByRole('button', { name: OPEN }).focus();
  await userEvent.keyboard('{Enter}');
  const again = await screen.findByRole('dialog');
  await vi.waitFor(() => expect(within(again).getByRole('button', { name: /^Cancel/ })).toHaveFocus());
  await userEvent.keyboard('{Tab}{Enter}');
  expect(asked(port)).toHaveLength(1);
});

test('what the console refuses is said in the dialog, which stays', async () => {
  const port = await onScreen();
  port.refuse('save_program', {
    code: 'free_space',
    text: 'Save the customer’s program in /home/anna/Downloads: permission denied.',
    remedy: 'Choose a folder that is there and takes files.',
  });
  await userEvent.click(screen.getByRole('button', { name: OPEN }));
  await userEvent.click(await screen.findByRole('button', { name: 'Save the program' }));
  expect(await screen.findByText(/permission denied/)).toBeInTheDocument();
  expect(screen.getByRole('dialog')).toBeInTheDocument();
});

test('a download says what is done and what is left, and can be cancelled', async () => {
  const port = await onScreen({ is: 'downloading', bytes: 4_100_000, total: 12_300_000 });
  const bar = await screen.findByRole('progressbar', { name: 'Saving the customer’s program' });
  expect(bar).toHaveAttribute('aria-valuenow', '33');
  expect(screen.getByText('4.1 MB of 12.3 MB, 8.2 MB left')).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: OPEN })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(port.asked).toContainEqual({ do: 'cancel_program', session: 's1' });
  expect(await screen.findByText(/no file is left/)).toBeInTheDocument();
});

test('a download of unknown length claims no percentage', async () => {
  await onScreen({ is: 'downloading', bytes: 4_100_000, total: null });
  expect(await screen.findByRole('progressbar')).not.toHaveAttribute('aria-valuenow');
  expect(screen.getByText('4.1 MB')).toBeInTheDocument();
});

test('a broken download is tried again by its button, and says that nothing is asked twice', async () => {
  const port = await onScreen({ is: 'kept', trouble: CANCELLED });
  await userEvent.click(await screen.findByRole('button', { name: 'Retry' }));
  expect(asked(port)).toEqual([{ do: 'save_program', session: 's1', confirmed: true, path: null }]);
});

test('a saved program says where it is; one that is gone offers no retry', async () => {
  const path = '/home/anna/Downloads/deskhand-program-Maria-Lopez.exe';
  const port = await onScreen({ is: 'saved', at: 0, by: 'Anna', bytes: 640, path });
  expect(await screen.findByText(path)).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Copy the file’s path' })).toBeInTheDocument();
  const trouble = { code: 'refused' as const, text: 'It may have been taken.', remedy: 'Invite by e-mail.' };
  port.change('s1', (known) => ({ ...known, program: program({ is: 'gone', trouble }) }));
  expect(await screen.findByText('It may have been taken.')).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Retry' })).toBeNull();
  expect(screen.queryByRole('button', { name: OPEN })).toBeNull();
});

test('what became of the program is still said when the session has ended', async () => {
  const path = '/home/anna/Downloads/x.exe';
  const port = await onScreen({ is: 'saved', at: 0, by: 'Anna', bytes: 640, path });
  port.change('s1', (known) => ({ ...known, row: { ...known.row, live: false } }));
  expect(await screen.findByRole('region', { name: 'Customer’s program' })).toHaveTextContent(path);
});
