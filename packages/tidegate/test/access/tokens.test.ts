import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { exportJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { Issuer, type IssuerRules } from '../../src/access/issuer.ts';
import { fixedKeys, readPublicKey } from '../../src/access/key-source.ts';
import { resolveLimits } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NOW_SECONDS, outcomeOf, testGate, verify } from './access-fixture.ts';

const SECRET = Buffer.from('0123456789abcdef0123456789abcdef');
const PAIRS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;

const rules = (changes: Partial<IssuerRules> = {}): IssuerRules => ({
  name: 'test',
  algorithms: ['HS256'],
  issuer: undefined,
  audience: undefined,
  allow: { '#': ['subscribe'] },
  ...changes,
});

const shared = (changes: Partial<IssuerRules> = {}): Issuer =>
  new Issuer(rules(changes), fixedKeys({ kind: 'key', key: SECRET }));

const asymmetric = (algorithm: keyof typeof PAIRS, changes: Partial<IssuerRules> = {}): Issuer =>
  new Issuer(
    rules({ algorithms: [algorithm], ...changes }),
    fixedKeys({ kind: 'key', key: PAIRS[algorithm].publicKey }),
  );

function token(
  claims: JWTPayload = {},
  algorithm = 'HS256',
  key: KeyObject | Uint8Array = SECRET,
  header: Readonly<Record<string, string>> = {},
): Promise<string> {
  const all = { exp: NOW_SECONDS + 60, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: algorithm, ...header }).sign(key);
}

async function outcome(issuers: readonly Issuer[], shown: string | Promise<string>): Promise<string> {
  return outcomeOf(testGate({ clock: new ManualClock(), issuers }), await shown);
}

test('a token of each algorithm is believed', async () => {
  assert.equal(await outcome([shared()], token()), 'accepted');
  for (const algorithm of ['RS256', 'ES256', 'EdDSA'] as const) {
    const signed = token({}, algorithm, PAIRS[algorithm].privateKey);
    assert.equal(await outcome([asymmetric(algorithm)], signed), 'accepted', algorithm);
  }
});

test('a token says who it is, until when, and what it allows', async () => {
  const gate = testGate({ clock: new ManualClock(), issuers: [shared()] });
  const claims = { sub: 'alice', jti: 'x', capabilities: { 'chat/#': ['publish', 'history'] } };
  const identity = await verify(gate, await token(claims));
  assert.ok('credential' in identity);
  assert.deepEqual(
    [identity.credential, identity.name, identity.user, identity.expiresMs, identity.claims.jti],
    ['token', 'user:alice', 'alice', (NOW_SECONDS + 60) * 1000, 'x'],
  );
  assert.equal(identity.allows('publish', 'chat/1'), true);
  assert.equal(identity.allows('subscribe', 'chat/1'), false);
});

test('a token without capabilities allows what its issuer is allowed to give', async () => {
  const issuers = [shared({ allow: { 'users/{user}': ['subscribe'] } })];
  const gate = testGate({ clock: new ManualClock(), issuers });
  const allowed = async (sub: string, channel: string): Promise<boolean> => {
    const identity = await verify(gate, await token({ sub }));
    return 'credential' in identity && identity.allows('subscribe', channel);
  };
  assert.equal(await allowed('alice', 'users/alice'), true);
  assert.equal(await allowed('alice', 'users/bob'), false);
  assert.equal(await allowed('+', 'users/bob'), false);
});

test('a token that has expired, or is not good yet, is refused', async () => {
  assert.equal(await outcome([shared()], token({ exp: NOW_SECONDS - 1 })), 'token_expired');
  assert.equal(await outcome([shared()], token({ exp: NOW_SECONDS })), 'token_expired');
  assert.equal(await outcome([shared()], token({ nbf: NOW_SECONDS + 10 })), 'credential_invalid');
  assert.equal(await outcome([shared()], token({ nbf: NOW_SECONDS })), 'accepted');
});

