import type { JSONSchema } from 'json-schema-to-ts';
import {
  type AccessOptions,
  accessSchema,
  KEY_NAME_PATTERN,
  type KeyOptions,
  keySchema,
} from '../access/options.ts';
import { type WebSocketOptions, websocketSchema } from '../edges/websocket/options.ts';
import {
  ROUTE_NAME_PATTERN,
  type RouteOptions,
  routeSchema,
  UPSTREAM_NAME_PATTERN,
  type UpstreamOptions,
  upstreamSchema,
} from '../gateway/options.ts';
import { LIMITS, type Limits } from '../kernel/index.ts';
import {
  type CorsOptions,
  corsSchema,
  type ListenOptions,
  listenSchema,
  type TlsOptions,
  tlsSchema,
} from '../listeners/options.ts';
import {
  dataSchema,
  defaultTopicSchema,
  TOPIC_NAME_PATTERN,
  type TopicOptions,
  topicSchema,
} from '../log/options.ts';
import { workersSchema } from '../workers/options.ts';

/** From the least to the most that is logged; each level holds those after it. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** How much the server logs about what it does. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One whole number per entry of the kernel's limits, within the entry's range. */
const limitsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    Object.entries(LIMITS).map(([name, limit]) => [
      name,
      {
        type: 'integer',
        minimum: limit.min,
        maximum: limit.max,
        default: limit.default,
        description: limit.why,
      },
    ]),
  ),
} as const satisfies JSONSchema;

/** The whole config file. The parts belong to the folders that they configure. */
export const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    listen: listenSchema,
    tls: tlsSchema,
    workers: workersSchema,
    data: dataSchema,
    topics: {
      type: 'object',
      additionalProperties: false,
      properties: { default: defaultTopicSchema },
      patternProperties: { [TOPIC_NAME_PATTERN]: topicSchema },
    },
    keys: {
      type: 'object',
      additionalProperties: false,
      patternProperties: { [KEY_NAME_PATTERN]: keySchema },
      description: 'API keys, by name.',
    },
    access: accessSchema,
    upstreams: {
      type: 'object',
      additionalProperties: false,
      patternProperties: { [UPSTREAM_NAME_PATTERN]: upstreamSchema },
      description: 'The origins that routes lead to, by name.',
    },
    routes: {
      type: 'object',
      additionalProperties: false,
      patternProperties: { [ROUTE_NAME_PATTERN]: routeSchema },
      description: 'The routes of the gateway, by name.',
    },
    limits: limitsSchema,
    cors: corsSchema,
    websocket: websocketSchema,
    logLevel: {
      type: 'string',
      enum: LOG_LEVELS,
      default: 'info',
      description: 'The least severe events that the server logs.',
    },
  },
} as const satisfies JSONSchema;

/** What the file says of TLS; defaults are not filled in. */
export type TlsFile = Pick<TlsOptions, 'certificates'> & Partial<TlsOptions>;

/** A config file that fits the schema. Whatever is missing has its default. */
export interface ConfigFile {
  readonly listen?: Partial<ListenOptions>;
  readonly tls?: TlsFile;
  readonly workers?: number;
  readonly data?: string;
  /** The topic `default` has only the options that its own schema allows. */
  readonly topics?: { readonly [name: string]: TopicOptions };
  readonly keys?: { readonly [name: string]: KeyOptions };
  readonly access?: AccessOptions;
  readonly upstreams?: { readonly [name: string]: UpstreamOptions };
  readonly routes?: { readonly [name: string]: RouteOptions };
  readonly limits?: Partial<Limits>;
  readonly cors?: Partial<CorsOptions>;
  readonly websocket?: Partial<WebSocketOptions>;
  readonly logLevel?: LogLevel;
}
