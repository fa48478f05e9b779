import type { Channels } from '../channels/index.ts';
import { type Clock, type Limits, type Line, type Metrics, TidegateError } from '../kernel/index.ts';
import type { AccessRules } from './access-rules.ts';
import type { Certificates } from './certificates.ts';
import { ChannelViews } from './channel-views.ts';
import { type CheckCounters, checkCounters } from './check-counters.ts';
import { endedError } from './ended.ts';
import { type Allow, Grants } from './grants.ts';
import { Holds } from './holds.ts';
import { GrantedIdentity } from './identity.ts';
import { KeyRing } from './keys.ts';
import type { LimitOptions } from './options.ts';
import type {
  Access,
  AccessChannels,
  AccessEnd,
  AccessHold,
  Identity,
  Share,
  ShownCertificate,
} from './port.ts';
import { serveIssuers } from './relayed-keys.ts';
import type { RemoteKeys } from './remote-keys.ts';
import { isRevoked, type Revoked } from './revocations.ts';
import { SharedCounts } from './shared-counts.ts';
import { Tokens } from './tokens.ts';

export interface GateOptions {
  readonly channels: Channels;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly tokens: Tokens;
  readonly certificates: Certificates;
  /** What those may do who show no credential; null if nothing was said about them. */
  readonly anonymous: Allow | null;
  /** Whether everybody may do everything as long as nobody has a credential and nothing was said about `anonymous`. */
  readonly openWithoutCredentials: boolean;
  /** The server was open until now, and asks for credentials from now on: whoever came in without one has to leave. */
  readonly closed: () => void;
  readonly rules: AccessRules;
  /** The limits of those who have none of their own. Default: none. */
  readonly defaultLimits?: LimitOptions | undefined;
  /** In a worker, the line to the owner, where limits and failed attempts are counted. Default: none. */
  readonly line?: Line | null;
  /** The keys of issuers that this process fetches, by the issuers' names. Default: none. */
  readonly remoteKeys?: ReadonlyMap<string, RemoteKeys>;
}

/** Verifies credentials, remembers those that it has verified, and ends what rests on those that are no longer good. */
export class Gate implements Access {
  readonly #options: GateOptions;
  readonly #counts: SharedCounts;
  readonly #holds: Holds;
  readonly #verified = new Map<string, GrantedIdentity>();
  /** Callers that wait for a verification that is under way, by credential: a thousand who come at once cost one. */
  readonly #underWay = new Map<string, ((result: Identity | TidegateError) => void)[]>();
  readonly #checks: CheckCounters;
  readonly #views: ChannelViews;
  /** Credentials are asked for, and will be until the server is started anew: taking the last key away opens nothing. */
  #closed = false;
  #keys: KeyRing;
  #revoked: Revoked;
  #anonymous: GrantedIdentity;

  constructor(options: GateOptions) {
    const { clock, limits, metrics, rules } = options;
    this.#options = options;
    const { defaultLimits = null, line = null } = options;
    this.#counts = new SharedCounts({ clock, limits, metrics, defaultLimits, line });
    this.#holds = new Holds(clock, limits.credentialNoticeMs);
    this.#keys = new KeyRing(rules.keys);
    this.#revoked = rules.revoked;
    this.#closed = this.#hasToClose(rules);
    this.#anonymous = this.#makeAnonymous();
    this.#checks = checkCounters(metrics);
    this.#views = new ChannelViews(options.channels, this.#counts, this);
    metrics.observedGauge(
      {
        name: 'tidegate_identities_held',
        help: 'Keys and tokens on which streams and connections rest.',
      },
      () => this.#holds.size,
    );
  }

  get anonymous(): Identity {
    return this.#anonymous;
  }

  get admitsAnonymous(): boolean {
    return this.#anonymous.mayDoAnything;
  }

  /** Whether anybody has a credential, or it was said what those may do who have none. */
  get hasCredentials(): boolean {
    const { tokens, certificates, anonymous } = this.#options;
    return this.#keys.size > 0 || !tokens.isEmpty || !certificates.isEmpty || anonymous !== null;
  }

  /** Whether those who show no credential may do only what was said about them; if not, everybody may do everything. */
  get asksForCredentials(): boolean {
    return this.#closed;
  }

