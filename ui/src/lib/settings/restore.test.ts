import { screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { console_ } from '../../../fake/make';
import { open } from '../../../tests/rendered';

async function askToRestore(passphrase: string) {
  const port = open('signed_in');
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  await userEvent.keyboard('{Control>},{/Control}');
  await userEvent.type(await screen.findByLabelText('Its passphrase'), passphrase);
  await userEvent.click(screen.getByRole('button', { name: 'Restore …' }));
  return port;
}

test('the newest backup is restored once somebody has confirmed what goes', async () => {
  await askToRestore('correct horse battery');
  expect(screen.getByLabelText('Backup in the downloads')).toHaveValue('deskhand-2026-11-29.backup');
  expect(screen.getByRole('alertdialog')).toHaveTextContent('moves to a folder beside it');
  await userEvent.click(screen.getByRole('button', { name: 'Restore and start again' }));
  expect(await screen.findByText(/is restored. Deskhand starts again with it/)).toBeVisible();
  expect(screen.getByLabelText('Its passphrase')).toHaveValue('');
});

test('a wrong passphrase is said, and nothing is restored before the question is answered', async () => {
  await askToRestore('another passphrase');
  expect(screen.queryByText(/the passphrase is wrong/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Restore and start again' }));
  expect(await screen.findByText(/the passphrase is wrong/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Restore …' }));
  expect(screen.queryByText(/the passphrase is wrong/)).toBeNull();
});

test('a backup that is being restored shows how far it is', async () => {
  const port = await askToRestore('correct horse battery');
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const ask = port.ask.bind(port);
  vi.spyOn(port, 'ask').mockImplementation(async (command) => {
    if (command.do === 'restore') await answered;
    return ask(command);
  });
  await userEvent.click(screen.getByRole('button', { name: 'Restore and start again' }));
  port.push({ push: 'console', ...console_(Date.now(), { revision: 1_000, backup_percent: 40 }) });
  const bar = await screen.findByRole('progressbar', { name: 'The backup is being restored' });
  await vi.waitFor(() => expect(bar).toHaveValue(40));
  answer();
  expect(await screen.findByText(/is restored. Deskhand starts again with it/)).toBeVisible();
  expect(screen.queryByRole('progressbar', { name: 'The backup is being restored' })).toBeNull();
});
