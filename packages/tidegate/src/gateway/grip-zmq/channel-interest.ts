import { hasWildcard } from '../../channels/index.ts';
import type { BoundSubscriber } from '../../kernel/index.ts';
import type { FollowedListener } from '../grip-attendance/followed-channels.ts';
import type { SubscriptionMode } from '../grip-attendance/port.ts';

/**
 * Subscribes the SUB socket to the channels that have subscribers by GRIP, for as long as they have, so that publishers send nothing else. A pattern is subscribed to by
 * what stands before its first wildcard, as ZeroMQ knows prefixes only.
 */
export class ChannelInterest implements FollowedListener {
  readonly #socket: BoundSubscriber;
  /** By prefix: how many modes and patterns want it. */
  readonly #wanted = new Map<string, number>();
  /** By mode and channel. */
  readonly #followed = new Set<string>();

  constructor(socket: BoundSubscriber) {
    this.#socket = socket;
  }

  began(mode: SubscriptionMode, channel: string): void {
    const key = `${mode} ${channel}`;
    // It came back while it lingered.
    if (this.#followed.has(key)) return;
    this.#followed.add(key);
    const prefix = prefixOf(channel);
    const wanted = this.#wanted.get(prefix) ?? 0;
    this.#wanted.set(prefix, wanted + 1);
    if (wanted === 0) this.#socket.subscribe(prefix);
  }

  goesOn(): void {}

  ended(mode: SubscriptionMode, channel: string): void {
    if (!this.#followed.delete(`${mode} ${channel}`)) return;
    const prefix = prefixOf(channel);
    const wanted = this.#wanted.get(prefix) ?? 0;
    if (wanted > 1) {
      this.#wanted.set(prefix, wanted - 1);
      return;
    }
    this.#wanted.delete(prefix);
    this.#socket.unsubscribe(prefix);
  }
}

function prefixOf(channel: string): string {
  if (!hasWildcard(channel)) return channel;
  const segments = channel.split('/');
  const literal = segments.slice(
    0,
    segments.findIndex((segment) => hasWildcard(segment)),
  );
  // `a/#` is also `a` itself.
  return segments[literal.length] === '#' || literal.length === 0
    ? literal.join('/')
    : `${literal.join('/')}/`;
}
