import type { JSONSchema } from 'json-schema-to-ts';
import { durationSchema } from '../duration.ts';
import { statusSchema } from '../statuses.ts';

/** How long what may take. */
export const timeoutsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    connect: {
      ...durationSchema,
      default: '5s',
      description: 'Until there is a connection to the origin, with its TLS, or a free one.',
    },
    firstByte: {
      ...durationSchema,
      default: '60s',
      description: 'From the end of the request to the first byte of the answer.',
    },
    idle: {
      ...durationSchema,
      default: '5m',
      description:
        'Without a byte in either direction while the bodies are under way; also for WebSockets and event streams.',
    },
    total: {
      ...durationSchema,
      description:
        'All in all, with retries, up to the last byte. Without it there is no such bound, as streams have no end.',
    },
  },
  default: {},
} as const satisfies JSONSchema;

/** Once more, if it went wrong. */
export const retrySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    attempts: {
      type: 'integer',
      minimum: 2,
      maximum: 10,
      default: 3,
      description: 'Attempts in all, the first one included.',
    },
    backoff: {
      ...durationSchema,
      default: '25ms',
      description:
        'The longest pause before the second attempt. It doubles with each; how much of it is waited is drawn, so that clients do not come back together.',
    },
    backoffMax: { ...durationSchema, default: '1s', description: 'What it does not grow beyond.' },
    on: {
      type: 'array',
      minItems: 1,
      maxItems: 20,
      items: {
        type: ['integer', 'string'],
        minimum: 400,
        maximum: 599,
        pattern: '^(?:connect|reset|timeout|[45]xx)$',
      },
      default: ['connect', 'reset', 502, 503, 504],
      description:
        'What is tried again: `connect`, no connection; `reset`, it ended before the answer; `timeout`, no first byte in time; and statuses, `503` or `5xx`.',
    },
    methods: {
      type: 'string',
      enum: ['idempotent', 'any'],
      default: 'idempotent',
      description:
        'Which methods: GET, HEAD, OPTIONS, TRACE, PUT and DELETE, which may be made twice (RFC 9110, section 9.2.2), or any. What has ' +
        'certainly not reached the origin is tried again whatever the method.',
    },
    budgetPercent: {
      type: 'integer',
      minimum: 0,
      maximum: 100,
      default: 20,
      description:
        'No more retries than this share of the requests of the last ten seconds, so that a weak origin is not asked even more; but always ' +
        'one a second.',
    },
  },
} as const satisfies JSONSchema;

/** Leaves an origin alone that fails. */
export const breakerSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    failures: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 5,
      description: 'So many failures within the window open the circuit: nobody is asked any more.',
    },
    percent: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 50,
      description: 'But only if this share of the requests within the window has failed.',
    },
    within: { ...durationSchema, default: '10s', description: 'The window.' },
    openFor: {
      ...durationSchema,
      default: '5s',
      description: 'How long it stays open before a trial; twice as long after each trial that fails.',
    },
    openForMax: { ...durationSchema, default: '1m', description: 'What that does not grow beyond.' },
    trials: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 1,
      description:
        'So many requests are let through then. If all succeed the circuit closes; one failure opens it again.',
    },
    statuses: {
      type: 'array',
      maxItems: 50,
      items: statusSchema,
      default: ['5xx'],
      description: 'The statuses that are failures, beside no answer at all. All others are successes.',
    },
  },
} as const satisfies JSONSchema;

/** Keeps a slow origin from taking all connections. */
export const bulkheadSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['concurrent'],
  properties: {
    concurrent: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      description:
        'Requests of the route under way at once, from each process. Open streams and WebSockets count.',
    },
    queue: {
      type: 'integer',
      minimum: 0,
      maximum: 100_000,
      default: 0,
      description: 'Requests that wait, in the order of arrival, when there are as many.',
    },
    wait: { ...durationSchema, default: '1s', description: 'How long one waits.' },
  },
} as const satisfies JSONSchema;

/** Passes on how long the client still waits. */
export const deadlineSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    header: {
      type: 'string',
      pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
      default: 'X-Request-Deadline',
      description:
        'The header field that says when the answer is of no use any more: an RFC 3339 time or milliseconds since 1970. Origins get ' +
        'it as an RFC 3339 time. A client may instead send `Request-Timeout`: seconds, or a number with `ms`, `s` or `m`.',
    },
    default: {
      ...durationSchema,
      description: 'How long requests have that say nothing. Without it, as long as the time-outs allow.',
    },
  },
} as const satisfies JSONSchema;
