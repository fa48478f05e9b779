import type {
  Channels,
  EndReason,
  Footing,
  PublishCallback,
  PublishedEvent,
  PublishReceipt,
  Sink,
  SubscribeRequest,
  Subscription,
} from '../channels/index.ts';
import { TidegateError } from '../kernel/index.ts';
import { endedError } from './ended.ts';
import type { GrantedIdentity } from './identity.ts';
import type { Access, AccessChannels, AccessEnd, AccessHold, Identity, Permission } from './port.ts';
import type { Usage } from './usage.ts';

/** The channels as somebody sees them who may not do everything, or not for ever. */
export class GuardedChannels implements AccessChannels {
  readonly #channels: Channels;
  readonly #identity: GrantedIdentity;
  readonly #access: Pick<Access, 'hold' | 'standing'>;
  readonly #usage: Usage | null;

  /** @param usage what `channels` count in. Default: nothing limits them. */
  constructor(
    channels: Channels,
    identity: GrantedIdentity,
    access: Pick<Access, 'hold' | 'standing'>,
    usage: Usage | null = null,
  ) {
    this.#channels = channels;
    this.#identity = identity;
    this.#access = access;
    this.#usage = usage;
  }

  reach(channels: readonly string[], footing: () => Footing, ready: () => void): void {
    this.#channels.reach(channels, footing, ready);
  }

  admit(channels: readonly string[], ready: () => void): void {
    // What is not allowed is refused for that, and must not be held, even for a moment.
    const isAllowed = channels.every((channel) => this.#identity.allows('subscribe', channel));
    if (this.#usage === null || !isAllowed) ready();
    else this.#usage.admit({ connections: 1, subscriptions: channels.length }, 1, ready);
  }

  purgeAs(): string {
    const ended = this.#ended();
    if (ended !== null) throw ended;
    if (this.#identity.allows('purge', '')) return this.#identity.name;
    throw notAllowed('purge is not allowed', this.#identity);
  }

  publish(events: readonly PublishedEvent[], protocol: string, done: PublishCallback): void {
    const ended = this.#ended();
    if (ended !== null) {
      done(events.map(() => ended));
      return;
    }
    if (this.#identity.mayDoEverything || this.#passesAsItIs(events)) {
      this.#channels.publish(events, protocol, done);
      return;
    }
    const named = events.map((event) => this.#withSource(event));
    const allowed = named.filter(({ channel }) => this.#identity.allows('publish', channel));
    if (allowed.length === named.length) {
      this.#channels.publish(named, protocol, done);
      return;
    }
    const settle = (outcomes: readonly (PublishReceipt | TidegateError)[]): void => {
      let next = 0;
      done(
        named.map(({ channel }) =>
          this.#identity.allows('publish', channel)
            ? outcomes[next++]
            : denied('publish', channel, this.#identity),
        ),
      );
    };
    if (allowed.length === 0) settle([]);
    else this.#channels.publish(allowed, protocol, settle);
  }

  subscribe(request: SubscribeRequest): Subscription {
    const { from, permission = 'subscribe' } = request;
    for (const channel of request.channels) this.#assert(permission, channel);
    // Whoever comes back with a cursor goes on; whoever asks for the past reads history.
    if (from.kind !== 'latest' && from.kind !== 'cursor') {
      for (const channel of request.channels) this.#assert('history', channel);
    }
    // Those without a credential end all together, when the server begins to ask for one.
    if (this.#identity.credential === 'none') return this.#channels.subscribe(request);
    const held = new HeldSubscription(request.sink);
    const subscription = this.#channels.subscribe({ ...request, sink: held });
    held.begin(subscription, this.#access.hold(this.#identity, held));
    return held;
  }

  drain(): void {
    this.#channels.drain();
  }

  /** Why the identity is no longer good; null if it is. */
  #ended(): TidegateError | null {
    const standing = this.#access.standing(this.#identity);
    if (standing === 'good') return null;
    return this.#identity.credential === 'none'
      ? new TidegateError('credential_missing')
      : endedError(standing);
  }

  #assert(permission: Permission, channel: string): void {
    if (!this.#identity.allows(permission, channel)) throw denied(permission, channel, this.#identity);
  }

  /** Whether all is allowed and nothing has to be filled in, as of most events. Then nothing is allocated: 12 ns instead of 50 for one event. */
  #passesAsItIs(events: readonly PublishedEvent[]): boolean {
    for (const event of events) {
      if (this.#lacksSource(event) || !this.#identity.allows('publish', event.channel)) return false;
    }
    return true;
  }

  #lacksSource(event: PublishedEvent): boolean {
    return event.clientId !== null && event.identitySource === '' && this.#identity.name !== '';
  }

  /** The same id from two publishers that name no source is two events. */
  #withSource(event: PublishedEvent): PublishedEvent {
    // No source that a publisher names has a space in it (RFC 3986, section 2), so that none can pass for this one.
    return this.#lacksSource(event) ? { ...event, identitySource: ` ${this.#identity.name}` } : event;
  }
}

/** How much of a channel's name an error repeats. */
const SHOWN_CHARS_MAX = 200;

function denied(permission: Permission, channel: string, identity: Identity): TidegateError {
  const shown = channel.length > SHOWN_CHARS_MAX ? `${channel.slice(0, SHOWN_CHARS_MAX)}…` : channel;
  return notAllowed(`${permission} on "${shown}" is not allowed`, identity);
}

function notAllowed(what: string, { credential }: Identity): TidegateError {
  return credential === 'none'
    ? new TidegateError('credential_missing', what)
    : new TidegateError('access_denied', what);
}

/** A subscription that ends when the identity that it rests on does. */
class HeldSubscription implements Sink, Subscription, AccessHold {
  readonly #sink: Sink;
  #subscription: Subscription | null = null;
  #letGo: (() => void) | null = null;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  begin(subscription: Subscription, letGo: () => void): void {
    this.#subscription = subscription;
    this.#letGo = letGo;
  }

  // --- The hub's side. ---

  write(bytes: Buffer, messages: number): boolean {
    return this.#sink.write(bytes, messages);
  }

  caughtUp(): void {
    this.#sink.caughtUp?.();
  }

  ended(reason: EndReason): void {
    this.#leave();
    this.#sink.ended(reason);
  }

  // --- The subscriber's side. ---

  drained(): void {
    this.#subscription?.drained();
  }

  cursor(): string {
    return this.#subscription?.cursor() ?? '';
  }

  close(): void {
    this.#leave();
    this.#subscription?.close();
  }

  // --- The identity's side. ---

  accessExpiring(expiresMs: number): void {
    this.#sink.expiring?.(expiresMs);
  }

  accessEnded(reason: AccessEnd): void {
    this.#letGo = null;
    this.#subscription?.close();
    this.#sink.ended(reason);
  }

  #leave(): void {
    this.#letGo?.();
    this.#letGo = null;
  }
}
