import assert from 'node:assert/strict';
import test from 'node:test';
import { compareWithNode } from './differential.ts';

test('what the parser accepts, the parser of node:http reads the same way: 2,000,000 mutants', async () => {
  const compared = await compareWithNode(1, 2_000_000);
  assert.ok(compared > 450_000, `Only ${compared} requests were accepted, which compares too little.`);
});
