import { test } from 'node:test';
import { runSlowReader } from './slow-reader.ts';

test('a reader that stands still at full load misses nothing and costs no memory', {
  timeout: 60_000,
}, async () => {
  await runSlowReader({ stillMs: 4000, durability: 'synced' });
});
