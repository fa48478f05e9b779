import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostName } from '../../../src/gateway/routes/host.ts';

test('the name of a host has no port, no capitals and no dot at the end', () => {
  const cases: readonly (readonly [host: string, name: string])[] = [
    ['example.com', 'example.com'],
    ['Example.COM:8080', 'example.com'],
    ['example.com.', 'example.com'],
    ['example.com.:80', 'example.com'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
    ['', ''],
    [':80', ''],
  ];
  for (const [host, name] of cases) assert.equal(hostName(host), name, host);
});
