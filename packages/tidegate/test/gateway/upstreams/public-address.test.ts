import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPublicAddress } from '../../../src/gateway/upstreams/public-address.ts';

test('addresses of the public Internet are public', () => {
  for (const address of [
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.255',
    '172.32.0.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
  ])
    assert.equal(isPublicAddress(address), true, address);
});

test('addresses of machines, of networks and of special purpose are not', () => {
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.19.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '2001:db8::1',
    '2001::1',
    '3fff::1',
  ])
    assert.equal(isPublicAddress(address), false, address);
});

test('an IPv6 address that stands for an IPv4 one is not, as it may lead inside', () => {
  for (const address of ['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::7f00:1', '64:ff9b::a00:1', '2002:a00:1::'])
    assert.equal(isPublicAddress(address), false, address);
});

test('what is no address is not public', () => {
  for (const address of ['', 'localhost', '8.8.8', '010.8.8.8', '0x7f.1', '2130706433', '[2606:4700::1]'])
    assert.equal(isPublicAddress(address), false, address);
});
