import { test } from 'node:test';
import { runSlowReader } from './slow-reader.ts';

test('a reader that stands still for a minute at full load misses nothing and costs no memory', {
  timeout: 240_000,
}, async () => {
  await runSlowReader({ stillMs: 60_000, durability: 'synced' });
});

test('the same in a topic that is kept in memory only', { timeout: 120_000 }, async () => {
  await runSlowReader({ stillMs: 10_000, durability: 'none' });
});
