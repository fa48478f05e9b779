import type { AccessEnd, AccessHold, Identity } from '../../access/port.ts';
import type { Timer } from '../../kernel/index.ts';
import type { SessionContext } from './context.ts';
import { DISCONNECT, type Disconnect } from './status.ts';

/** The credential that a connection rests on: watches it, and disconnects when it is no longer good. */
export class CredentialHold implements AccessHold {
  readonly #context: SessionContext;
  readonly #disconnect: (reason: Disconnect) => void;
  #letGo: (() => void) | null = null;
  /** Runs from the end of the credential on. */
  #graceTimer: Timer | null = null;

  constructor(context: SessionContext, disconnect: (reason: Disconnect) => void) {
    this.#context = context;
    this.#disconnect = disconnect;
  }

  /** Rests on the credential of this identity instead of the last one; on none if it is null. */
  rest(identity: Identity | null): void {
    const { access, clock } = this.#context;
    if (this.#graceTimer !== null) clock.clearTimer(this.#graceTimer);
    this.#graceTimer = null;
    this.#letGo?.();
    const needsHold = identity !== null && identity.credential !== 'none';
    this.#letGo = needsHold ? access.hold(identity, this) : null;
  }

  accessEnded(reason: AccessEnd): void {
    this.#letGo = null;
    if (reason === 'revoked') {
      this.#disconnect(DISCONNECT.invalidToken);
      return;
    }
    // Clients begin to ask for a new token when the old one ends.
    const { clock, limits } = this.#context;
    const expire = (): void => this.#disconnect(DISCONNECT.expired);
    this.#graceTimer = clock.setTimer(expire, limits.centrifugeExpiryGraceMs);
  }
}