test('a token expires while it is remembered', async () => {
  const clock = new ManualClock();
  const gate = testGate({ clock, issuers: [shared()] });
  const signed = await token();
  assert.equal(await outcomeOf(gate, signed), 'accepted');
  clock.advance(59_999);
  assert.equal(await outcomeOf(gate, signed), 'accepted');
  clock.advance(1);
  assert.equal(await outcomeOf(gate, signed), 'token_expired');
});

test('a token for another audience, or of another issuer, is refused', async () => {
  const strict = [shared({ audience: 'tidegate', issuer: 'https://id.example' })];
  const good = { aud: ['other', 'tidegate'], iss: 'https://id.example' };
  assert.equal(await outcome(strict, token(good)), 'accepted');
  assert.equal(await outcome(strict, token({ ...good, aud: 'other' })), 'credential_invalid');
  assert.equal(await outcome(strict, token({ iss: good.iss })), 'credential_invalid');
  assert.equal(await outcome(strict, token({ ...good, iss: 'https://evil.example' })), 'credential_invalid');
  assert.equal(await outcome(strict, token({ aud: good.aud })), 'credential_invalid');
});

test('a token that nobody signed is refused', async () => {
  const unsigned = new UnsecuredJWT({ exp: NOW_SECONDS + 60 }).encode();
  assert.equal(await outcome([shared()], unsigned), 'credential_invalid');
  assert.equal(await outcome([asymmetric('RS256')], unsigned), 'credential_invalid');
  const [head, payload] = (await token()).split('.');
  assert.equal(await outcome([shared()], `${head}.${payload}.`), 'credential_invalid');
});

test('a token that another key signed is refused', async () => {
  const other = Buffer.alloc(32, 7);
  assert.equal(await outcome([shared()], token({}, 'HS256', other)), 'credential_invalid');
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = token({}, 'ES256', pair.privateKey);
  assert.equal(await outcome([asymmetric('ES256')], signed), 'credential_invalid');
});

test('a public key is never taken for a shared secret', async () => {
  const pem = PAIRS.RS256.publicKey.export({ type: 'spki', format: 'pem' });
  const forged = token({}, 'HS256', Buffer.from(pem));
  assert.equal(await outcome([asymmetric('RS256')], forged), 'credential_invalid');
  // Not even where the rules would let it.
  const careless = asymmetric('RS256', { algorithms: ['RS256', 'HS256'] });
  assert.equal(await outcome([careless], forged), 'credential_invalid');
});

test('an algorithm that the issuer does not use is refused, although the key would do', async () => {
  const key = Buffer.alloc(64, 1);
  const issuer = new Issuer(rules(), fixedKeys({ kind: 'key', key }));
  assert.equal(await outcome([issuer], token({}, 'HS512', key)), 'credential_invalid');
});

for (const [what, shown] of [
  ['one part', 'abc'],
  ['two parts', 'abc.def'],
  ['four parts', 'a.b.c.d'],
  ['parts that are not base64url', 'a+b.c/d.e='],
  ['a payload that is not JSON', 'eyJhbGciOiJIUzI1NiJ9.YWJj.YWJj'],
  ['a payload that is not an object', 'eyJhbGciOiJIUzI1NiJ9.MQ.YWJj'],
  ['a head that is not JSON', 'YWJj.e30.YWJj'],
  ['nothing but dots', '..'],
  ['a payload that is null', 'eyJhbGciOiJIUzI1NiJ9.bnVsbA.YWJj'],
] as const) {
  test(`a token of ${what} is refused`, async () =>
    assert.equal(await outcome([shared()], shown), 'credential_invalid'));
}

test('a token with claims of the wrong type is refused', async () => {
  for (const claims of [
    { exp: 'soon' },
    { sub: 42 },
    { sub: ['+'] },
    { jti: 1 },
    { capabilities: [] },
    { capabilities: { a: ['fly'] } },
  ] as const) {
    const signed = new SignJWT(claims as unknown as JWTPayload)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(SECRET);
    assert.equal(await outcome([shared()], signed), 'credential_invalid', JSON.stringify(claims));
  }
});

test('a token that is too long is refused unread', async () => {
  const limits = resolveLimits({ credentialBytesMax: 1024 });
  const gate = testGate({ clock: new ManualClock(), issuers: [shared()], limits });
  assert.equal(await outcomeOf(gate, await token({ filler: 'x'.repeat(1024) })), 'credential_invalid');
});

