import type { Channels } from '../channels/index.ts';
import { GuardedChannels } from './guarded-channels.ts';
import type { GrantedIdentity } from './identity.ts';
import { type ConnectionCount, LimitedChannels } from './limited-channels.ts';
import { type Access, type AccessChannels, type Identity, ONE_CONNECTION, type Share } from './port.ts';
import type { SharedCounts } from './shared-counts.ts';
import type { Usage } from './usage.ts';

const letGoOfNothing = (): void => {};

/** The channels as a connection sees them that has limits of its own. */
interface ConnectionView {
  /** Who it was when it was made: a connection may show another token later. */
  readonly identity: Identity;
  readonly usage: Usage;
  readonly channels: Channels;
}

/**
 * The channels as each identity may use them: one view for all its connections, made when it first comes, unless each connection has limits
 * of its own.
 */
export class ChannelViews {
  readonly #channels: Channels;
  readonly #counts: SharedCounts;
  readonly #access: Pick<Access, 'hold' | 'standing'>;
  readonly #guarded = new WeakMap<Identity, AccessChannels>();
  readonly #limited = new WeakMap<Identity, Channels>();
  /** The views of connections that have limits of their own. */
  readonly #ofConnections = new WeakMap<object, ConnectionView>();

  constructor(channels: Channels, counts: SharedCounts, access: Pick<Access, 'hold' | 'standing'>) {
    this.#channels = channels;
    this.#counts = counts;
    this.#access = access;
  }

  /** With what the identity may do, and with its limits, for one exchange. */
  guardedFor(identity: Identity): AccessChannels {
    const known = this.#guarded.get(identity);
    if (known !== undefined) return known;
    const within = this.#within(identity, 'each subscription');
    const ofConnection = this.#counts.ofConnection(identity);
    const channels =
      ofConnection === null ? within : new LimitedChannels(within, ofConnection, 'by the edge');
    const usage = this.#counts.usages.of(identity);
    const guarded = new GuardedChannels(channels, identity as GrantedIdentity, this.#access, usage);
    if (ofConnection === null) this.#guarded.set(identity, guarded);
    return guarded;
  }

  /** With nothing but the limits of an identity, and of a connection. */
  limitedFor(identity: Identity, connection: object | undefined): Channels {
    if (this.#counts.usages.of(identity) === null) return this.#channels;
    let limited = this.#limited.get(identity);
    if (limited === undefined) {
      limited = this.#within(identity, 'by the edge');
      this.#limited.set(identity, limited);
    }
    return connection === undefined ? limited : this.#ofConnection(connection, identity, limited);
  }

  /** See `Access.admit`. */
  admit(identity: Identity, share: Share, times: number, ready: () => void): void {
    const usage = this.#counts.usages.of(identity);
    if (usage === null) ready();
    else usage.admit(share, times, ready);
  }

  /** See `Access.connect`. */
  connect(identity: Identity): () => void {
    const usage = this.#counts.usages.of(identity);
    if (usage === null) return letGoOfNothing;
    usage.hold(ONE_CONNECTION);
    return () => usage.release(ONE_CONNECTION);
  }

  #ofConnection(connection: object, identity: Identity, limited: Channels): Channels {
    const known = this.#ofConnections.get(connection);
    if (known?.identity === identity) return known.channels;
    const usage = known?.usage ?? this.#counts.ofConnection(identity);
    if (usage === null) return limited;
    const channels = new LimitedChannels(limited, usage, 'by the edge');
    this.#ofConnections.set(connection, { identity, usage, channels });
    return channels;
  }

  #within(identity: Identity, connections: ConnectionCount): Channels {
    const usage = this.#counts.usages.of(identity);
    return usage === null ? this.#channels : new LimitedChannels(this.#channels, usage, connections);
  }
}
