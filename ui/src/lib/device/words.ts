import type { DeviceView } from '../ipc/bindings';
import { moment } from '../time/format';

/** What is known of a login session, as pairs of a word and a value; what isn't known isn't there. */
export function facts(device: DeviceView, now: number): [string, string][] {
  const all: [string, string][] = [
    ['User', device.name || (device.username ? '' : device.user_id)],
    ['Username', device.username],
    ['App', device.app],
    ['System', device.os],
    ['Kind', device.kind],
    ['IP', device.ip],
    ['Logged in', device.login_at === null ? '' : moment(device.login_at, now)],
    ['Host', device.host],
  ];
  return all.filter(([, value]) => value !== '');
}

/** A device in words, such as `Firefox 145.0 on Windows 11`; equal words most likely mean the same device. */
export const what = (device: DeviceView): string =>
  [device.app, device.os].filter(Boolean).join(' on ') || device.kind || 'Unknown device';

/** A second factor's method, as people call it. */
export function methodWords(method: string): string {
  switch (method) {
    case 'totp':
      return 'Authenticator app';
    case 'email':
      return 'E-mail';
    case 'password':
      return 'Password';
    default:
      return method;
  }
}
