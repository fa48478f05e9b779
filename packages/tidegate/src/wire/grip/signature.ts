import { Buffer } from 'node:buffer';
import { createHmac, sign, timingSafeEqual, verify } from 'node:crypto';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { SignatureAlgorithm, SignatureKey } from './signature-key.ts';

/** What a valid `Grip-Sig` says. */
export interface SignatureClaims {
  /** Null if it names no issuer. */
  readonly issuer: string | null;
  /** Until when it is valid, in seconds since the Unix epoch. */
  readonly expiresS: number;
}

export interface SignatureExpectation {
  /** The time, in seconds since the Unix epoch. */
  readonly nowS: number;
  /** Who must have signed; null if anybody with the key may. */
  readonly issuer: string | null;
  /** By how much both clocks may differ. 0 by default. */
  readonly leewayS?: number;
}

/** Three parts of base64url, none of them empty (RFC 7515, section 7.1). */
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** The first part of each token, dot included. */
const HEADS: Readonly<Record<SignatureAlgorithm, string>> = {
  HS256: head('HS256'),
  RS256: head('RS256'),
  ES256: head('ES256'),
  EdDSA: head('EdDSA'),
};

function head(algorithm: SignatureAlgorithm): string {
  return `${base64url(JSON.stringify({ typ: 'JWT', alg: algorithm }))}.`;
}

/**
 * A `Grip-Sig`: a JSON Web Token in its compact form (RFC 7519), by which an origin knows the gateway. Takes some microseconds with
 * a secret and up to a millisecond with an RSA key; as it says nothing of the request, it can be used for many.
 * @param expiresS in seconds since the Unix epoch
 * @throws TidegateError config_invalid, if the key can only verify
 */
export function signGrip(key: SignatureKey, issuer: string, expiresS: number): string {
  if (key.signing === null) throw new TidegateError('config_invalid', 'Signing needs the private key.');
  const signed = HEADS[key.algorithm] + base64url(JSON.stringify({ iss: issuer, exp: Math.floor(expiresS) }));
  return `${signed}.${signatureOf(key.algorithm, key.signing, signed).toString('base64url')}`;
}

/**
 * What a token says, once it is certain that somebody with the key has said it and that it still holds.
 * @throws TidegateError grip_signature_invalid
 */
export function verifyGrip(
  token: string,
  key: SignatureKey,
  expectation: SignatureExpectation,
  limits: Limits,
): SignatureClaims {
  if (token.length > limits.gripSignatureBytesMax) {
    throw invalid(`It has ${token.length} bytes; the limit is ${limits.gripSignatureBytesMax}.`);
  }
  const parts = COMPACT.exec(token);
  if (parts === null) throw invalid('It is not a JSON Web Token in compact form.');
  const header = objectOf(parts[1], 'header');
  // The token does not choose; it can only agree (RFC 8725, section 3.1). This also rules out "none".
  if (header.alg !== key.algorithm) throw invalid(`It is not signed with ${key.algorithm}, as the key asks.`);
  // RFC 7515, section 4.1.11: extensions that must be understood, of which there are none here.
  if (header.crit !== undefined) throw invalid('Its header has critical extensions.');
  const signed = token.slice(0, token.length - parts[3].length - 1);
  if (!isSignature(key, signed, Buffer.from(parts[3], 'base64url'))) {
    throw invalid('The signature is not that of the key.');
  }
  return claimsOf(objectOf(parts[2], 'payload'), expectation);
}

function claimsOf(
  { iss, exp, nbf }: Readonly<Record<string, unknown>>,
  { nowS, issuer, leewayS = 0 }: SignatureExpectation,
): SignatureClaims {
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw invalid('It does not say when it expires.');
  // RFC 7519, section 4.1.4: on or after that time, it must not be accepted.
  if (nowS >= exp + leewayS) throw invalid('It has expired.');
  if (nbf !== undefined && (typeof nbf !== 'number' || nowS < nbf - leewayS))
    throw invalid('It is not valid yet.');
  if (iss !== undefined && typeof iss !== 'string') throw invalid('Its issuer is not text.');
  if (issuer !== null && iss !== issuer) throw invalid('It is not from the expected issuer.');
  return { issuer: iss ?? null, expiresS: exp };
}

function signatureOf(algorithm: SignatureAlgorithm, key: SignatureKey['verifying'], signed: string): Buffer {
  const bytes = Buffer.from(signed, 'latin1');
  switch (algorithm) {
    case 'HS256':
      return createHmac('sha256', key).update(bytes).digest();
    case 'RS256':
      return sign('sha256', bytes, key);
    case 'ES256':
      // RFC 7518, section 3.4: both numbers one after the other, not in DER.
      return sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' });
    case 'EdDSA':
      return sign(null, bytes, key);
  }
}

function isSignature({ algorithm, verifying }: SignatureKey, signed: string, signature: Buffer): boolean {
  const bytes = Buffer.from(signed, 'latin1');
  switch (algorithm) {
    case 'HS256': {
      const expected = signatureOf(algorithm, verifying, signed);
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    }
    case 'RS256':
      return verify('sha256', bytes, verifying, signature);
    case 'ES256':
      return verify('sha256', bytes, { key: verifying, dsaEncoding: 'ieee-p1363' }, signature);
    case 'EdDSA':
      return verify(null, bytes, verifying, signature);
  }
}

function objectOf(part: string, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch (error) {
    throw new TidegateError('grip_signature_invalid', `Its ${what} is not JSON.`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`Its ${what} is not an object.`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

function invalid(detail: string): TidegateError {
  return new TidegateError('grip_signature_invalid', detail);
}
