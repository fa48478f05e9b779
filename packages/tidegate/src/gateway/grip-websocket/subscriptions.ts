import { parsePosition } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import type { GripChannel } from '../../wire/grip/index.ts';
import type { Attendee } from '../grip-attendance/port.ts';
import { type Beginning, ChannelSubscription, type SubscriptionOwner } from './channel-subscription.ts';
import type { SocketContext } from './socket-context.ts';

/** The channels of one WebSocket. */
export class Subscriptions {
  readonly #context: SocketContext;
  readonly #owner: SubscriptionOwner;
  readonly #prefix: string;
  readonly #byName = new Map<string, ChannelSubscription>();
  /** The WebSocket on the list of who is there; null if nobody wants to know. */
  attendee: Attendee | null = null;

  /** @param prefix what the route puts before the names of channels */
  constructor(context: SocketContext, owner: SubscriptionOwner, prefix: string) {
    this.#context = context;
    this.#owner = owner;
    this.#prefix = prefix;
  }

  /**
   * Subscribes to a channel. One that is subscribed to already goes on where it is, with the filters that it is given now.
   * @param from a position, if the origin gives one: a cursor of ours, `earliest`, and so on
   * @throws TidegateError grip_instruct_invalid with too many channels; otherwise as `Channels.subscribe`
   */
  add(channel: GripChannel, from: string | null): void {
    const { name, filters, prevId } = channel;
    const earlier = this.#byName.get(name);
    let beginning: Beginning =
      from === null ? { prevId, from: { kind: 'latest' } } : { prevId: null, from: parsePosition(from) };
    if (earlier === undefined) {
      this.#assertRoom(name);
    } else {
      if (from === null && prevId === null) {
        if (earlier.hasFilters(filters)) return;
        beginning = earlier.place;
      }
      earlier.close();
    }
    this.#owner.channelIds.set(name, beginning.prevId);
    try {
      const subscription = new ChannelSubscription(
        this.#context,
        this.#owner,
        channel,
        this.#prefix,
        beginning,
      );
      this.#byName.set(name, subscription);
      if (earlier === undefined) this.attendee?.join(this.#prefix + name);
    } catch (error) {
      if (earlier === undefined) this.#owner.channelIds.delete(name);
      else this.remove(name);
      throw error;
    }
  }

  remove(name: string): void {
    const subscription = this.#byName.get(name);
    if (subscription === undefined) return;
    subscription.close();
    this.#byName.delete(name);
    this.#owner.channelIds.delete(name);
    this.attendee?.part(this.#prefix + name);
  }

  get count(): number {
    return this.#byName.size;
  }

  /** The client takes more. */
  drained(): void {
    for (const subscription of this.#byName.values()) subscription.drained();
  }

  close(): void {
    for (const subscription of this.#byName.values()) subscription.close();
    this.#byName.clear();
    this.attendee?.leave();
  }

  #assertRoom(name: string): void {
    const { gripChannelsMax } = this.#context.limits;
    if (this.#byName.size < gripChannelsMax) return;
    const detail = `${JSON.stringify(name)} would be one channel too many; the limit is ${gripChannelsMax}.`;
    throw new TidegateError('grip_instruct_invalid', detail);
  }
}
