import type { MailWhen, Pin } from '../ipc/bindings';

/** What `viewer_started` (to the customer) or `presenter_started` (to a colleague) says as a fact. */
export function claim(toCustomer: boolean, technician: string, customer: string): string {
  const who = toCustomer ? technician.trim() || 'the technician' : customer.trim() || 'the customer';
  return toCustomer
    ? `The e-mail says that ${who} is connected and waiting, and carries the customer’s link.`
    : `The e-mail says that ${who} is connected, and carries a viewer’s link.`;
}

/** The choices of a moment, in the words of the one who is asked. */
export function moments(toCustomer: boolean): { when: MailWhen; label: string }[] {
  return [
    { when: 'now', label: 'Now' },
    { when: 'next_event', label: toCustomer ? 'When I am connected' : 'When the customer is online' },
    {
      when: 'every_event',
      label: toCustomer ? 'Each time I connect' : 'Each time the customer comes online',
    },
  ];
}

/** What is plainly missing from an address, in a sentence; none if nothing is. The console has the one full check. */
export function addressFault(typed: string): string | null {
  const address = typed.trim();
  if (address === '') return 'Type the address that the e-mail goes to.';
  const at = address.lastIndexOf('@');
  const [name, domain] = [address.slice(0, Math.max(at, 0)), address.slice(at + 1)];
  if (name === '' || domain === '')
    return 'An address has a name, an @ and a domain, like maria@example.com.';
  return null;
}

/** The invitation to paste into a chat or a ticket. Carries the PIN: for the clipboard only. */
export function invitation(pin: Pin): string {
  if (pin.join_link !== null) return `To let me help you, please open ${pin.join_link}`;
  if (pin.join_page !== null)
    return `To let me help you, please open ${pin.join_page} and type the PIN ${pin.text}`;
  return `The PIN for our support session is ${pin.text}`;
}
