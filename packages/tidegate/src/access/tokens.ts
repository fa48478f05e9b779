import { Buffer } from 'node:buffer';
import { type Clock, TidegateError } from '../kernel/index.ts';
import type { GrantedIdentity } from './identity.ts';
import type { Issuer } from './issuer.ts';

/** Three parts of base64url (RFC 7515, section 7.1). The signature may be empty here, to be refused as what it is. */
const COMPACT = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*$/;

/** Verifies tokens of all issuers. */
export class Tokens {
  readonly #clock: Clock;
  readonly #issuers: readonly Issuer[];

  constructor(clock: Clock, issuers: readonly Issuer[]) {
    this.#clock = clock;
    this.#issuers = issuers;
  }

  get isEmpty(): boolean {
    return this.#issuers.length === 0;
  }

  /** Whether this may be a token at all. */
  static looksLikeToken(credential: string): boolean {
    return COMPACT.test(credential);
  }

  /**
   * The identity that a token stands for.
   * @throws TidegateError credential_invalid, token_expired, issuer_unavailable
   */
  async verify(token: string): Promise<GrantedIdentity> {
    const issuer = claimedIssuer(token);
    let unavailable: TidegateError | null = null;
    for (const candidate of this.#issuers) {
      try {
        const identity = await candidate.verify(token, issuer, this.#clock.nowMs());
        if (identity !== null) return identity;
      } catch (error) {
        if (!(error instanceof TidegateError) || error.code !== 'issuer_unavailable') throw error;
        // Another one may know the key.
        unavailable = error;
      }
    }
    throw (
      unavailable ??
      new TidegateError('credential_invalid', 'No issuer that is believed has signed the token')
    );
  }

  close(): void {
    for (const issuer of this.#issuers) issuer.close();
  }
}

/** The claim `iss` before anything is verified, which only chooses who is asked. */
function claimedIssuer(token: string): unknown {
  const payload = COMPACT.exec(token)?.[1];
  if (payload === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))?.iss;
  } catch {
    throw new TidegateError('credential_invalid', 'The payload of the token is not JSON');
  }
}
