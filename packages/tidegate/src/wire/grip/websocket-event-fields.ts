import { type Limits, TidegateError } from '../../kernel/index.ts';
import { intervalMs } from './instruct.ts';
import type { Field } from './instruct-detection.ts';

/** What the header fields of a response of WebSocket-over-HTTP say beside its events. */
export interface WebSocketEventFields {
  /** After how long without a request the next one is made, even if it has no events; 0 for never, null if nothing is said of it. */
  readonly keepAliveMs: number | null;
  /** What every further request has as `Meta-` fields: names in lower case, and values as octets; null takes the name away. */
  readonly meta: readonly (readonly [name: string, value: string | null])[];
  /** How many bytes of content the origin has taken, of those that it was sent; null if it took all. */
  readonly contentBytesAccepted: number | null;
}

const SET_META = 'set-meta-';
/** Requests that only keep a connection alive are not made more often than this. */
const KEEP_ALIVE_SECONDS = { default: 20, min: 20 };

/** @throws TidegateError grip_instruct_invalid, naming the field */
export function parseWebSocketEventFields(fields: Iterable<Field>, limits: Limits): WebSocketEventFields {
  let keepAliveMs: number | null = null;
  let contentBytesAccepted: number | null = null;
  const meta: [name: string, value: string | null][] = [];
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    if (key === 'keep-alive-interval') {
      const seconds = wholeNumber(name, value);
      keepAliveMs = seconds <= 0 ? 0 : intervalMs(seconds, KEEP_ALIVE_SECONDS, limits);
    } else if (key === 'content-bytes-accepted') {
      contentBytesAccepted = wholeNumber(name, value);
      if (contentBytesAccepted < 0) throw fault(name, value);
    } else if (key.length > SET_META.length && key.startsWith(SET_META)) {
      meta.push([key.slice(SET_META.length), value || null]);
    }
  }
  return { keepAliveMs, meta, contentBytesAccepted };
}

function wholeNumber(name: string, value: string): number {
  if (!/^-?[0-9]{1,10}$/.test(value)) throw fault(name, value);
  return Number(value);
}

function fault(name: string, value: string): TidegateError {
  return new TidegateError('grip_instruct_invalid', `${name} is not a number: ${JSON.stringify(value)}.`);
}
