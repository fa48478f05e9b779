import type { SessionIds } from './session-store.ts';

/** Where what a client has is remembered. */
export interface SessionKeeper {
  put(key: string, ids: SessionIds, mode: 'newer' | 'unless_known'): void;
}

/** What one connection of a session was sent. */
export class SessionTrack {
  readonly #keeper: SessionKeeper;
  readonly #key: string;
  readonly #ids: Map<string, string>;
  /** Sent, and not taken by the transport yet: if the connection ends now, the client may not have it. */
  #unsettled = new Map<string, string>();

  /** @param ids what the client has as the connection begins */
  constructor(keeper: SessionKeeper, key: string, ids: SessionIds) {
    this.#keeper = keeper;
    this.#key = key;
    this.#ids = new Map(ids);
    keeper.put(key, ids, 'newer');
  }

  /** The client was sent everything of a channel up to this id. */
  sent(channel: string, id: string): void {
    this.#unsettled.set(channel, id);
  }

  /** The transport has taken all that was sent. */
  settle(): void {
    if (this.#unsettled.size === 0) return;
    for (const [channel, id] of this.#unsettled) this.#ids.set(channel, id);
    this.#keeper.put(this.#key, this.#unsettled, 'newer');
    this.#unsettled = new Map();
  }

  /** The connection has ended: its session is remembered from now on for as long as any. */
  end(): void {
    this.#unsettled.clear();
    this.#keeper.put(this.#key, this.#ids, 'unless_known');
  }
}
