import assert from 'node:assert/strict';
import test from 'node:test';
import { compareWithNode } from './differential.ts';

test('what the parser accepts, the parser of node:http reads the same way: 20,000 mutants', async () => {
  const compared = await compareWithNode(20_261_120, 20_000);
  assert.ok(compared > 4500, `Only ${compared} requests were accepted, which compares too little.`);
});
