import type { Channels } from '../channels/index.ts';
import { GuardedChannels } from './guarded-channels.ts';
import type { GrantedIdentity } from './identity.ts';
import { LimitedChannels } from './limited-channels.ts';
import type { Access, Identity } from './port.ts';
import type { Usages } from './usages.ts';

const ONE_CONNECTION = { connections: 1, subscriptions: 0 } as const;
const letGoOfNothing = (): void => {};

/** The channels as each identity may use them: one view for all its connections, made when it first comes. */
export class ChannelViews {
  readonly #channels: Channels;
  readonly #usages: Usages;
  readonly #access: Pick<Access, 'hold' | 'standing'>;
  readonly #guarded = new WeakMap<Identity, Channels>();
  readonly #limited = new WeakMap<Identity, Channels>();

  constructor(channels: Channels, usages: Usages, access: Pick<Access, 'hold' | 'standing'>) {
    this.#channels = channels;
    this.#usages = usages;
    this.#access = access;
  }

  /** With what the identity may do, and with its limits. */
  guardedFor(identity: Identity): Channels {
    let guarded = this.#guarded.get(identity);
    if (guarded === undefined) {
      const usage = this.#usages.of(identity);
      const within =
        usage === null ? this.#channels : new LimitedChannels(this.#channels, usage, 'each subscription');
      guarded = new GuardedChannels(within, identity as GrantedIdentity, this.#access);
      this.#guarded.set(identity, guarded);
    }
    return guarded;
  }

  /** With nothing but its limits. */
  limitedFor(identity: Identity): Channels {
    const usage = this.#usages.of(identity);
    if (usage === null) return this.#channels;
    let limited = this.#limited.get(identity);
    if (limited === undefined) {
      limited = new LimitedChannels(this.#channels, usage, 'by the edge');
      this.#limited.set(identity, limited);
    }
    return limited;
  }

  /** Counts a connection of the identity; returns what counts it off. @throws TidegateError quota_exceeded */
  connect(identity: Identity): () => void {
    const usage = this.#usages.of(identity);
    if (usage === null) return letGoOfNothing;
    usage.hold(ONE_CONNECTION);
    return () => usage.release(ONE_CONNECTION);
  }
}
