import { parsePosition } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import type { GripChannel } from '../../wire/grip/index.ts';
import type { Attendee } from '../grip-attendance/port.ts';
import { type PresentUser, presentUser } from '../grip-presence/present-user.ts';
import type { GripRule } from '../routes/route.ts';
import { type Beginning, ChannelSubscription, type SubscriptionOwner } from './channel-subscription.ts';
import type { SocketContext } from './socket-context.ts';

/** What a route says of channels. */
export type ChannelRule = Pick<GripRule, 'prefix' | 'channels'>;

/** The channels of one WebSocket. */
export class Subscriptions {
  readonly #context: SocketContext;
  readonly #owner: SubscriptionOwner;
  readonly #rule: ChannelRule;
  readonly #byName = new Map<
    string,
    { readonly channel: GripChannel; readonly subscription: ChannelSubscription }
  >();
  #attendee: Attendee | null = null;
  /** Null for nobody in particular. */
  #present: PresentUser | null = null;
  #isClosed = false;

  constructor(context: SocketContext, owner: SubscriptionOwner, rule: ChannelRule) {
    this.#context = context;
    this.#owner = owner;
    this.#rule = rule;
  }

  /**
   * Subscribes to the channels of the route, from which the origin cannot unsubscribe. They do not count as the origin's.
   * @param attendee the WebSocket on the list of who is there; null if nobody wants to know
   * @throws TidegateError as `Channels.subscribe`
   */
  open(attendee: Attendee | null): void {
    this.#attendee = attendee;
    for (const name of this.#rule.channels)
      this.#add({ name, prevId: null, filters: [] }, { prevId: null, from: { kind: 'latest' } });
  }

  /**
   * Subscribes to a channel. One that is subscribed to already goes on where it is, with the filters that it is given now.
   * @param from a position, if the origin gives one: a cursor of ours, `earliest`, and so on
   * @throws TidegateError grip_instruct_invalid with too many channels; otherwise as `Channels.subscribe`
   */
  add(channel: GripChannel, from: string | null): void {
    const { name, filters, prevId } = channel;
    const earlier = this.#byName.get(name)?.subscription;
    let beginning: Beginning =
      from === null ? { prevId, from: { kind: 'latest' } } : { prevId: null, from: parsePosition(from) };
    if (earlier === undefined) {
      this.#assertRoom(name);
    } else {
      if (from === null && prevId === null) {
        if (earlier.hasFilters(filters)) return;
        beginning = earlier.handOver();
      }
      earlier.close();
    }
    this.#add(channel, beginning);
  }

  #add(channel: GripChannel, beginning: Beginning): void {
    const { name } = channel;
    this.#owner.channelIds.set(name, beginning.prevId);
    if (beginning.prevId !== null) this.#owner.sentUpTo(name, beginning.prevId);
    this.#begin(channel, beginning);
  }

  #begin(channel: GripChannel, beginning: Beginning): void {
    const { name } = channel;
    const owner = this.#owner;
    const isNew = !this.#byName.has(name);
    try {
      const { prefix } = this.#rule;
      const subscription = new ChannelSubscription(this.#context, owner, channel, prefix, beginning);
      this.#byName.set(name, { channel, subscription });
      if (isNew) this.#attendee?.join(prefix + name);
      this.#present?.join(prefix + name);
    } catch (error) {
      if (isNew) owner.channelIds.delete(name);
      else this.#remove(name);
      throw error;
    }
  }

  /**
   * Goes on in all channels where it is, after something has changed of what is wanted of them.
   * @throws TidegateError as `add`
   */
  renew(): void {
    for (const { channel, subscription } of [...this.#byName.values()])
      this.#begin(channel, subscription.handOver());
  }

  /** Does nothing with a channel of the route. */
  remove(name: string): void {
    if (!this.#rule.channels.includes(name)) this.#remove(name);
  }

  #remove(name: string): void {
    const entry = this.#byName.get(name);
    if (entry === undefined) return;
    entry.subscription.close();
    this.#byName.delete(name);
    this.#owner.channelIds.delete(name);
    this.#attendee?.part(this.#rule.prefix + name);
    this.#present?.part(this.#rule.prefix + name);
  }

  /**
   * Is present in the channels from now on as the user that the meta names, if it does.
   * @param client what the origin calls the WebSocket; null if it has no name for it
   */
  identify(meta: ReadonlyMap<string, string>, client: string | null): void {
    if (this.#isClosed) return;
    const { present, random } = this.#context;
    this.#present = presentUser(meta, this.#present, { present, random, client });
    this.#present?.follow([...this.#byName.keys()].map((name) => this.#rule.prefix + name));
  }

  get count(): number {
    return this.#byName.size;
  }

  /** The client takes more. */
  drained(): void {
    for (const { subscription } of this.#byName.values()) subscription.drained();
  }

  close(): void {
    for (const { subscription } of this.#byName.values()) subscription.close();
    this.#byName.clear();
    this.#attendee?.leave();
    this.#present?.leave();
    this.#isClosed = true;
  }

  #assertRoom(name: string): void {
    const { gripChannelsMax } = this.#context.limits;
    if (this.#byName.size < gripChannelsMax + this.#rule.channels.length) return;
    const detail = `${JSON.stringify(name)} would be one channel too many; the limit is ${gripChannelsMax}.`;
    throw new TidegateError('grip_instruct_invalid', detail);
  }
}
