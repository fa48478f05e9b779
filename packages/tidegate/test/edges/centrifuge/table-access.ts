import type {
  Access,
  AccessChannels,
  AccessHold,
  Identity,
  Permission,
  Share,
} from '../../../src/access/port.ts';
import type { Channels } from '../../../src/channels/index.ts';
import { TidegateError } from '../../../src/kernel/index.ts';

/** What a test says of one token. */
export interface TableEntry {
  readonly user?: string;
  readonly expiresMs?: number;
  readonly claims?: Record<string, unknown>;
  /** Channels with what is allowed there. Default: everything, everywhere. */
  readonly allow?: Readonly<Record<string, readonly Permission[]>>;
}

function identityOf(name: string, { user = '', expiresMs, claims = {}, allow }: TableEntry): Identity {
  return {
    credential: name === '' ? 'none' : 'token',
    name,
    user,
    expiresMs: expiresMs ?? Number.POSITIVE_INFINITY,
    claims,
    allows: (permission, channel) => allow === undefined || allow[channel]?.includes(permission) === true,
  };
}

/** Believes the tokens of a table. The test ends them. */
export class TableAccess implements Access {
  readonly anonymous: Identity;
  admitsAnonymous = true;
  readonly #channels: Channels;
  readonly #identities = new Map<string, Identity>();
  readonly #holds = new Map<Identity, Set<AccessHold>>();
  /** Tokens that have expired, so that they are not believed any more. */
  readonly expired = new Set<string>();
  /** Holds that nobody has let go of. */
  held = 0;

  constructor(channels: Channels, table: Readonly<Record<string, TableEntry>>, anonymous: TableEntry = {}) {
    this.#channels = channels;
    this.anonymous = identityOf('', anonymous);
    for (const [token, entry] of Object.entries(table)) this.#identities.set(token, identityOf(token, entry));
  }

  verify(credential: string, _from: string, done: (result: Identity | TidegateError) => void): void {
    if (this.expired.has(credential)) done(new TidegateError('token_expired'));
    else done(this.#identities.get(credential) ?? new TidegateError('credential_invalid'));
  }

  certified(): Identity {
    return this.anonymous;
  }

  standing(): 'good' {
    return 'good';
  }

  channelsFor(): AccessChannels {
    return {
      publish: (events, protocol, done) => this.#channels.publish(events, protocol, done),
      subscribe: (request) => this.#channels.subscribe(request),
      drain: () => this.#channels.drain(),
      admit: (_channels, ready) => ready(),
      purgeAs: () => '',
      reach: (_channels, _footing, ready) => ready(),
    };
  }

  admit(_identity: Identity, _share: Share, _times: number, ready: () => void): void {
    ready();
  }

  limitedChannelsFor(): Channels {
    return this.#channels;
  }

  connect(): () => void {
    return () => {};
  }

  hold(identity: Identity, hold: AccessHold): () => void {
    const holds = this.#holds.get(identity) ?? new Set();
    this.#holds.set(identity, holds.add(hold));
    this.held++;
    return () => {
      if (holds.delete(hold)) this.held--;
    };
  }

  /** Ends an identity, and tells those who hold it. */
  end(token: string, reason: 'expired' | 'revoked'): void {
    const identity = this.#identities.get(token);
    if (identity === undefined) throw new Error(`There is no token ${token}`);
    if (reason === 'expired') this.expired.add(token);
    else this.#identities.delete(token);
    const holds = [...(this.#holds.get(identity) ?? [])];
    this.#holds.delete(identity);
    this.held -= holds.length;
    for (const hold of holds) hold.accessEnded(reason);
  }
}
