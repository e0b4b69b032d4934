import { describe, expect, it } from 'vitest';
import type { ServiceView } from '../ipc/bindings';
import { whoCanJoin } from './status';

function service(change: Partial<ServiceView>): ServiceView {
  return {
    kind: 'embedded',
    base_url: 'http://127.0.0.1:47211/api/v1',
    health: { is: 'unknown' },
    join_page: 'http://127.0.0.1:47211/',
    this_computer_only: true,
    ...change,
  };
}

describe('who can join', () => {
  it('is this computer only until the switch is on', () => {
    expect(whoCanJoin(service({}))).toMatch(/^This computer only/);
  });

  it('is the network at its address, and whether that is encrypted is said', () => {
    const open = { this_computer_only: false };
    expect(whoCanJoin(service({ ...open, join_page: 'http://192.168.1.5:47212/' }))).toBe(
      'Customers on this network, at http://192.168.1.5:47212/ (not encrypted, as no TLS certificate is set).',
    );
    expect(whoCanJoin(service({ ...open, join_page: 'https://desk.example:47212/' }))).toBe(
      'Customers on this network, at https://desk.example:47212/ (encrypted).',
    );
  });

  it('is not told of a configured service, which knows itself', () => {
    expect(whoCanJoin(service({ kind: 'configured', this_computer_only: false }))).toBeNull();
  });
});
