import { type Limits, TidegateError } from '../../kernel/index.ts';
import {
  type MessagePrefix,
  parseGripExtension,
  parseWebSocketEvents,
  WEBSOCKET_EVENTS_MEDIA_TYPE,
  type WebSocketEvent,
} from '../../wire/grip/index.ts';
import type { EventsAnswer } from './events-request.ts';

/** What an origin says in answer to events. */
export interface ReadAnswer {
  readonly events: readonly WebSocketEvent[];
  /** Values to be stored; null for those to be taken away. Names in lower case. */
  readonly meta: readonly (readonly [name: string, value: string | null])[];
  /** How often the origin wants to be asked from now on; null for never, undefined if it does not say. */
  readonly intervalMs: number | null | undefined;
  /** How many bytes of content it has accepted; null for all. */
  readonly acceptedBytes: number | null;
}

/** The fields that are about the requests, and not for the client. */
const OWN_FIELDS =
  /^(?:content-type|content-bytes-accepted|keep-alive-interval|set-meta-.*|grip-.*|sec-websocket-extensions)$/;
const SET_META = 'set-meta-';
/** Being asked more often would make of a WebSocket what it is to save. */
const INTERVAL_SECONDS_MIN = 20;

/** Whether an answer has events, by its type. */
export function hasEvents({ head }: EventsAnswer): boolean {
  const type = fieldOf(head.fields, 'content-type');
  return head.status === 200 && type !== null && isEventsMediaType(type);
}

export function isEventsMediaType(contentType: string): boolean {
  return contentType.split(';', 1)[0].trim().toLowerCase() === WEBSOCKET_EVENTS_MEDIA_TYPE;
}

/**
 * Reads an answer.
 * @throws TidegateError grip_instruct_invalid
 */
export function readAnswer({ head, body }: EventsAnswer, limits: Limits): ReadAnswer {
  const meta: [string, string | null][] = [];
  for (let at = 0; at < head.fields.length; at += 2) {
    const name = head.fields[at].toLowerCase();
    if (name.startsWith(SET_META) && name.length > SET_META.length) {
      meta.push([name.slice(SET_META.length), head.fields[at + 1] || null]);
    }
  }
  return {
    events: parseWebSocketEvents(body, limits),
    meta,
    intervalMs: intervalMs(fieldOf(head.fields, 'keep-alive-interval'), limits),
    acceptedBytes: acceptedBytes(fieldOf(head.fields, 'content-bytes-accepted')),
  };
}

/**
 * An answer without a body says nothing, whatever its type.
 * @throws TidegateError upstream_malformed
 */
export function assertEvents(answer: EventsAnswer): void {
  const { status } = answer.head;
  const isEmpty = answer.body.length === 0 && (status === 200 || status === 204);
  if (isEmpty || hasEvents(answer)) return;
  throw new TidegateError(
    'upstream_malformed',
    `The origin answered events with status ${status} and without events.`,
  );
}

/**
 * An origin that takes a WebSocket says so with OPEN, or by asking to be asked.
 * @throws TidegateError grip_instruct_invalid
 */
export function assertOpens({ events, intervalMs }: ReadAnswer): void {
  const first = events.at(0);
  if (first === undefined ? typeof intervalMs === 'number' : first.type === 'OPEN') return;
  throw new TidegateError('grip_instruct_invalid', 'The answer to OPEN does not begin with OPEN.');
}

/** What the origin agreed on when the WebSocket was opened: null if it has not accepted `grip`. */
export function messagePrefixOf(fields: readonly string[]): MessagePrefix | null {
  const values: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at].toLowerCase() === 'sec-websocket-extensions') values.push(fields[at + 1]);
  }
  return parseGripExtension(values);
}

/** The fields that are for the client, names and values in turn. */
export function fieldsForClient(fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (!OWN_FIELDS.test(fields[at].toLowerCase())) kept.push(fields[at], fields[at + 1]);
  }
  return kept;
}

/** The first value of a field, given in lower case. */
export function fieldOf(fields: readonly string[], name: string): string | null {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at].toLowerCase() === name) return fields[at + 1];
  }
  return null;
}

function intervalMs(value: string | null, limits: Limits): number | null | undefined {
  if (value === null) return undefined;
  if (!/^-?\d{1,9}$/.test(value)) throw fault('Keep-Alive-Interval', value);
  const seconds = Number(value);
  return seconds <= 0
    ? null
    : Math.min(Math.max(seconds, INTERVAL_SECONDS_MIN) * 1000, limits.gripIntervalMsMax);
}

function acceptedBytes(value: string | null): number | null {
  if (value === null) return null;
  if (!/^\d{1,15}$/.test(value)) throw fault('Content-Bytes-Accepted', value);
  return Number(value);
}

function fault(field: string, value: string): TidegateError {
  return new TidegateError('grip_instruct_invalid', `${field} is not a number: ${JSON.stringify(value)}.`);
}
