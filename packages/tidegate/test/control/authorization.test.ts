import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminAuthorization } from '../../src/control/index.ts';
import { keyOf, testGate } from '../access/access-fixture.ts';
import { ManualClock } from '../support/manual-clock.ts';

const gate = testGate({
  clock: new ManualClock(),
  keys: { ops: keyOf('ops', { any: ['admin'] }), app: keyOf('app', { '#': ['publish'] }) },
});

test('where admins alone may, a credential with the permission admin is needed', async () => {
  const authorize = adminAuthorization(gate, 'admins');
  assert.equal((await authorize('Bearer ops', '192.0.2.1')).name, 'key:ops');
  await assert.rejects(authorize('Bearer app', '192.0.2.1'), { code: 'access_denied' });
  await assert.rejects(authorize('Bearer other', '192.0.2.1'), { code: 'credential_invalid' });
  await assert.rejects(authorize('ops', '192.0.2.1'), { code: 'credential_invalid' });
  await assert.rejects(authorize(undefined, '192.0.2.1'), { code: 'credential_missing' });
});

test('where everybody may, a credential only names who it was, and a wrong one names nobody', async () => {
  const authorize = adminAuthorization(gate, 'everybody');
  const letIn = (name: string) => ({ name, hold: null });
  assert.deepEqual(await authorize(undefined, '127.0.0.1'), letIn(''));
  assert.deepEqual(await authorize('Bearer app', '127.0.0.1'), letIn('key:app'));
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(await authorize(`Bearer guess-${i}`, '127.0.0.1'), letIn(''));
  }
  assert.deepEqual(await authorize('Basic YTpi', '127.0.0.1'), letIn(''));
});