  verify(credential: string, from: string, done: (result: Identity | TidegateError) => void): void {
    if (!this.#closed) {
      // There is nothing to verify it by, and nothing that would need it.
      done(this.#anonymous);
      return;
    }
    const known = this.#verified.get(credential);
    if (known !== undefined) {
      done(this.#stillGood(credential, known));
      return;
    }
    if (Buffer.byteLength(credential) > this.#options.limits.credentialBytesMax) {
      this.#refuse(from, new TidegateError('credential_invalid', 'It is too long'), done);
      return;
    }
    const key = this.#keys.find(credential);
    if (key !== undefined) {
      // Nobody guesses 256 random bits: whoever has a key need not wait for those who try.
      this.#accept(credential, key, from, done);
      return;
    }
    const waitMs = this.#counts.attempts.waitMs(from);
    if (waitMs > 0) {
      this.#checks.slowed_down.add(1);
      done(
        new TidegateError(
          'credential_attempts_exceeded',
          `Try again in ${Math.ceil(waitMs / 1000)} seconds`,
          { retryAfterMs: waitMs },
        ),
      );
      return;
    }
    if (this.#options.tokens.isEmpty || !Tokens.looksLikeToken(credential))
      this.#refuse(from, new TidegateError('credential_invalid', 'There is no such key'), done);
    else this.#verifyToken(credential, from, done);
  }

  certified(certificate: ShownCertificate): Identity {
    const { certificates, clock } = this.#options;
    // Whether it is good now the listener has seen when the connection began, which may be long ago.
    if (certificate.expiresMs <= clock.nowMs()) return this.#anonymous;
    return certificates.identityOf(certificate) ?? this.#anonymous;
  }

  channelsFor(identity: Identity): AccessChannels {
    return this.#views.guardedFor(identity);
  }

  limitedChannelsFor(identity: Identity, connection?: object): Channels {
    return this.#views.limitedFor(identity, connection);
  }

  admit(identity: Identity, share: Share, times: number, ready: () => void): void {
    this.#views.admit(identity, share, times, ready);
  }

  connect(identity: Identity): () => void {
    return this.#views.connect(identity);
  }

  standing(identity: Identity): 'good' | AccessEnd {
    if (this.#isRevoked(identity)) return 'revoked';
    return identity.expiresMs > this.#options.clock.nowMs() ? 'good' : 'expired';
  }

  hold(identity: Identity, hold: AccessHold): () => void {
    const letGo = this.#holds.add(identity, hold);
    // It may have been revoked between its verification and now, and nobody would end it any more.
    if (this.#isRevoked(identity)) {
      this.#options.clock.soon(() => this.#holds.end((held) => held === identity, 'revoked'));
    }
    return letGo;
  }

  /** Takes over keys and revocations, and ends what rests on those that are gone. */
  adopt(rules: AccessRules): void {
    this.#keys = new KeyRing(rules.keys, this.#keys);
    this.#revoked = rules.revoked;
    if (!this.#closed && this.#hasToClose(rules)) this.#beginToAsk();
    // A key that was changed is verified anew at its next use, and with it what it allows.
    for (const [credential, identity] of this.#verified) {
      if (identity.credential === 'key' || isRevoked(identity, rules.revoked))
        this.#verified.delete(credential);
    }
    this.#holds.end((identity) => this.#isRevoked(identity), 'revoked');
  }

  /**
   * Answers a worker, whose gate was given the other end of this line: counts what it uses and releases it when the worker is gone, counts
   * failed attempts together with it, and tells it the keys of issuers. For the owner, to be called before anything arrives on the line.
   */
  serve(line: Line): void {
    this.#counts.serve(line);
    serveIssuers(line, this.#options.remoteKeys ?? new Map());
  }

  close(): void {
    this.#holds.close();
    this.#options.tokens.close();
  }

  #isRevoked(identity: Identity): boolean {
    switch (identity.credential) {
      case 'none':
        return identity !== this.#anonymous;
      case 'key':
        return !this.#keys.has(identity);
      default:
        return isRevoked(identity, this.#revoked);
    }
  }

  #hasToClose({ asksForCredentials = false }: AccessRules): boolean {
    return asksForCredentials || this.hasCredentials || !this.#options.openWithoutCredentials;
  }

  #beginToAsk(): void {
    this.#closed = true;
    const before = this.#anonymous;
    this.#anonymous = this.#makeAnonymous();
    this.#holds.end((identity) => identity === before, 'revoked');
    this.#options.closed();
  }

  #makeAnonymous(): GrantedIdentity {
    const { anonymous } = this.#options;
    if (anonymous !== null) return GrantedIdentity.anonymous(new Grants(anonymous));
    return GrantedIdentity.anonymous(this.#closed ? Grants.none : Grants.all);
  }

  #verifyToken(token: string, from: string, done: (result: Identity | TidegateError) => void): void {
    const waiting = this.#underWay.get(token);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    const callers = [done];
    this.#underWay.set(token, callers);
    const settle = (answer: (caller: typeof done) => void): void => {
      this.#underWay.delete(token);
      for (const caller of callers) answer(caller);
    };
    this.#options.tokens.verify(token).then(
      (identity) => settle((caller) => this.#accept(token, identity, from, caller)),
      (error: unknown) => {
        const refusal = TidegateError.from(error);
        settle((caller) => this.#refuse(from, refusal, caller));
      },
    );
  }

  #accept(
    credential: string,
    identity: GrantedIdentity,
    from: string,
    done: (result: Identity | TidegateError) => void,
  ): void {
    // Of those who came at once, all get the identity that is remembered.
    const remembered = this.#verified.get(credential) ?? identity;
    const result = this.#stillGood(credential, remembered);
    if (result instanceof TidegateError) {
      this.#refuse(from, result, done);
      return;
    }
    if (remembered === identity) this.#remember(credential, identity);
    this.#checks.accepted.add(1);
    done(result);
  }

  #remember(credential: string, identity: GrantedIdentity): void {
    if (this.#verified.size >= this.#options.limits.credentialsRememberedMax) {
      const [oldest] = this.#verified.keys();
      this.#verified.delete(oldest);
    }
    this.#verified.set(credential, identity);
  }

  #stillGood(credential: string, identity: GrantedIdentity): Identity | TidegateError {
    const standing = this.standing(identity);
    if (standing === 'good') return identity;
    this.#verified.delete(credential);
    return endedError(standing);
  }

  #refuse(from: string, error: TidegateError, done: (result: Identity | TidegateError) => void): void {
    // A token that was good once is no guess, and an issuer that is away is nobody's fault.
    if (error.code === 'credential_invalid') this.#counts.attempts.failed(from);
    this.#checks[error.code === 'issuer_unavailable' ? 'unavailable' : 'refused'].add(1);
    done(error);
  }
}
