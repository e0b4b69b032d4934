import { beforeEach, expect, test } from 'vitest';
import { FakeConsole } from '../../../fake/console';
import { SettingsForm } from './store.svelte';

let port: FakeConsole;
let form: SettingsForm;

beforeEach(async () => {
  port = new FakeConsole('empty');
  form = new SettingsForm(port);
  await form.load();
});

test('sends only what changed', async () => {
  form.typed['technician'] = 'Bo';
  form.typed['lan'] = false;
  await form.save();
  expect(port.asked).toContainEqual({ do: 'configure', changes: { technician: 'Bo' } });
  expect(form.state.is).toBe('saved');
  expect(form.changed).toBe(false);
});

test('an unset setting that was typed and emptied again is no change', () => {
  form.typed['public_url'] = '';
  expect(form.changed).toBe(false);
});

test('a list is what stands on its lines', async () => {
  form.typed['viewer_origins'] = ['', ' '];
  expect(form.changed).toBe(false);
  form.typed['viewer_origins'] = ['https://files.example.org ', ''];
  await form.save();
  const changes = { viewer_origins: ['https://files.example.org'] };
  expect(port.asked).toContainEqual({ do: 'configure', changes });
});

test('says why a value was refused and keeps what was typed', async () => {
  form.typed['base_url'] = 'ftp://x';
  await form.save();
  expect(form.state).toMatchObject({ is: 'failed', trouble: { code: 'bad_input' } });
  expect(form.trouble?.text).toBe('Set “Base URL”: it is not a plain http or https address.');
  expect(form.value('base_url')).toBe('ftp://x');
});

test('a setting whose name on the page is no name of its own is named as in the file', async () => {
  port.refuse('configure', { code: 'bad_input', text: 'Set logintc_url: it is no address.', remedy: '' });
  form.typed['logintc_url'] = 'x';
  await form.save();
  expect(form.trouble?.text).toBe('Set logintc_url: it is no address.');
});

test('the hosted service is used only after its terms were accepted', async () => {
  form.typed['base_url'] = 'https://api.loginwith.me/v1';
  await form.save();
  expect(form.state.is).toBe('failed');
  expect(form.needsConsent).toBe(true);
  await form.consent();
  expect(form.state.is).toBe('saved');
  expect(form.needsConsent).toBe(false);
});

test('a setting that no group names can still be reached, but not the console’s own records', async () => {
  port.refuse('settings', { code: 'internal', text: '', remedy: '' });
  form.known = { ...form.known, chat_poll_s: 2 };
  const rest = form.groups.find((group) => group.id === 'more');
  expect(rest?.fields).toMatchObject([{ key: 'chat_poll_s', label: 'Chat poll s', kind: 'number' }]);
});
