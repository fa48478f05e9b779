import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt, jwtVerify, SignJWT } from 'jose';
import { resolveLimits } from '../../../src/kernel/index.ts';
import {
  parseSignatureKey,
  type SignatureAlgorithm,
  type SignatureClaims,
  type SignatureExpectation,
  type SignatureKey,
  signGrip,
  verifyGrip,
} from '../../../src/wire/grip/index.ts';
import { faultOf } from './faults.ts';

const LIMITS = resolveLimits();
const NOW: SignatureExpectation = { nowS: 1_000_000, issuer: null };

interface Pair {
  readonly algorithm: SignatureAlgorithm;
  readonly privatePem: string;
  readonly publicPem: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function pair(algorithm: SignatureAlgorithm, keys: { publicKey: KeyObject; privateKey: KeyObject }): Pair {
  return {
    algorithm,
    ...keys,
    privatePem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

const RSA = pair('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }));
const PAIRS = [
  RSA,
  pair('ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  pair('EdDSA', generateKeyPairSync('ed25519')),
];
const SECRET = parseSignatureKey('changeme');

const verify = (token: string, key = SECRET, expectation = NOW): SignatureClaims =>
  verifyGrip(token, key, expectation, LIMITS);
const fault = (token: string, key = SECRET, expectation = NOW): string =>
  faultOf('grip_signature_invalid', () => verify(token, key, expectation));

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token with this header and payload that is signed with the secret. */
function forged(header: unknown, payload: unknown = { exp: 2_000_000 }, secret = 'changeme'): string {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const HEADER = { alg: 'HS256' };

describe('A GRIP signature', () => {
  test('with a secret says who made it and until when it holds', () => {
    const token = signGrip(SECRET, 'tidegate', 1_003_600.7);
    assert.deepEqual(verify(token), { issuer: 'tidegate', expiresS: 1_003_600 });
    assert.deepEqual(decodeJwt(token), { iss: 'tidegate', exp: 1_003_600 });
  });

  test('is what another library verifies and makes', async () => {
    const currentDate = new Date(1_000_000_000);
    const secret = Buffer.from('changeme');
    await jwtVerify(signGrip(SECRET, 'i', 1_003_600), secret, { currentDate, issuer: 'i' });
    const made = (alg: string): SignJWT =>
      new SignJWT({}).setIssuer('i').setExpirationTime(1_003_600).setProtectedHeader({ alg });
    assert.equal(verify(await made('HS256').sign(secret)).issuer, 'i');
    for (const { algorithm, privatePem, publicPem, privateKey, publicKey } of PAIRS) {
      await jwtVerify(signGrip(parseSignatureKey(privatePem), 'i', 1_003_600), publicKey, {
        currentDate,
        algorithms: [algorithm],
      });
      const token = await made(algorithm).sign(privateKey);
      assert.equal(verify(token, parseSignatureKey(publicPem)).issuer, 'i');
      assert.equal(verify(token, parseSignatureKey(privatePem)).issuer, 'i');
    }
  });

  test('with another key, or changed, is not valid', () => {
    const keys = [
      parseSignatureKey('other'),
      SECRET,
      ...PAIRS.map((each) => parseSignatureKey(each.privatePem)),
    ];
    for (const key of keys) {
      const token = signGrip(key, 'i', 2_000_000);
      verify(token, key);
      for (const other of keys) if (other !== key) fault(token, other);
      const [header, , signature] = token.split('.');
      const payload = part({ iss: 'i', exp: 3_000_000 });
      assert.match(fault(`${header}.${payload}.${signature}`, key), /signature is not that of the key/);
      for (const other of ['AA', signature.slice(0, -2), `${signature}AAAA`]) {
        fault(token.replace(signature, other), key);
      }
    }
  });

  test('does not choose its algorithm: neither none, nor a public key as a secret', () => {
    assert.match(fault(forged({ alg: 'none' })), /not signed with HS256/);
    assert.match(fault(`${part({ alg: 'none' })}.${part({ exp: 2_000_000 })}.`), /compact form/);
    for (const alg of ['hs256', 'HS384', 'RS256', '', undefined, ['HS256']]) {
      assert.match(fault(forged({ alg })), /not signed with HS256/);
    }
    const publicKey = parseSignatureKey(RSA.publicPem);
    assert.match(fault(forged(HEADER, undefined, RSA.publicPem), publicKey), /not signed with RS256/);
    const confused = forged({ alg: 'RS256' }, undefined, RSA.publicPem);
    assert.match(fault(confused, publicKey), /signature is not that of the key/);
  });

  test('holds until it expires, give or take the leeway', () => {
    const token = signGrip(SECRET, 'i', 1_000_000);
    verify(token, SECRET, { nowS: 999_999.9, issuer: null });
    assert.match(fault(token, SECRET, { nowS: 1_000_000, issuer: null }), /has expired/);
    verify(token, SECRET, { nowS: 1_000_029, issuer: null, leewayS: 30 });
    assert.match(fault(token, SECRET, { nowS: 1_000_030, issuer: null, leewayS: 30 }), /has expired/);
    for (const exp of [undefined, '2000000', null]) {
      assert.match(fault(forged(HEADER, { exp })), /does not say when it expires/);
    }
  });

  test('does not hold before it begins to', () => {
    const token = forged(HEADER, { exp: 2_000_000, nbf: 1_000_010 });
    assert.match(fault(token), /not valid yet/);
    assert.equal(verify(token, SECRET, { nowS: 1_000_010, issuer: null }).issuer, null);
    verify(token, SECRET, { ...NOW, leewayS: 10 });
    assert.match(fault(forged(HEADER, { exp: 2_000_000, nbf: '1' })), /not valid yet/);
  });

  test('is from the issuer that is expected, if one is', () => {
    const expectation = { ...NOW, issuer: 'realm' };
    verify(signGrip(SECRET, 'realm', 2_000_000), SECRET, expectation);
    assert.match(fault(signGrip(SECRET, 'other', 2_000_000), SECRET, expectation), /expected issuer/);
    assert.match(fault(forged(HEADER), SECRET, expectation), /expected issuer/);
    assert.match(fault(forged(HEADER, { exp: 2_000_000, iss: 1 })), /issuer is not text/);
  });

  test('has nothing that must be understood and is not', () => {
    assert.match(fault(forged({ alg: 'HS256', crit: ['b64'], b64: false })), /critical extensions/);
  });

  test('is a token of three parts of JSON objects', () => {
    const token = signGrip(SECRET, 'i', 2_000_000);
    for (const text of [
      '',
      'a',
      'a.b',
      '..',
      `${token}.`,
      ` ${token}`,
      `${token}\n`,
      `${token}.a`,
      `${token}=`,
    ]) {
      assert.match(fault(text), /compact form/);
    }
    assert.match(fault('AA.AA.AA'), /header is not JSON/);
    assert.match(fault(forged([])), /header is not an object/);
    assert.match(fault(forged(HEADER, null)), /payload is not an object/);
    assert.match(fault(forged(HEADER, 'x')), /payload is not an object/);
  });

  test('has at most gripSignatureBytesMax bytes', () => {
    const limits = resolveLimits({ gripSignatureBytesMax: 512 });
    const ofBytes = (issuerBytes: number): string => signGrip(SECRET, 'x'.repeat(issuerBytes), 2_000_000);
    const issuerBytes = 512 - ofBytes(0).length;
    const fitting = [...Array(issuerBytes).keys()].map(ofBytes).findLast((token) => token.length <= 512)!;
    verifyGrip(fitting, SECRET, NOW, limits);
    const long = ofBytes(issuerBytes + 10);
    assert.match(
      faultOf('grip_signature_invalid', () => verifyGrip(long, SECRET, NOW, limits)),
      /the limit is 512/,
    );
  });

  test('is verified or refused, whatever it is', () => {
    const token = fc
      .tuple(fc.json(), fc.json(), fc.base64String())
      .map(
        ([header, payload, signature]) =>
          `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}.${signature}`,
      );
    const keys: SignatureKey[] = [SECRET, ...PAIRS.map(({ publicPem }) => parseSignatureKey(publicPem))];
    fc.assert(
      fc.property(
        fc.oneof(token, fc.string()),
        fc.constantFrom(...keys),
        (text, key) => void fault(text, key),
      ),
    );
    for (const key of keys) {
      const head = part({ alg: key.algorithm });
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (signature) => {
          fault(`${head}.${part({ exp: 2_000_000 })}.${Buffer.from(signature).toString('base64url')}`, key);
        }),
      );
    }
  });
});

describe('A key for GRIP signatures', () => {
  const keyFault = (text: string): string => faultOf('config_invalid', () => parseSignatureKey(text));

  test('is a secret as it stands or in base64', () => {
    const token = signGrip(parseSignatureKey('base64:/wA='), 'i', 2_000_000);
    assert.throws(() => verify(token, parseSignatureKey('/wA=')));
    verify(token, parseSignatureKey('base64: /wA='));
    assert.equal(parseSignatureKey('ü').algorithm, 'HS256');
  });

  test('is a PEM, whose kind decides on the algorithm; a public one can only verify', () => {
    for (const { algorithm, privatePem, publicPem } of PAIRS) {
      assert.equal(parseSignatureKey(privatePem).algorithm, algorithm);
      assert.equal(parseSignatureKey(`\n${publicPem}`).algorithm, algorithm);
      assert.match(
        faultOf('config_invalid', () => signGrip(parseSignatureKey(publicPem), 'i', 1)),
        /private key/,
      );
    }
  });

  test('is refused if it is empty, unreadable, weak or of another kind', () => {
    assert.match(keyFault(''), /is empty/);
    assert.match(keyFault('base64:'), /is empty/);
    assert.match(keyFault('base64:%'), /no base64/);
    const broken = RSA.privatePem.replace(/[A-Za-z]{20}/, '');
    assert.match(keyFault(broken), /cannot be read/);
    assert.ok(!keyFault(broken).includes(broken.slice(60, 80)));
    const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
    assert.match(keyFault(pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)), /2048 bits/);
    assert.match(keyFault(pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)), /P-256/);
    assert.match(keyFault(pem(generateKeyPairSync('x25519').publicKey)), /kind x25519/);
    const encrypted = RSA.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    assert.match(keyFault(encrypted.toString()), /cannot be read/);
  });
});
