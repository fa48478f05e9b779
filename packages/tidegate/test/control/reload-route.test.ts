import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { ReloadResult } from '../../src/control/index.ts';
import { reloadRoute } from '../../src/control/reload-route.ts';
import { TidegateError } from '../../src/kernel/index.ts';

const REQUEST = {
  method: 'POST',
  path: '/api/reload',
  parameters: {},
  query: new URLSearchParams(),
  headers: {},
  identity: '',
  body: Buffer.alloc(0),
};

test('a reload is answered with what came of it, or with why it was refused, and is for nobody without a credential', async () => {
  const key = { kind: 'key', name: 'app' };
  const result: ReloadResult = {
    differences: [{ ...key, action: 'delete', before: { allow: {} }, after: null }],
    hidden: [key],
    restart: ['workers'],
  };
  const route = reloadRoute(async () => result, new Map());
  const { status, body } = await route.handle(REQUEST);
  assert.deepEqual([status, JSON.parse(String(body))], [200, result]);
  assert.notEqual(route.open, true);
  const refused = reloadRoute(() => Promise.reject(new TidegateError('config_refused', 'why')), new Map());
  await assert.rejects(async () => refused.handle(REQUEST), { code: 'config_refused', detail: 'why' });
});
