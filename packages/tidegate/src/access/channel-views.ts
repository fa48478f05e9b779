import type { Channels } from '../channels/index.ts';
import { GuardedChannels } from './guarded-channels.ts';
import type { GrantedIdentity } from './identity.ts';
import { LimitedChannels } from './limited-channels.ts';
import { type Access, type AccessChannels, type Identity, ONE_CONNECTION, type Share } from './port.ts';
import type { Usages } from './usages.ts';

const letGoOfNothing = (): void => {};

/** The channels as each identity may use them: one view for all its connections, made when it first comes. */
export class ChannelViews {
  readonly #channels: Channels;
  readonly #usages: Usages;
  readonly #access: Pick<Access, 'hold' | 'standing'>;
  readonly #guarded = new WeakMap<Identity, AccessChannels>();
  readonly #limited = new WeakMap<Identity, Channels>();

  constructor(channels: Channels, usages: Usages, access: Pick<Access, 'hold' | 'standing'>) {
    this.#channels = channels;
    this.#usages = usages;
    this.#access = access;
  }

  /** With what the identity may do, and with its limits. */
  guardedFor(identity: Identity): AccessChannels {
    let guarded = this.#guarded.get(identity);
    if (guarded === undefined) {
      const usage = this.#usages.of(identity);
      const within =
        usage === null ? this.#channels : new LimitedChannels(this.#channels, usage, 'each subscription');
      guarded = new GuardedChannels(within, identity as GrantedIdentity, this.#access, usage);
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

  /** See `Access.admit`. */
  admit(identity: Identity, share: Share, times: number, ready: () => void): void {
    const usage = this.#usages.of(identity);
    if (usage === null) ready();
    else usage.admit(share, times, ready);
  }

  /** See `Access.connect`. */
  connect(identity: Identity): () => void {
    const usage = this.#usages.of(identity);
    if (usage === null) return letGoOfNothing;
    usage.hold(ONE_CONNECTION);
    return () => usage.release(ONE_CONNECTION);
  }
}
