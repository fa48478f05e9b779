import assert from 'node:assert/strict';
import test from 'node:test';
import { addressOfNode, normalAddress, readAddressRange } from '../../src/listeners/address.ts';

test('an address has one form, whatever it was written in', () => {
  for (const [text, normal] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:0:1:2', '::ffff:0:1:2'],
    ['010.0.0.1', null],
    ['192.0.2', null],
    ['localhost', null],
    ['', null],
  ] as const)
    assert.equal(normalAddress(text), normal, text);
});

test('a node of a proxy is an address with a port or without (RFC 7239, section 6)', () => {
  for (const [node, address] of [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:8080', '192.0.2.1'],
    ['192.0.2.1:_hidden', '192.0.2.1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['unknown', null],
    ['_gateway', null],
    ['192.0.2.1:', null],
    ['192.0.2.1:port', null],
    ['fe80::1%eth0', null],
    ['[::1', null],
    ['', null],
  ] as const)
    assert.equal(addressOfNode(node), address, node);
});

test('a range is an address and how many of its bits count', () => {
  const ranges: readonly (readonly [string, unknown])[] = [
    ['192.0.2.1', { address: '192.0.2.1', family: 'ipv4', prefixBits: 32 }],
    ['10.0.0.0/8', { address: '10.0.0.0', family: 'ipv4', prefixBits: 8 }],
    ['0.0.0.0/0', { address: '0.0.0.0', family: 'ipv4', prefixBits: 0 }],
    ['2001:db8::/32', { address: '2001:db8::', family: 'ipv6', prefixBits: 32 }],
    ['::1', { address: '::1', family: 'ipv6', prefixBits: 128 }],
    ['::ffff:10.0.0.0/104', { address: '10.0.0.0', family: 'ipv4', prefixBits: 8 }],
    ['::ffff:10.0.0.1', { address: '10.0.0.1', family: 'ipv4', prefixBits: 32 }],
  ];
  for (const [text, range] of ranges) assert.deepEqual(readAddressRange(text), range, text);
  for (const text of [
    '10.0.0.0/33',
    '2001:db8::/129',
    '::ffff:10.0.0.0/95',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fe80::1%eth0',
    'lb.example',
    '*',
    '',
  ])
    assert.equal(readAddressRange(text), null, text);
});
