import { screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { console_ } from '../../../fake/make';
import { open } from '../../../tests/rendered';

async function fill(first: string, second: string) {
  const port = open('signed_in');
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  await userEvent.keyboard('{Control>},{/Control}');
  await userEvent.type(await screen.findByLabelText('Passphrase for the backup'), first);
  await userEvent.type(screen.getByLabelText('The same passphrase again'), second);
  await userEvent.click(screen.getByRole('button', { name: 'Back up' }));
  return port;
}

test('a backup says where it is, and its passphrase is gone from the page', async () => {
  await fill('correct horse battery', 'correct horse battery');
  expect(await screen.findByText(/The backup is in .*\.backup\./)).toBeVisible();
  expect(screen.getByLabelText('Passphrase for the backup')).toHaveValue('');
  expect(screen.getByLabelText('The same passphrase again')).toHaveValue('');
});

test('a backup that was just written can be chosen to restore at once', async () => {
  const port = await fill('correct horse battery', 'correct horse battery');
  await screen.findByText(/The backup is in .*\.backup\./);
  expect(port.asked.filter((command) => command.do === 'backups')).toHaveLength(2);
});

test('two passphrases that differ are not sent, and a refusal says why', async () => {
  await fill('correct horse battery', 'correct horse');
  expect(screen.getByText('The two passphrases are not the same.')).toBeVisible();
  const again = screen.getByLabelText('The same passphrase again');
  const first = screen.getByLabelText('Passphrase for the backup');
  await userEvent.clear(first);
  await userEvent.clear(again);
  await userEvent.type(first, 'short');
  await userEvent.type(again, 'short{Enter}');
  expect(await screen.findByText(/too easy to guess/)).toBeVisible();
});

test('a backup that is being written, from here or from elsewhere, shows how far it is', async () => {
  const port = open('signed_in');
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  await userEvent.keyboard('{Control>},{/Control}');
  await screen.findByLabelText('Passphrase for the backup');
  expect(screen.queryByRole('progressbar')).toBeNull();
  port.push({ push: 'console', ...console_(Date.now(), { revision: 1_000, backup_percent: 40 }) });
  expect(await screen.findByRole('progressbar', { name: 'The backup is being written' })).toHaveValue(40);
  port.push({ push: 'console', ...console_(Date.now(), { revision: 1_001, backup_percent: null }) });
  await vi.waitFor(() => expect(screen.queryByRole('progressbar')).toBeNull());
});
