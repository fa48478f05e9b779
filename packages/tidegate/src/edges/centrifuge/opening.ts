import {
  type Channels,
  hasWildcard,
  type StartPosition,
  type StreamPosition,
  singlePosition,
} from '../../channels/index.ts';
import {
  ChannelSubscription,
  DeltaSubscription,
  type Side,
  type SubscriptionOwner,
} from './channel-subscription.ts';
import type { Format } from './format.ts';
import type { SubscribeResult, SubscribeWish } from './protocol.ts';

/** A subscription that has begun. */
export interface Begun {
  readonly subscription: ChannelSubscription;
  /** Where it begins; null if it reads several partitions. */
  readonly position: StreamPosition | null;
  readonly delta: SubscribeResult['delta'];
}

/** Whether a subscription is to be handed deltas. Those of a pattern are of different channels, which have little in common. */
export function takesDeltas(channel: string, wish: SubscribeWish): boolean {
  return wish.delta === 'fossil' && !hasWildcard(channel);
}

/**
 * Subscribes to a channel or pattern.
 * @param channels the channels with the limits that it counts against: the connection's
 * @throws TidegateError what `Channels.subscribe` throws
 */
export function beginSubscription(
  format: Format,
  channels: Channels,
  owner: SubscriptionOwner,
  channel: string,
  from: StartPosition,
  side: Side,
  wish: SubscribeWish,
): Begun {
  const delta = takesDeltas(channel, wish) ? 'fossil' : 'none';
  const subscription =
    delta === 'fossil'
      ? new DeltaSubscription(channel, side, owner, format.deltas)
      : new ChannelSubscription(channel, side, owner);
  const encoder = delta === 'fossil' ? format.deltas.encoder : format.encoderOf(channel, 'told');
  subscribe(channels, subscription, from, encoder);
  const position = singlePosition(subscription.cursor());
  if (position !== null) return { subscription, position, delta };
  // Only now it is known that its offsets mean nothing.
  subscription.close();
  const unpositioned = new ChannelSubscription(channel, side, owner);
  subscribe(channels, unpositioned, from, format.encoderOf(channel, 'untold'));
  return { subscription: unpositioned, position: null, delta: 'none' };
}

function subscribe(
  channels: Channels,
  subscription: ChannelSubscription,
  from: StartPosition,
  encoder: Format['pageEncoder'],
): void {
  subscription.begin(
    channels.subscribe({
      channels: [subscription.channel],
      from,
      encoder,
      sink: subscription,
      slowPolicy: 'resume',
      protocol: 'centrifuge',
      gapEnds: true,
    }),
  );
}
