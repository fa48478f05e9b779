import { Buffer } from 'node:buffer';
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { TidegateError } from '../../kernel/index.ts';
import { decodeBase64 } from './base64.ts';

/** The algorithms of JSON Web Signatures (RFC 7518, section 3.1; RFC 8037) that a key can have here. */
export type SignatureAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';

/**
 * A key for `Grip-Sig`. Its algorithm follows from what it is, and never from a token: otherwise whoever knows a public key could
 * pass it off as a secret.
 */
export interface SignatureKey {
  readonly algorithm: SignatureAlgorithm;
  /** Null if the key can only verify. */
  readonly signing: KeyObject | null;
  readonly verifying: KeyObject;
}

/** RFC 7518, section 3.3: keys of 2048 bits or more. */
const RSA_BITS_MIN = 2048;

/**
 * Reads a key: a PEM, private or public; `base64:` with a secret in base64; or else the secret itself, in UTF-8.
 * @throws TidegateError config_invalid
 */
export function parseSignatureKey(text: string): SignatureKey {
  if (text.trimStart().startsWith('-----BEGIN')) return keyOfPem(text);
  const secret = text.startsWith('base64:')
    ? decodeBase64(text.slice('base64:'.length).trim())
    : Buffer.from(text, 'utf8');
  if (secret === null) throw invalid('has no base64 after "base64:"');
  if (secret.length === 0) throw invalid('is empty');
  const key = createSecretKey(secret);
  return { algorithm: 'HS256', signing: key, verifying: key };
}

function keyOfPem(pem: string): SignatureKey {
  let signing: KeyObject | null = null;
  let verifying: KeyObject;
  try {
    signing = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem) ? createPrivateKey(pem) : null;
    // Of a private key, this is the public half.
    verifying = createPublicKey(pem);
  } catch (error) {
    // The cause is for the log; of the key itself nothing may get into a message.
    throw new TidegateError('config_invalid', 'The signature key is a PEM that cannot be read.', {
      cause: error,
    });
  }
  return { algorithm: algorithmOf(verifying), signing, verifying };
}

function algorithmOf(key: KeyObject): SignatureAlgorithm {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if ((modulusLength ?? 0) < RSA_BITS_MIN) throw invalid(`has fewer than ${RSA_BITS_MIN} bits`);
      return 'RS256';
    case 'ec':
      if (namedCurve !== 'prime256v1') throw invalid('is not of the curve P-256');
      return 'ES256';
    case 'ed25519':
      return 'EdDSA';
    default:
      throw invalid(`is of the kind ${key.asymmetricKeyType}; rsa, ec and ed25519 can be used`);
  }
}

function invalid(problem: string): TidegateError {
  return new TidegateError('config_invalid', `The signature key ${problem}.`);
}
