import '../tests/freeze';
import { screen } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { open } from '../tests/rendered';

// This file has a worker of its own, so that nothing else is frozen.
test('the window works where the shell has frozen the prototype of all objects', async () => {
  expect(Object.isFrozen(Object.prototype)).toBe(true);
  open('rich');
  expect(await screen.findByRole('heading', { name: 'Maria Lopez' })).toBeVisible();
});
