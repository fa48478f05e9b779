import type { Identity } from '../../access/port.ts';
import { fieldsOf, isAbsent } from './json-fields.ts';
import { MalformedCommand, type Payload } from './protocol.ts';
import { PLAIN_OPTIONS, payloadOf, type SubscribeOptions, subscribeOptionsOf } from './subscribe-options.ts';

/** What a connection token says that this edge knows of. */
export interface ConnectionClaims {
  /** What others see of its holder as `conn_info`; null for nothing. */
  readonly info: Payload | null;
  /** The channels that its holder is subscribed to: those of `channels`, a list, and of `subs`, an object with options. */
  readonly subscriptions: ReadonlyMap<string, SubscribeOptions>;
}

/** The claims of whoever connects; null if they cannot be read. */
export function claimsOf({ claims }: Identity): ConnectionClaims | null {
  const { info, b64info, channels, subs } = claims;
  const subscriptions = new Map<string, SubscribeOptions>();
  try {
    for (const channel of Array.isArray(channels) ? channels : [])
      if (typeof channel === 'string') subscriptions.set(channel, PLAIN_OPTIONS);
    for (const [channel, options] of Object.entries(isAbsent(subs) ? {} : fieldsOf(subs, 'subs')))
      subscriptions.set(
        channel,
        isAbsent(options) ? PLAIN_OPTIONS : subscribeOptionsOf(fieldsOf(options, channel)),
      );
    return { info: payloadOf(info, b64info), subscriptions };
  } catch (error) {
    if (!(error instanceof MalformedCommand)) throw error;
    return null;
  }
}
