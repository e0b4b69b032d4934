import { render, screen } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import type { Hit } from '../ipc/bindings';
import HitItem from './HitItem.svelte';

const hit: Hit = {
  session: 's1',
  name: 'New session 09:12',
  at: 1_795_000_000_000,
  place: 'session',
  snippet: '',
  marks: [],
  state: { kind: 'closed', label: 'Closed', detail: 'resolved', since: 1_795_000_000_000 },
};

test('says where something was found only where something was', () => {
  const { container, rerender } = render(HitItem, { hit });
  expect(screen.getByText('New session 09:12')).toBeInTheDocument();
  expect(container.querySelector('.place')).toBeNull();

  const name = 'Ana-Maria von und zu Hohenlohe';
  void rerender({ hit: { ...hit, name, snippet: 'Ana-Maria von …' } });
  expect(container.querySelector('.place')).toBeNull();
});

test('a name that was cut shows what was found in it', () => {
  const { container } = render(HitItem, {
    hit: { ...hit, name: 'Ana-Maria von und zu Hohenlohe', snippet: '… zu Hohenlohe', marks: [[5, 14]] },
  });
  expect(container.querySelector('mark')).toHaveTextContent('Hohenlohe');
});
