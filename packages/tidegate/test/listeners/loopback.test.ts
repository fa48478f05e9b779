import assert from 'node:assert/strict';
import test from 'node:test';
import { assertListenable, isLoopback } from '../../src/listeners/index.ts';

const loopback = [
  'localhost',
  'LOCALHOST',
  'localhost.',
  'a.localhost',
  '127.0.0.1',
  '127.255.0.3',
  '::1',
  '[::1]',
];
const reachable = [
  ...[
    '',
    '0.0.0.0',
    '::',
    '[::]',
    '192.168.1.2',
    '10.0.0.1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '127.0.0.1.example',
  ],
  ...[
    'example.com',
    'localhost.example.com',
    'notlocalhost',
    '128.0.0.1',
    '127.1',
    '0x7f.0.0.1',
    '::1.example',
  ],
];

test('loopback is 127.0.0.0/8, ::1 and the names of localhost (RFC 6761, 6.3)', () => {
  assert.deepEqual(loopback.filter(isLoopback), loopback);
  assert.deepEqual(reachable.filter(isLoopback), []);
});

test('an address that others can reach is refused while there are no credentials', () => {
  for (const host of loopback) assertListenable(host);
  for (const host of reachable) assert.throws(() => assertListenable(host), { code: 'listen_refused' });
});
