import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { exportJWK, SignJWT } from 'jose';
import { fetchText } from '../../src/access/fetch-text.ts';
import { Issuer } from '../../src/access/issuer.ts';
import { RemoteKeys } from '../../src/access/remote-keys.ts';
import { resolveLimits, silentLogger } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NOW_SECONDS, outcomeOf, testGate } from './access-fixture.ts';

const PAIRS = [0, 1].map(() => generateKeyPairSync('ed25519'));

/** What the issuer's server does with the next requests. */
let respond: (response: ServerResponse) => void;
let requests = 0;
const server: Server = createServer((_request, response) => {
  requests++;
  respond(response);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = 0;
});

async function keySet(...indexes: number[]): Promise<string> {
  const keys = indexes.map(async (index) => ({
    ...(await exportJWK(PAIRS[index].publicKey)),
    kid: `key-${index}`,
  }));
  return JSON.stringify({ keys: await Promise.all(keys) });
}

function token(index: number, kid = `key-${index}`): Promise<string> {
  return new SignJWT({ exp: NOW_SECONDS + 100_000 })
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .sign(PAIRS[index].privateKey);
}

interface Issued {
  readonly clock: ManualClock;
  readonly keys: RemoteKeys;
  /** What comes of a token: a new gate each time, so that nothing is remembered. */
  outcome(shown: string): Promise<string>;
  kept: string | null;
}

function issued(kept: string | null = null): Issued {
  const clock = new ManualClock();
  const state = { kept };
  const keys = new RemoteKeys({
    name: 'remote',
    url,
    clock,
    logger: silentLogger,
    limits: resolveLimits({
      jwksTimeoutMs: 300,
      jwksBytesMax: 4096,
      jwksCooldownMs: 10_000,
      jwksRefreshMs: 600_000,
    }),
    fetchText,
    copy: {
      read: () => state.kept,
      write: (text) => {
        state.kept = text;
      },
    },
  });
  const rules = {
    name: 'remote',
    algorithms: ['EdDSA'],
    issuer: undefined,
    audience: undefined,
    allow: {},
  } as const;
  const issuer = new Issuer(rules, keys);
  return {
    clock,
    keys,
    outcome: (shown) => outcomeOf(testGate({ clock, issuers: [issuer] }), shown),
    get kept() {
      return state.kept;
    },
  };
}

async function untilFetched({ keys }: Issued): Promise<void> {
  await keys.refresh();
}

test('keys are fetched ahead of time, and kept for the next start', async () => {
  const text = await keySet(0);
  respond = (response) => response.end(text);
  const issuer = issued();
  await untilFetched(issuer);
  assert.equal(requests, 1);
  assert.equal(await issuer.outcome(await token(0)), 'accepted');
  assert.equal(requests, 1);
  assert.equal(issuer.kept, text);
});

test('a token with an unknown key makes the server look again, but no more than once in limits.jwksCooldownMs', async () => {
  const [old, both] = [await keySet(0), await keySet(0, 1)];
  respond = (response) => response.end(old);
  const issuer = issued();
  await untilFetched(issuer);
  respond = (response) => response.end(both);
  issuer.clock.advance(10_000);
  assert.equal(await issuer.outcome(await token(1)), 'accepted');
  assert.equal(requests, 2);
  const strangers = await Promise.all(Array.from({ length: 50 }, (_, i) => token(1, `unknown-${i}`)));
  for (const stranger of strangers) assert.equal(await issuer.outcome(stranger), 'credential_invalid');
  assert.equal(requests, 2);
  issuer.clock.advance(10_000);
  await Promise.all(strangers.map((stranger) => issuer.outcome(stranger)));
  assert.equal(requests, 3);
});

test('a key that the issuer takes away is believed no more after the next fetch', async () => {
  const [both, only] = [await keySet(0, 1), await keySet(1)];
  respond = (response) => response.end(both);
  const issuer = issued();
  await untilFetched(issuer);
  const old = await token(0);
  assert.equal(await issuer.outcome(old), 'accepted');
  respond = (response) => response.end(only);
  issuer.clock.advance(600_000);
  await untilFetched(issuer);
  assert.equal(await issuer.outcome(old), 'credential_invalid');
});

for (const [what, answer] of [
  ['is away', (response) => response.destroy()],
  ['hangs', () => {}],
  ['answers with an error', (response) => response.writeHead(500).end()],
  ['answers with something else', (response) => response.end('<html>')],
  ['answers with no keys', (response) => response.end('{"keys":1}')],
  ['answers with a secret', (response) => response.end('{"keys":[{"kty":"oct","k":"AAAA"}]}')],
  [
    'answers with more than limits.jwksBytesMax',
    (response) => response.end(`{"keys":[]}${' '.repeat(5000)}`),
  ],
  ['sends clients elsewhere', (response) => response.writeHead(302, { location: '/other' }).end()],
] as const satisfies readonly (readonly [string, (response: ServerResponse) => void])[]) {
  test(`while the issuer ${what}, what it said last is good`, async () => {
    respond = answer;
    const issuer = issued(await keySet(0));
    await untilFetched(issuer);
    assert.equal(await issuer.outcome(await token(0)), 'accepted');
    assert.equal(await issuer.outcome(await token(1)), 'credential_invalid');
  });

  test(`an issuer that ${what} and has never said anything can be asked about later`, async () => {
    respond = answer;
    const issuer = issued();
    await untilFetched(issuer);
    assert.equal(await issuer.outcome(await token(0)), 'issuer_unavailable');
    const text = await keySet(0);
    respond = (response) => response.end(text);
    // It is asked again by itself, sooner than it would be regularly.
    issuer.clock.advance(2000);
    await untilFetched(issuer);
    assert.equal(await issuer.outcome(await token(0)), 'accepted');
  });
}
