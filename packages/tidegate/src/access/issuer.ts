import {
  createLocalJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { hasWildcard } from '../channels/index.ts';
import { TidegateError } from '../kernel/index.ts';
import { type Allow, forUser, Grants, readAllow } from './grants.ts';
import { GrantedIdentity } from './identity.ts';
import type { KeySource, VerificationKeys } from './key-source.ts';
import type { ALGORITHMS } from './options.ts';

export type Algorithm = (typeof ALGORITHMS)[number];

export interface IssuerRules {
  /** The issuer's name in the config file. */
  readonly name: string;
  readonly algorithms: readonly Algorithm[];
  /** What `iss` has to be; undefined if anything will do. */
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** What tokens without capabilities of their own allow. */
  readonly allow: Allow;
}

/** A signature that does not fit, a key that is not there, an algorithm that is not allowed: another issuer's token perhaps. */
const FOREIGN = new Set([
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
]);

/** Somebody whose tokens are believed. */
export class Issuer {
  readonly rules: IssuerRules;
  readonly #source: KeySource;
  #keys: VerificationKeys | null = null;
  #keySet: ReturnType<typeof createLocalJWKSet> | null = null;

  constructor(rules: IssuerRules, source: KeySource) {
    this.rules = rules;
    this.#source = source;
  }

  /**
   * The identity that a token stands for; null if it is not of this issuer.
   * @param issuer what the token claims in `iss`, not verified yet
   * @throws TidegateError credential_invalid, token_expired, issuer_unavailable
   */
  async verify(token: string, issuer: unknown, nowMs: number): Promise<GrantedIdentity | null> {
    if (this.rules.issuer !== undefined && this.rules.issuer !== issuer) return null;
    const payload = await this.#payload(token, nowMs, 'may look again');
    return payload === null ? null : this.#identity(payload);
  }

  close(): void {
    this.#source.close();
  }

  async #payload(
    token: string,
    nowMs: number,
    unknownKey: 'may look again' | 'is final',
  ): Promise<JWTPayload | null> {
    const { current } = this.#source;
    if (current === null) {
      if (unknownKey === 'may look again' && (await this.#source.refresh()))
        return this.#payload(token, nowMs, 'is final');
      throw new TidegateError('issuer_unavailable', `"${this.rules.name}"`);
    }
    const { algorithms, audience, issuer } = this.rules;
    const options = {
      algorithms: [...algorithms],
      currentDate: new Date(nowMs),
      ...(audience === undefined ? {} : { audience }),
      ...(issuer === undefined ? {} : { issuer }),
    };
    try {
      return current.kind === 'key'
        ? (await jwtVerify(token, current.key, options)).payload
        : await verifyBySet(token, this.#setOf(current), options);
    } catch (error) {
      const isUnknownKey = error instanceof errors.JWKSNoMatchingKey;
      if (isUnknownKey && unknownKey === 'may look again' && (await this.#source.refresh()))
        return this.#payload(token, nowMs, 'is final');
      return refusal(error);
    }
  }

  /** Imported once for each set that was fetched, since that costs more than a verification. */
  #setOf(keys: VerificationKeys & { readonly kind: 'set' }): JWTVerifyGetKey {
    if (this.#keys !== keys || this.#keySet === null) {
      this.#keys = keys;
      this.#keySet = createLocalJWKSet(keys.set);
    }
    return this.#keySet;
  }

  #identity(payload: JWTPayload): GrantedIdentity {
    const user = payload.sub ?? '';
    const { capabilities, channel } = payload;
    for (const claim of ['sub', 'jti'] as const) {
      if (payload[claim] !== undefined && typeof payload[claim] !== 'string')
        throw new TidegateError('credential_invalid', `The claim "${claim}" is not text`);
    }
    if (channel !== undefined) return this.#forOneChannel(payload, channel);
    const own = capabilities === undefined ? this.rules.allow : readAllow(capabilities);
    if (own === null)
      throw new TidegateError(
        'credential_invalid',
        'The claim "capabilities" is not an object of patterns, each with an array of permissions',
      );
    return this.#granted(payload, new Grants(forUser(own, user)));
  }

  /** A token that names a channel is for subscribing to that one, as in the Centrifuge protocol, and for nothing else. */
  #forOneChannel(payload: JWTPayload, channel: unknown): GrantedIdentity {
    const isOne = typeof channel === 'string' && !hasWildcard(channel);
    if (!isOne)
      throw new TidegateError('credential_invalid', 'The claim "channel" is not the name of a channel');
    return this.#granted(payload, new Grants({ [channel]: ['subscribe'] }));
  }

  #granted(payload: JWTPayload, grants: Grants): GrantedIdentity {
    const user = payload.sub ?? '';
    return new GrantedIdentity({
      credential: 'token',
      name: user === '' ? `token:${this.rules.name}` : `user:${user}`,
      user,
      expiresMs: payload.exp === undefined ? Number.POSITIVE_INFINITY : payload.exp * 1000,
      claims: payload,
      grants,
    });
  }
}

/** Where several keys of a set fit the token's header, each is tried. */
async function verifyBySet(
  token: string,
  set: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, set, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/**
 * Null if the token may be another issuer's.
 * @throws TidegateError credential_invalid, token_expired
 */
function refusal(error: unknown): null {
  if (!(error instanceof errors.JOSEError)) {
    // A key of another type than the algorithm wants, which jose tells with a TypeError.
    if (error instanceof TypeError) return null;
    throw error;
  }
  if (FOREIGN.has(error.code)) return null;
  if (error instanceof errors.JWTExpired) throw new TidegateError('token_expired', '', { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed)
    throw new TidegateError('credential_invalid', `The claim "${error.claim}" is not as it has to be`, {
      cause: error,
    });
  throw new TidegateError('credential_invalid', 'The token is not a signed JWT', { cause: error });
}
