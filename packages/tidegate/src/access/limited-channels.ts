import type {
  Channels,
  EndReason,
  Footing,
  PublishCallback,
  PublishedEvent,
  Sink,
  SubscribeRequest,
  Subscription,
} from '../channels/index.ts';
import type { Share } from './port.ts';
import type { Delayed, Usage } from './usage.ts';

/** Who counts the connections: the channels, where each subscription is one, or the edge, where one carries several. */
export type ConnectionCount = 'each subscription' | 'by the edge';

/** The channels as somebody sees them who has limits. */
export class LimitedChannels implements Channels {
  readonly #channels: Channels;
  readonly #usage: Usage;
  readonly #connectionsPerSubscribe: number;

  constructor(channels: Channels, usage: Usage, connections: ConnectionCount) {
    this.#channels = channels;
    this.#usage = usage;
    this.#connectionsPerSubscribe = connections === 'each subscription' ? 1 : 0;
  }

  publish(offered: readonly PublishedEvent[], protocol: string, done: PublishCallback): void {
    this.#usage.judge(offered, (refusals, events) => {
      const taken = events.filter((_, index) => refusals[index] === null);
      if (taken.length === events.length) {
        this.#channels.publish(events, protocol, done);
        return;
      }
      const settle: PublishCallback = (outcomes) => {
        let next = 0;
        done(refusals.map((refusal) => refusal ?? outcomes[next++]));
      };
      if (taken.length === 0) settle([]);
      else this.#channels.publish(taken, protocol, settle);
    });
  }

  reach(channels: readonly string[], footing: () => Footing, ready: () => void): void {
    this.#channels.reach(channels, footing, ready);
  }

  subscribe(request: SubscribeRequest): Subscription {
    const { channels, sink, permission } = request;
    // A page of history goes as soon as it has come.
    const share: Share =
      permission === 'history'
        ? { connections: 0, subscriptions: 0 }
        : { connections: this.#connectionsPerSubscribe, subscriptions: channels.length };
    this.#usage.hold(share);
    const limited = new LimitedSubscription(sink, this.#usage, share);
    try {
      limited.begin(this.#channels.subscribe({ ...request, sink: limited }));
    } catch (error) {
      this.#usage.release(share);
      throw error;
    }
    return limited;
  }

  drain(): void {
    this.#channels.drain();
  }
}

/**
 * A subscription that counts, and that is handed no more bytes than its rate allows: above it, the hub is told that there is no room, as
 * it is of a client that is slow, so that nothing has to be kept here.
 */
class LimitedSubscription implements Sink, Subscription, Delayed {
  readonly #sink: Sink;
  readonly #usage: Usage;
  /** Null once it is given back. */
  #share: Share | null;
  #subscription: Subscription | null = null;
  /** The transport has no room. */
  #isFull = false;
  /** The rate is used up. */
  #isDelayed = false;

  constructor(sink: Sink, usage: Usage, share: Share) {
    this.#sink = sink;
    this.#usage = usage;
    this.#share = share;
  }

  begin(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  // --- The hub's side. ---

  write(bytes: Buffer, messages: number): boolean {
    this.#isFull = !this.#sink.write(bytes, messages);
    // Taking the bytes may have ended it.
    if (this.#share === null) return false;
    this.#isDelayed = !this.#usage.handed(bytes.length, this);
    return !this.#isFull && !this.#isDelayed;
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
    this.#isFull = false;
    if (!this.#isDelayed) this.#subscription?.drained();
  }

  cursor(): string {
    return this.#subscription?.cursor() ?? '';
  }

  close(): void {
    this.#leave();
    this.#subscription?.close();
  }

  // --- The limit's side. ---

  resume(): void {
    this.#isDelayed = false;
    if (!this.#isFull) this.#subscription?.drained();
  }

  #leave(): void {
    if (this.#share === null) return;
    this.#usage.release(this.#share);
    this.#usage.forget(this);
    this.#share = null;
  }
}
