import { screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import type { FakeConsole } from '../../../fake/console';
import { open } from '../../../tests/rendered';

const REFUSED = {
  code: 'check_network' as const,
  text: 'Write to the chat: no answer.',
  remedy: 'Try again.',
};

async function onScreen(): Promise<FakeConsole> {
  const port = open('rich');
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  return port;
}

const box = () => screen.getByRole('textbox', { name: 'Message' });
const said = (port: FakeConsole) => port.asked.filter((command) => command.do === 'say');

test('a message is sent by Enter, and the box is empty again', async () => {
  const port = await onScreen();
  await userEvent.type(box(), 'One{Shift>}{Enter}{/Shift}two{Enter}');
  expect(said(port)).toEqual([{ do: 'say', session: 's1', text: 'One\ntwo' }]);
  expect(box()).toHaveValue('');
});

test('a message that could not be sent stays, with the reason beside it', async () => {
  const port = await onScreen();
  port.refuse('say', REFUSED);
  await userEvent.type(box(), 'Hello{Enter}');
  expect(await screen.findByText(/no answer/)).toBeVisible();
  expect(box()).toHaveValue('Hello');
  port.allow('say');
  await userEvent.click(screen.getByRole('button', { name: 'Send message' }));
  expect(box()).toHaveValue('');
});

test('each session has a draft of its own, which outlives looking elsewhere', async () => {
  const port = await onScreen();
  await userEvent.type(box(), 'For Maria');
  port.push({ push: 'ask', number: 1, ask: 'show', session: 's4', chat: true });
  await screen.findByRole('heading', { name: 'Lars Nygård' });
  expect(box()).toHaveValue('');
  port.push({ push: 'ask', number: 2, ask: 'show', session: 's1', chat: true });
  await screen.findByRole('heading', { name: 'Maria Lopez' });
  expect(box()).toHaveValue('For Maria');
  expect(said(port)).toEqual([]);
});

test('a message that is too long is not cut: the limit is said and nothing is sent', async () => {
  const port = await onScreen();
  await userEvent.click(box());
  await userEvent.paste('ä'.repeat(2001));
  expect(screen.getByText('2,001 of 2,000 characters')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Send message' })).toBeDisabled();
  await userEvent.keyboard('{Enter}');
  expect(said(port)).toEqual([]);
  await userEvent.keyboard('{Backspace}{Enter}');
  expect(said(port)).toHaveLength(1);
});

test('where the service takes no messages, there is no box but a sentence', async () => {
  const port = await onScreen();
  const instead = 'Write in the chat of the viewer window.';
  port.change('s1', (detail) => ({ ...detail, chat_box: { longest: 2000, instead } }));
  expect(await screen.findByText(instead)).toBeVisible();
  expect(screen.queryByRole('textbox', { name: 'Message' })).toBeNull();
});
