import { Buffer } from 'node:buffer';
import type { PresenceVisibility } from '../../channels/index.ts';
import { type Fields, fieldsOf, flagOf, isAbsent, textOf } from './json-fields.ts';
import { jsonPayload, payloadOfBytes } from './payload.ts';
import type { Payload } from './protocol.ts';

/** What the server wants of a subscription, whoever asked for it: a token says so, or a call of the server API. */
export interface SubscribeOptions {
  /** What others see of the client in the channel as `chan_info`; null for nothing. */
  readonly info: Payload | null;
  /** What the client is told with its subscription; null for nothing. */
  readonly data: Payload | null;
  /** How others see it come and go; null if not at all. */
  readonly visibility: PresenceVisibility | null;
  /** Whether it is told who joins and leaves, although it did not ask for it. */
  readonly joinLeave: 'pushed' | 'as_wished';
}

/** A subscription with nothing special. */
export const PLAIN_OPTIONS: SubscribeOptions = {
  info: null,
  data: null,
  visibility: 'listed_and_told',
  joinLeave: 'as_wished',
};

/**
 * The options that Centrifugo knows by the names `info`, `b64info`, `data`, `b64data` and `override`.
 * @throws MalformedCommand
 */
export function subscribeOptionsOf({ info, b64info, data, b64data, override }: Fields): SubscribeOptions {
  const wanted = isAbsent(override) ? {} : fieldsOf(override, 'override');
  const isListed = overridden(wanted, 'presence', 'on') === 'on';
  const isTold = overridden(wanted, 'join_leave', 'on') === 'on';
  return {
    info: payloadOf(info, b64info),
    data: payloadOf(data, b64data),
    visibility: isListed ? (isTold ? 'listed_and_told' : 'listed') : isTold ? 'told' : null,
    joinLeave: overridden(wanted, 'force_push_join_leave', 'off') === 'on' ? 'pushed' : 'as_wished',
  };
}

/** What stands as JSON under one name or, which goes before, as base64 under another; null if neither does. */
export function payloadOf(json: unknown, base64: unknown): Payload | null {
  const encoded = textOf(base64, 'base64');
  if (encoded !== '') return payloadOfBytes(Buffer.from(encoded, 'base64'));
  return isAbsent(json) ? null : jsonPayload(json);
}

/** Overrides are objects around a boolean, so that an absent one is another thing than `false`. */
function overridden(wanted: Fields, name: string, unless: 'on' | 'off'): 'on' | 'off' {
  if (isAbsent(wanted[name])) return unless;
  return flagOf(fieldsOf(wanted[name], name).value, name) ? 'on' : 'off';
}
