import type { Clock, Limits } from '../../kernel/index.ts';

/** The newest id that a client has of each channel, by the names that its origin gave them. */
export type SessionIds = ReadonlyMap<string, string>;

/** About what a session, and an id in it, cost besides their texts, measured with the maps that hold them. */
const SESSION_BYTES = 300;
const ID_BYTES = 100;

interface Session {
  readonly ids: Map<string, string>;
  bytes: number;
  usedMs: number;
}

/**
 * What clients had, by session. It is as good as a cookie that the client does not send: what was not used for long, or is one too many, is forgotten, and
 * the origin is told of nothing then.
 */
export class SessionStore {
  readonly #clock: Clock;
  readonly #limits: Limits;
  /** Those that were used longest ago come first. */
  readonly #sessions = new Map<string, Session>();
  #bytes = 0;
  #evicted = 0;

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** How many were forgotten before their time, for want of room. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Null for a session that is not known. Counts as use. */
  idsOf(key: string): SessionIds | null {
    this.#expire();
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    this.#use(key, session);
    return session.ids;
  }

  /**
   * Adds what a client has now; a session that is not known is made.
   * @param mode `newer`: it takes the place of what was known; `unless_known`: it comes from a connection that has ended, and the session may have gone on without
   */
  put(key: string, ids: SessionIds, mode: 'newer' | 'unless_known'): void {
    this.#expire();
    let session = this.#sessions.get(key);
    const isKnown = session !== undefined;
    if (session === undefined) {
      session = { ids: new Map(), bytes: SESSION_BYTES + key.length, usedMs: 0 };
      this.#bytes += session.bytes;
    }
    this.#use(key, session);
    if (!isKnown || mode === 'newer') for (const [channel, id] of ids) this.#set(session, channel, id);
    this.#makeRoom();
  }

  #set(session: Session, channel: string, id: string): void {
    this.#forget(session, channel);
    session.ids.set(channel, id);
    this.#count(session, ID_BYTES + channel.length + id.length);
    if (session.ids.size <= this.#limits.gripChannelsMax) return;
    const [oldest] = session.ids.keys();
    this.#forget(session, oldest);
  }

  #forget(session: Session, channel: string): void {
    const id = session.ids.get(channel);
    if (id === undefined) return;
    session.ids.delete(channel);
    this.#count(session, -(ID_BYTES + channel.length + id.length));
  }

  #count(session: Session, bytes: number): void {
    session.bytes += bytes;
    this.#bytes += bytes;
  }

  #use(key: string, session: Session): void {
    session.usedMs = this.#clock.monotonicMs();
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
  }

  #expire(): void {
    const beforeMs = this.#clock.monotonicMs() - this.#limits.gripSessionKeepMs;
    for (const [key, session] of this.#sessions) {
      if (session.usedMs > beforeMs) return;
      this.#delete(key, session);
    }
  }

  #makeRoom(): void {
    for (const [key, session] of this.#sessions) {
      if (this.#bytes <= this.#limits.gripSessionsBytesMax) return;
      this.#delete(key, session);
      this.#evicted++;
    }
  }

  #delete(key: string, session: Session): void {
    this.#sessions.delete(key);
    this.#bytes -= session.bytes;
  }
}
