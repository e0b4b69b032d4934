import { expect, test } from 'vitest';
import { pin } from '../../../fake/make';
import { addressFault, claim, invitation } from './invite';

test('a mail to the customer claims that the technician is connected and waiting', () => {
  expect(claim(true, 'Anna Keller', 'Maria Lopez')).toContain('Anna Keller is connected and waiting');
});

test('a mail to a colleague claims that the customer is connected, whoever it is', () => {
  expect(claim(false, 'Anna Keller', 'Maria Lopez')).toContain('Maria Lopez is connected');
  expect(claim(false, 'Anna Keller', '  ')).toContain('the customer is connected');
});

test.each(['maria@example.com', ' root@localhost ', 'info@münchen.example', 'jörg@example.org'])(
  'lets the console check %s',
  (address) => {
    expect(addressFault(address)).toBeNull();
  },
);

test.each(['', 'maria', '@example.com', 'maria@'])('says what is missing from “%s”', (address) => {
  expect(addressFault(address)).toMatch(/\.$/);
});

test('an invitation carries the join link, else the page and the PIN, else the PIN alone', () => {
  const given = pin('7W2-97-8570', 0);
  expect(invitation(given)).toContain('/join#7W2-97-8570');
  expect(invitation({ ...given, join_link: null })).toMatch(/47210\/ and type the PIN 7W2-97-8570$/);
  expect(invitation({ ...given, join_link: null, join_page: null })).toMatch(/PIN .* is 7W2-97-8570$/);
});
