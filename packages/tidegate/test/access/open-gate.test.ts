import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportJWK, SignJWT } from 'jose';
import { NO_RULES, type OpenGateOptions, openGate } from '../../src/access/index.ts';
import { noMetrics, resolveLimits, silentLogger } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NOW_SECONDS, outcomeOf } from './access-fixture.ts';
import { lineWithin } from './processes.ts';

const SHORT = { issuers: { app: { algorithms: ['HS256' as const], secret: 'secret' } } };

function open(
  weakSecrets: 'allowed' | 'refused',
  warnings: string[] = [],
  others: Partial<OpenGateOptions> = {},
) {
  return openGate({
    channels: { reach() {}, publish() {}, subscribe: () => assert.fail(), drain() {} },
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
    ...others,
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

test('a worker has the keys of an issuer from the owner, and only the owner fetches and keeps them', async (context) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const text = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] });
  let requests = 0;
  const issuer = createServer((_request, response) => {
    requests++;
    response.end(text);
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const [ownersFolder, workersFolder] = ['owner', 'worker'].map((name) =>
    mkdtempSync(join(tmpdir(), `tidegate-${name}-`)),
  );
  context.after(() => {
    issuer.closeAllConnections();
    issuer.close();
    for (const folder of [ownersFolder, workersFolder]) rmSync(folder, { recursive: true });
  });
  const jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks.json`;
  const access = { issuers: { app: { algorithms: ['EdDSA' as const], jwksUrl } } };
  const owner = await open('refused', [], { access, dataFolder: ownersFolder });
  const [ownersEnd, workersEnd] = lineWithin();
  owner.serve(ownersEnd);
  const worker = await open('refused', [], { access, dataFolder: workersFolder, line: workersEnd });
  const token = await new SignJWT({ exp: NOW_SECONDS + 60 })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
    .sign(privateKey);
  assert.equal(await outcomeOf(worker, token), 'accepted');
  assert.equal(await outcomeOf(owner, token), 'accepted');
  assert.equal(requests, 1);
  assert.equal(readFileSync(join(ownersFolder, 'jwks-app.json'), 'utf8'), text);
  assert.deepEqual(readdirSync(workersFolder), []);
});
