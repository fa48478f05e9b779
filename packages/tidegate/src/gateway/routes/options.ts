import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { cacheSchema } from '../cache/options.ts';
import { crossOriginSchema } from '../cross-origin/options.ts';
import { durationSchema } from '../duration.ts';
import { sockJsSchema } from '../sockjs/options.ts';
import { statusSchema } from '../statuses.ts';
import { matchSchema, PATH_PATTERN } from './match-options.ts';
import {
  breakerSchema,
  bulkheadSchema,
  deadlineSchema,
  retrySchema,
  timeoutsSchema,
} from './resilience-options.ts';

/** What a name of a route looks like. */
export const ROUTE_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

const FIELD_NAME = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$";
/** Latin letters, marks, spaces and tabs, no line ends (RFC 9110, section 5.5). */
const fieldValueSchema = { type: 'string', maxLength: 8192, pattern: '^[\\t -~\\u0080-\\u00ff]*$' } as const;

const respondSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    status: { type: 'integer', minimum: 200, maximum: 599, default: 200, description: 'The status.' },
    headers: {
      type: 'object',
      maxProperties: 100,
      additionalProperties: false,
      patternProperties: { [FIELD_NAME]: fieldValueSchema },
      default: {},
      description: 'Header fields, such as `content-type`.',
    },
    body: { type: 'string', maxLength: 65_536, default: '', description: 'The body, sent as UTF-8.' },
  },
} as const satisfies JSONSchema;

const changesSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    set: {
      type: 'object',
      maxProperties: 100,
      additionalProperties: false,
      patternProperties: { [FIELD_NAME]: fieldValueSchema },
      default: {},
      description: 'Header fields that are put in place of all of the same name.',
    },
    remove: {
      type: 'array',
      maxItems: 100,
      uniqueItems: true,
      items: { type: 'string', pattern: FIELD_NAME },
      default: [],
      description: 'Header fields that are taken away.',
    },
  },
  default: {},
} as const satisfies JSONSchema;

const literalPathSchema = {
  type: 'string',
  maxLength: 1024,
  pattern: '^(?:/[^/{}*?#\\u0000-\\u0020\\u007f]+)+$',
} as const;

const rewriteSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    stripPrefix: {
      ...literalPathSchema,
      description: 'Whole segments that are taken from the beginning of the path.',
    },
    addPrefix: {
      ...literalPathSchema,
      description: 'Segments that are put before the path, after `stripPrefix`.',
    },
    path: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      pattern: PATH_PATTERN,
      description:
        'The whole path anew: `{name}` stands for a parameter of the match, a final `/*` for what its `/*` stood for. The query stays.',
    },
  },
} as const satisfies JSONSchema;

/** A route: which requests, where they go, and what happens on the way. */
export const routeSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    match: matchSchema,
    upstream: {
      type: 'string',
      minLength: 1,
      maxLength: 128,
      description: 'Where the requests go. This, `respond`, or `subscribe`.',
    },
    respond: respondSchema,
    subscribe: {
      type: 'object',
      additionalProperties: false,
      required: ['channel'],
      properties: {
        channel: {
          type: 'string',
          minLength: 1,
          maxLength: 1024,
          description:
            'The channel whose messages the client gets as an event stream; wildcards as in any subscription. `{name}` stands for a parameter of the match.',
        },
      },
    },
    rewrite: rewriteSchema,
    headers: {
      type: 'object',
      additionalProperties: false,
      properties: { request: changesSchema, response: changesSchema },
      default: {},
    },
    timeouts: timeoutsSchema,
    retry: retrySchema,
    breaker: breakerSchema,
    bulkhead: bulkheadSchema,
    deadline: deadlineSchema,
    fallback: {
      type: 'object',
      additionalProperties: false,
      properties: {
        respond: respondSchema,
        upstream: {
          type: 'string',
          minLength: 1,
          maxLength: 128,
          description: 'Asked in place of the first one, if the request can be made again.',
        },
        stale: {
          ...durationSchema,
          description: 'A cached answer, if it has not been out of date for longer.',
        },
        statuses: {
          type: 'array',
          maxItems: 50,
          items: statusSchema,
          default: [502, 503, 504],
          description:
            'The statuses of the origin in whose place it is used, beside no answer, an open circuit, a full bulkhead and no usable target.',
        },
      },
    },
    cache: cacheSchema,
    live: {
      type: 'object',
      additionalProperties: false,
      required: ['every'],
      properties: {
        every: {
          ...durationSchema,
          description:
            'How often the origin is asked while anybody subscribes. Makes a stream of a JSON API.',
        },
        mode: {
          type: 'string',
          enum: ['patch', 'value'],
          default: 'patch',
          description: 'What follows the first value: JSON patches (RFC 6902), or the whole value each time.',
        },
      },
    },
    grip: {
      type: 'object',
      additionalProperties: false,
      properties: {
        key: {
          type: 'string',
          minLength: 1,
          writeOnly: true,
          description:
            'The secret that Grip-Sig is signed with, so that the origin knows that it is asked by the gateway.',
        },
        upstreamKey: {
          type: 'string',
          minLength: 1,
          writeOnly: true,
          description:
            'The secret, or the public key, of gateways in front of this one. A request with their Grip-Sig passes to the origin as it is, and what the origin answers passes to them, instructions included.',
        },
        issuer: {
          type: 'string',
          minLength: 1,
          default: 'tidegate',
          description: 'The claim `iss` of Grip-Sig.',
        },
        prefix: {
          type: 'string',
          minLength: 1,
          maxLength: 128,
          description: 'Put before the names of channels.',
        },
        channels: {
          type: 'array',
          maxItems: 20,
          uniqueItems: true,
          items: { type: 'string', minLength: 1, maxLength: 1024 },
          default: [],
          description:
            'Channels that every held connection and every WebSocket of the route is subscribed to, without `prefix`. The origin cannot end that.',
        },
        session: {
          type: 'boolean',
          default: false,
          description:
            'Whether sessions that the origin names are found again in requests, and the origin is told what their clients have.',
        },
        websocket: {
          type: 'string',
          enum: ['native', 'over_http'],
          default: 'native',
          description:
            'How the origin speaks to WebSocket clients: by a WebSocket of its own, in which it may use GRIP, or by answers to POST requests with `application/websocket-events`.',
        },
      },
    },
    sockjs: sockJsSchema,
    crossOrigin: crossOriginSchema,
  },
} as const satisfies JSONSchema;

/** As written in the config file: whatever has a default may be missing. */
export type RouteOptions = FromSchema<typeof routeSchema, { keepDefaultedPropertiesOptional: true }>;

/** With every default. */
export type CompleteRouteOptions = FromSchema<typeof routeSchema>;
