import {
  type Footing,
  type JsonEnvelope,
  looksLikeCursor,
  parsePosition,
  type SlowPolicy,
  type StartPosition,
} from '../channels/index.ts';
import { type Limits, TidegateError } from '../kernel/index.ts';
import type { HttpRequest } from '../listeners/port.ts';

/** The query parameters that a subscription may have; which of them an edge takes is in its options.ts. */
export type QueryParameter = 'channel' | 'from' | 'envelope' | 'event' | 'slow' | 'wait' | 'max';

/** How messages are wrapped: `none` delivers the bare data. */
export type Envelope = 'none' | JsonEnvelope;

/** What a subscription asks for. */
export interface SubscriptionQuery {
  /** The values of `channel`, in order. */
  readonly channels: readonly string[];
  readonly from: StartPosition;
  readonly envelope: Envelope;
  /** What names an SSE event: nothing, or the event's CloudEvents type. */
  readonly eventName: 'unset' | 'type';
  readonly slow: SlowPolicy;
  readonly waitMs: number;
  readonly messagesMax: number;
}

/** Which parameters an edge takes, and what holds without them. */
export interface QueryRules {
  readonly parameters: ReadonlySet<QueryParameter>;
  readonly defaults: SubscriptionQuery;
}

/** Given where headers cannot be; it is the business of whoever checks credentials. */
const ACCESS_TOKEN = 'access_token';

const SECONDS = /^[0-9]{1,6}(\.[0-9]{1,3})?$/;
const COUNT = /^[1-9][0-9]{0,8}$/;

function invalid(name: string, takes: string): TidegateError {
  return new TidegateError('http_query_invalid', `The parameter "${name}" takes ${takes}`);
}

/** What holds for all subscriptions unless an edge says otherwise. */
export function queryDefaults(limits: Limits): SubscriptionQuery {
  return {
    channels: [],
    from: { kind: 'latest' },
    envelope: 'none',
    eventName: 'unset',
    slow: 'resume',
    waitMs: Math.min(30_000, limits.pollWaitMsMax),
    messagesMax: limits.pollMessagesMax,
  };
}

/**
 * Reads what a subscription asks for. Strict: a parameter that is misspelt must not be ignored silently.
 * @throws TidegateError http_query_invalid, position_invalid
 */
export function readSubscriptionQuery(
  request: HttpRequest,
  rules: QueryRules,
  limits: Limits,
): SubscriptionQuery {
  const lastEventId = request.headers.get('last-event-id');
  const resumes = lastEventId !== undefined && lastEventId !== '';
  if (!resumes && request.path.length === request.target.length) return rules.defaults;
  const query: { -readonly [name in keyof SubscriptionQuery]: SubscriptionQuery[name] } = {
    ...rules.defaults,
  };
  const seen = new Set<string>();
  for (const [name, value] of request.query) {
    if (name === ACCESS_TOKEN) continue;
    if (!isParameter(name, rules)) throw unknownParameter(name, rules);
    if (seen.has(name) && name !== 'channel') throw invalid(name, 'one value');
    seen.add(name);
    readParameter(query, name, value, limits);
  }
  // What the client received last says more than the address it was once given.
  if (resumes) query.from = { kind: 'cursor', cursor: lastEventId };
  return query;
}

/** What a request to subscribe rests on, before it is looked at whether it may be had at all. */
export function footingOf(request: HttpRequest): Footing {
  const lastEventId = request.headers.get('last-event-id') ?? '';
  if (lastEventId === '' && request.path.length === request.target.length) return null;
  // Who does not wait is told what there is, and takes it for all.
  if (Number(request.query.get('wait') ?? 1) === 0) return 'everything';
  const from = lastEventId === '' ? request.query.get('from') : lastEventId;
  return from !== null && looksLikeCursor(from) ? { kind: 'cursor', cursor: from } : null;
}

function isParameter(name: string, rules: QueryRules): name is QueryParameter {
  return (rules.parameters as ReadonlySet<string>).has(name);
}

function unknownParameter(name: string, rules: QueryRules): TidegateError {
  const known = [...rules.parameters].join(', ');
  return new TidegateError(
    'http_query_invalid',
    `There is no parameter ${JSON.stringify(name)} here; there are ${known}`,
  );
}

function readParameter(
  query: { -readonly [name in keyof SubscriptionQuery]: SubscriptionQuery[name] },
  name: QueryParameter,
  value: string,
  limits: Limits,
): void {
  switch (name) {
    case 'channel':
      query.channels = [...query.channels, value];
      break;
    case 'from':
      query.from = parsePosition(value);
      break;
    case 'envelope':
      if (value !== 'json' && value !== 'cloudevents') throw invalid(name, 'json or cloudevents');
      query.envelope = value;
      break;
    case 'event':
      if (value !== 'type') throw invalid(name, 'type');
      query.eventName = value;
      break;
    case 'slow':
      if (value !== 'resume' && value !== 'drop' && value !== 'close')
        throw invalid(name, 'resume, drop or close');
      query.slow = value;
      break;
    case 'wait':
      query.waitMs = SECONDS.test(value) ? Number(value) * 1000 : Number.POSITIVE_INFINITY;
      if (query.waitMs > limits.pollWaitMsMax)
        throw invalid(name, `seconds, from 0 to ${limits.pollWaitMsMax / 1000}`);
      break;
    case 'max':
      query.messagesMax = COUNT.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
      if (query.messagesMax > limits.pollMessagesMax)
        throw invalid(name, `a number from 1 to ${limits.pollMessagesMax}`);
      break;
  }
}
