import { screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { console_ } from '../../../fake/make';
import { open } from '../../../tests/rendered';

test('a closed session is deleted after a question, and leaves the window', async () => {
  const port = open('rich');
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  const id = [...port.details.values()].find((known) => known.row.name === 'Maria Lopez')?.row.id ?? '';
  await port.ask({ do: 'close', session: id, outcome: 'resolved', note: '' });
  await userEvent.click(await screen.findByRole('button', { name: /more/i }));
  await userEvent.click(await screen.findByRole('menuitem', { name: /Delete/ }));
  const said = await screen.findByText(/will be deleted with its chat, notes and/);
  expect(said).toHaveTextContent('pictures, here and at the broker (once it can be reached). This can’t');
  const now = console_(Date.now(), { revision: 1000 });
  port.push({ push: 'console', ...now, service: { ...now.service, kind: 'configured' } });
  await waitFor(() => expect(said).toHaveTextContent('a hosted service keeps each chat message for a day'));
  await userEvent.click(screen.getByRole('button', { name: 'Delete for good' }));
  await waitFor(() => expect(screen.queryByRole('heading', { level: 1, name: 'Maria Lopez' })).toBeNull());
  expect(port.details.has(id)).toBe(false);
});
