import { GRIP_FEATURES, parseSignatureKey, type SignatureKey, signGrip } from '../wire/grip/index.ts';
import type { GripRule } from './routes/route.ts';

/** How long a signature is valid, and for how long it is used: an origin's clock may be off by the rest. */
const VALID_SECONDS = 3600;
const USED_MS = 600_000;

/** What of GRIP this gateway acts on, with sessions and without. */
const FEATURES = GRIP_FEATURES.join(', ');
const WITHOUT_SESSION = GRIP_FEATURES.filter((feature) => feature !== 'session').join(', ');

/** How a route shows its origin that it is asked by the gateway. One signature serves many requests, as it says nothing of any. */
export class GripSignature {
  readonly #key: SignatureKey | null;
  readonly #issuer: string;
  readonly #features: string;
  #signature = '';
  #signedMs = Number.NEGATIVE_INFINITY;

  /** @throws TidegateError config_invalid, if the key is none */
  constructor({ key, issuer, session }: GripRule) {
    this.#key = key === null ? null : parseSignatureKey(key);
    this.#issuer = issuer;
    this.#features = session ? FEATURES : WITHOUT_SESSION;
  }

  /** Names and values in turn. */
  fields(nowMs: number): string[] {
    const fields = ['Grip-Feature', this.#features];
    if (this.#key === null) return fields;
    if (Math.abs(nowMs - this.#signedMs) > USED_MS) {
      this.#signature = signGrip(this.#key, this.#issuer, Math.floor(nowMs / 1000) + VALID_SECONDS);
      this.#signedMs = nowMs;
    }
    return ['Grip-Sig', this.#signature, ...fields];
  }
}
