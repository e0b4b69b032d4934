import { screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { open } from '../../../tests/rendered';

async function ask(passphrase: string) {
  open('signed_in');
  await screen.findByRole('heading', { level: 1, name: 'Maria Lopez' });
  await userEvent.keyboard('{Control>},{/Control}');
  await userEvent.type(await screen.findByLabelText('Its passphrase'), passphrase);
  await userEvent.click(screen.getByRole('button', { name: 'Restore …' }));
}

test('the newest backup is restored once somebody has confirmed what goes', async () => {
  await ask('correct horse battery');
  expect(screen.getByLabelText('Backup in the downloads')).toHaveValue('deskhand-2026-11-29.backup');
  expect(screen.getByRole('alertdialog')).toHaveTextContent('moves to a folder beside it');
  await userEvent.click(screen.getByRole('button', { name: 'Restore and start again' }));
  expect(await screen.findByText(/is restored. Deskhand starts again with it/)).toBeVisible();
  expect(screen.getByLabelText('Its passphrase')).toHaveValue('');
});

test('a wrong passphrase is said, and nothing is restored before the question is answered', async () => {
  await ask('another passphrase');
  expect(screen.queryByText(/the passphrase is wrong/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Restore and start again' }));
  expect(await screen.findByText(/the passphrase is wrong/)).toBeVisible();
});
