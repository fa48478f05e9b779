import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { NO_RULES, openGate } from '../../src/access/index.ts';
import { noMetrics, resolveLimits, silentLogger } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NOW_SECONDS, outcomeOf } from './access-fixture.ts';

const SHORT = { issuers: { app: { algorithms: ['HS256' as const], secret: 'secret' } } };

function open(weakSecrets: 'allowed' | 'refused', warnings: string[] = []) {
  return openGate({
    channels: { publish() {}, subscribe: () => assert.fail(), drain() {} },
    clock: new ManualClock(),
    limits: resolveLimits(),
    logger: { ...silentLogger, warn: (_fields, message) => warnings.push(message) },
    metrics: noMetrics,
    access: SHORT,
    rules: NO_RULES,
    dataFolder: tmpdir(),
    openWithoutCredentials: false,
    closed: () => {},
    weakSecrets,
  });
}

test('where nobody else can reach the server, a short secret does, with a warning', async () => {
  const warnings: string[] = [];
  const gate = await open('allowed', warnings);
  const token = await new SignJWT({ exp: NOW_SECONDS + 60 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from('secret'));
  assert.equal(await outcomeOf(gate, token), 'accepted');
  assert.deepEqual(warnings, ['The secret of access.issuers.app is short enough to be guessed from a token']);
});

test('elsewhere a short secret is a reason not to start', async () => {
  await assert.rejects(open('refused'), {
    code: 'config_invalid',
    detail: 'access.issuers.app.secret: it has 6 bytes, and takes 32 not to be guessed',
  });
});
