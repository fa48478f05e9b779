import type { Channels } from '../channels/index.ts';
import type { TidegateError } from '../kernel/index.ts';

/**
 * What somebody may do with channels. Two are about the server and not about channels: `purge`, taking answers out of the gateway's cache, and
 * `admin`, the admin API.
 */
export const PERMISSIONS = ['publish', 'subscribe', 'history', 'presence', 'purge', 'admin'] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** Who asks, as the server has verified it. Immutable, and shared by all connections that show the same credential. */
export interface Identity {
  /** What was shown: nothing, an API key, a token, or a certificate of the connection (mTLS). */
  readonly credential: 'none' | 'key' | 'token' | 'certificate';
  /**
   * Names the credential among all others, such as `key:backend` or `sub:alice`; empty for none. Stands in for the source of
   * events that name none.
   */
  readonly name: string;
  /** The user: a token's subject; empty if there is none. */
  readonly user: string;
  /** When it ends, in milliseconds since the Unix epoch; Infinity if it does not. */
  readonly expiresMs: number;
  /** The claims of a token; empty for others. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether it may do this with a channel, or with every channel that a pattern means. */
  allows(permission: Permission, channel: string): boolean;
}

/** What is held for as long as a subscription or connection goes on. */
export interface Share {
  readonly connections: number;
  readonly subscriptions: number;
}

/** A connection that carries nothing yet. */
export const ONE_CONNECTION: Share = Object.freeze({ connections: 1, subscriptions: 0 });
/** A channel or pattern on a connection that counts already. */
export const ONE_SUBSCRIPTION: Share = Object.freeze({ connections: 0, subscriptions: 1 });

/** The channels as somebody may use them. */
export interface AccessChannels extends Channels {
  /**
   * To be called before subscribing, with what is to be subscribed to: `ready` is called once it is known whether the limits allow that, at
   * once or later, and subscribes, or is refused, before it returns. What it does not subscribe to is given back. Pages of history need
   * none of it.
   */
  admit(channels: readonly string[], ready: () => void): void;
  /**
   * The name of whoever purges caches, as `Identity.name` gives it.
   * @throws TidegateError credential_missing, access_denied, token_expired, credential_revoked, if they may not
   */
  purgeAs(): string;
}

/** Why an identity ended while somebody held on to it. */
export type AccessEnd = 'expired' | 'revoked';

/** Somebody who goes on for longer than one request: a stream, a connection. */
export interface AccessHold {
  /**
   * The identity will end, by itself, at `expiresMs` (milliseconds since the Unix epoch). Comes at most once, up to
   * `limits.credentialNoticeMs` before.
   */
  accessExpiring?(expiresMs: number): void;
  /** The identity is no longer good; what rests on it has to end now. Comes at most once. */
  accessEnded(reason: AccessEnd): void;
}

/** What a client proved to be when its connection was made. */
export interface ShownCertificate {
  /** Empty if it has none. */
  readonly commonName: string;
  /** With their kinds, such as `DNS:a.example`. */
  readonly names: readonly string[];
  /** When it ends, in milliseconds since the Unix epoch. */
  readonly expiresMs: number;
}

/** Who may do what. Everything that crosses it has been verified; nothing of it waits for anybody but the first sight of a token. */
export interface Access {
  /** Who shows no credential. */
  readonly anonymous: Identity;
  /** Whether anybody without a credential may do anything, so that a connection may begin without one. */
  readonly admitsAnonymous: boolean;
  /**
   * Verifies an API key or a token, as it stands after `Bearer`. Calls back at once if the answer is known already.
   * Errors: credential_invalid, token_expired, credential_revoked, credential_attempts_exceeded, issuer_unavailable.
   * @param from who asks, for slowing down guessing: the address of the client
   */
  verify(credential: string, from: string, done: (result: Identity | TidegateError) => void): void;
  /** Who shows a certificate that the listener believes, and nothing else; the anonymous identity if none of its names means anything. */
  certified(certificate: ShownCertificate): Identity;
  /** The channels as somebody sees them, for one exchange: what they may not do is answered with access_denied, and what goes beyond their limits with quota_exceeded, rate_exceeded or body_too_large. */
  channelsFor(identity: Identity): AccessChannels;
  /**
   * The channels with nothing but the limits of somebody, for edges that ask the identity themselves and carry several subscriptions over
   * one connection, which they count by `connect`.
   * @param connection stands for the connection, which has limits of its own; none for a request that comes by itself
   */
  limitedChannelsFor(identity: Identity, connection?: object): Channels;
  /**
   * Asks for as many of some equal shares of somebody's limits as there are, up to `times`. Calls back once: at once where nothing is limited or
   * this process counts, later where another does. What `ready` connects and subscribes before it returns is refused, or counts; what it does
   * not use is given back. To be called before `connect`, and before subscribing through `limitedChannelsFor`.
   */
  admit(identity: Identity, share: Share, times: number, ready: () => void): void;
  /**
   * Counts a connection of somebody. Returns what counts it off again, to be called once.
   * @throws TidegateError quota_exceeded; worker_unavailable if the process that counts is gone
   */
  connect(identity: Identity): () => void;
  /** Whether an identity that was verified earlier is good now, and if not, why. */
  standing(identity: Identity): 'good' | AccessEnd;
  /** Tells `hold` when the identity ends; at once, in the next turn, if it has already. Returns what lets go of it. */
  hold(identity: Identity, hold: AccessHold): () => void;
}
