import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** The algorithms of RFC 7518 and RFC 8037 whose verification is measured. */
export const TOKEN_ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

const RSA_MODULUS_BITS = 2048;
const HMAC_SECRET_BYTES = 32;
/** Tokens that are being signed at a time, which keeps the thread pool busy. */
const SIGNING_AT_ONCE = 64;
const SUBJECT_DIGITS = 9;
const LIFETIME_SECONDS = 24 * 3600;

const signOnPool = promisify(sign);

/** Somebody who signs tokens, with what a server has to be told to believe them. */
export interface TokenIssuer {
  readonly algorithm: TokenAlgorithm;
  /** The members of an entry of `access.issuers` that tell the key, as YAML. */
  readonly keySetting: string;
  /** A token of its own subject for each number; those of one issuer are all of one length. */
  token(subject: number): Promise<string>;
}

/** An issuer with a new key: 256 random bits, RSA of 2,048 bits, P-256 or Ed25519. */
export function tokenIssuer(algorithm: TokenAlgorithm): TokenIssuer {
  const header = base64url(JSON.stringify({ alg: algorithm, typ: 'JWT' }));
  const expires = Math.floor(Date.now() / 1000) + LIFETIME_SECONDS;
  const { keySetting, signature } = algorithm === 'HS256' ? hmacSigner() : keyPairSigner(algorithm);
  return {
    algorithm,
    keySetting,
    async token(subject) {
      const sub = `user-${String(subject).padStart(SUBJECT_DIGITS, '0')}`;
      const content = `${header}.${base64url(JSON.stringify({ sub, exp: expires }))}`;
      return `${content}.${(await signature(content)).toString('base64url')}`;
    },
  };
}

/** Tokens of `count` different subjects. */
export async function manyTokens(issuer: TokenIssuer, count: number): Promise<readonly string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const group = Math.min(SIGNING_AT_ONCE, count - tokens.length);
    const first = tokens.length;
    tokens.push(...(await Promise.all(Array.from({ length: group }, (_, at) => issuer.token(first + at)))));
  }
  return tokens;
}

interface Signer {
  readonly keySetting: string;
  signature(content: string): Promise<Buffer>;
}

function hmacSigner(): Signer {
  const secret = randomBytes(HMAC_SECRET_BYTES).toString('hex');
  return {
    keySetting: `secret: ${secret}`,
    signature: async (content) => createHmac('sha256', secret).update(content).digest(),
  };
}

function keyPairSigner(algorithm: Exclude<TokenAlgorithm, 'HS256'>): Signer {
  const { publicKey, privateKey } = keyPair(algorithm);
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  // A signature of ES256 is both its numbers, one behind the other (RFC 7518, 3.4); Ed25519 has no separate hash.
  const digest = algorithm === 'EdDSA' ? null : 'sha256';
  return {
    keySetting: `publicKey: ${JSON.stringify(pem)}`,
    signature: (content) =>
      signOnPool(digest, Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

function keyPair(algorithm: Exclude<TokenAlgorithm, 'HS256'>): {
  publicKey: KeyObject;
  privateKey: KeyObject;
} {
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: RSA_MODULUS_BITS });
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return generateKeyPairSync('ed25519');
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
