import type { Limits } from '../kernel/index.ts';
import { parseSignatureKey, type SignatureKey, verifyGrip } from '../wire/grip/index.ts';

/** Gateways in front of this one that speak GRIP with the origins of a route, by the key that they sign with. */
export class FrontGateways {
  readonly #key: SignatureKey;
  readonly #limits: Limits;
  /** The last signature that was good, and until when it is: a gateway signs many requests with one. */
  #known = '';
  #goodUntilMs = 0;

  /** @throws TidegateError config_invalid, if the key is none */
  constructor(key: string, limits: Limits) {
    this.#key = parseSignatureKey(key);
    this.#limits = limits;
  }

  /** Whether a Grip-Sig is one of theirs, and still holds. */
  hasSigned(signature: string, nowMs: number): boolean {
    if (signature === this.#known && nowMs < this.#goodUntilMs) return true;
    try {
      const nowS = Math.floor(nowMs / 1000);
      const { expiresS } = verifyGrip(signature, this.#key, { nowS, issuer: null }, this.#limits);
      this.#known = signature;
      this.#goodUntilMs = expiresS * 1000;
      return true;
    } catch {
      // Anybody may write the field: without a good signature it is taken away like any other that begins with Grip.
      return false;
    }
  }
}