test('of several issuers, the one that signed a token is found', async () => {
  const issuers = [asymmetric('RS256'), shared(), asymmetric('EdDSA')];
  assert.equal(await outcome(issuers, token({}, 'EdDSA', PAIRS.EdDSA.privateKey)), 'accepted');
  assert.equal(await outcome(issuers, token()), 'accepted');
});

test('a set of keys is searched by the id that a token names, and through if it names none', async () => {
  const pairs = [PAIRS.ES256, generateKeyPairSync('ec', { namedCurve: 'P-256' })];
  const keys = await Promise.all(
    pairs.map(async ({ publicKey }, index) => ({ ...(await exportJWK(publicKey)), kid: `key-${index}` })),
  );
  const issuer = new Issuer(rules({ algorithms: ['ES256'] }), fixedKeys({ kind: 'set', set: { keys } }));
  for (const [index, { privateKey }] of pairs.entries()) {
    const named = token({}, 'ES256', privateKey, { kid: `key-${index}` });
    assert.equal(await outcome([issuer], named), 'accepted');
    assert.equal(await outcome([issuer], token({}, 'ES256', privateKey)), 'accepted');
    const misnamed = token({}, 'ES256', privateKey, { kid: `key-${1 - index}` });
    assert.equal(await outcome([issuer], misnamed), 'credential_invalid');
  }
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  assert.equal(await outcome([issuer], token({}, 'ES256', stranger.privateKey)), 'credential_invalid');
});

test('a token that a thousand show at once is verified once', async () => {
  const issuer = shared();
  const { verify: original } = issuer;
  let verifications = 0;
  issuer.verify = (...parameters) => {
    verifications++;
    return original.apply(issuer, parameters);
  };
  const gate = testGate({ clock: new ManualClock(), issuers: [issuer] });
  const signed = await token();
  const results = await Promise.all(Array.from({ length: 1000 }, () => verify(gate, signed)));
  assert.equal(new Set(results).size, 1);
  assert.equal(await outcomeOf(gate, signed), 'accepted');
  assert.equal(verifications, 1);
});

test('a token is revoked by its id, and all of a user that were issued before', async () => {
  const clock = new ManualClock();
  const gate = testGate({ clock, issuers: [shared()] });
  const one = await token({ sub: 'alice', jti: 'one', iat: NOW_SECONDS - 10 });
  const two = await token({ sub: 'alice', jti: 'two', iat: NOW_SECONDS - 10 });
  const undated = await token({ sub: 'alice' });
  const later = await token({ sub: 'alice', jti: 'three', iat: NOW_SECONDS + 1 });
  const ended: string[] = [];
  for (const [name, shown] of Object.entries({ one, two, undated, later })) {
    const identity = await verify(gate, shown);
    assert.ok('credential' in identity);
    gate.hold(identity, { accessEnded: (reason) => ended.push(`${name} ${reason}`) });
  }
  gate.adopt({ keys: new Map(), revoked: { tokenIds: new Set(['one']), users: new Map() } });
  assert.deepEqual(ended, ['one revoked']);
  assert.equal(await outcomeOf(gate, one), 'credential_revoked');
  assert.equal(await outcomeOf(gate, two), 'accepted');
  const users = new Map([['alice', NOW_SECONDS * 1000]]);
  gate.adopt({ keys: new Map(), revoked: { tokenIds: new Set(), users } });
  assert.deepEqual(ended, ['one revoked', 'two revoked', 'undated revoked']);
  assert.equal(await outcomeOf(gate, two), 'credential_revoked');
  assert.equal(await outcomeOf(gate, later), 'accepted');
});

test('a public key is read in PEM, and refused with its place if it is not one', () => {
  const pem = PAIRS.ES256.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  assert.equal(readPublicKey(pem, 'here').asymmetricKeyType, 'ec');
  assert.throws(() => readPublicKey('nonsense', 'access.issuers.a'), {
    code: 'config_invalid',
    detail: 'access.issuers.a: the public key cannot be read',
  });
});
