import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import { TidegateError } from '../kernel/index.ts';

/** Where an issuer's keys come from. */
export interface KeySource {
  /** What tokens are verified with; null while the issuer's keys are not known yet. */
  readonly current: VerificationKeys | null;
  /** A token names a key that is not among them. Resolves once it is worth another try, to whether it is. */
  refresh(): Promise<boolean>;
  close(): void;
}

/** A single key, or a set that the token's header chooses from. */
export type VerificationKeys =
  | { readonly kind: 'key'; readonly key: KeyObject | Uint8Array }
  | { readonly kind: 'set'; readonly set: JSONWebKeySet };

/** Keys that stay as they are. */
export function fixedKeys(current: VerificationKeys): KeySource {
  return { current, refresh: async () => false, close() {} };
}

/**
 * Reads a public key in PEM: SubjectPublicKeyInfo or a certificate.
 * @throws TidegateError config_invalid
 */
export function readPublicKey(pem: string, where: string): KeyObject {
  try {
    return pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem);
  } catch (error) {
    throw new TidegateError('config_invalid', `${where}: the public key cannot be read`, { cause: error });
  }
}

/**
 * Reads a JWK Set (RFC 7517, section 5).
 * @throws Error that says what is wrong with it
 */
export function readKeySet(text: string): JSONWebKeySet {
  const set: unknown = JSON.parse(text);
  if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys))
    throw new Error('It is not a JWK Set: there is no array "keys"');
  const keys = set.keys.filter((key) => typeof key === 'object' && key !== null);
  // A set that a secret slipped into would let everybody who can read it sign tokens.
  if (keys.some((key) => key.kty === 'oct'))
    throw new Error('It holds a shared secret, which must not be published');
  return { keys };
}
