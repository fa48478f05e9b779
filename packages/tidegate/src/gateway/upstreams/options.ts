import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { durationSchema } from '../duration.ts';
import { statusSchema } from '../statuses.ts';

/** What a name of an upstream looks like. */
export const UPSTREAM_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

const tlsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ca: {
      type: 'string',
      minLength: 1,
      description:
        'A file in PEM with the authorities that sign the certificates of the targets, in place of those of the system. A relative path ' +
        'starts at the folder of the config file; elsewhere the path is absolute.',
    },
    certificate: {
      type: 'string',
      minLength: 1,
      description: 'A file in PEM with the certificate that the gateway shows to the targets (mTLS).',
    },
    key: {
      type: 'string',
      minLength: 1,
      description: "The file in PEM with the certificate's private key, without a passphrase.",
    },
    serverName: {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      description:
        'The name that is asked for (SNI) and that the certificate has to be for; by default the host of the target.',
    },
    verify: {
      type: 'boolean',
      default: true,
      description:
        'Whether a target whose certificate is not believed is refused. Only tests have a reason not to.',
    },
  },
  default: {},
} as const satisfies JSONSchema;

const healthSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: {
      type: 'string',
      pattern: '^/[!-~]{0,1023}$',
      description: 'Where each target is asked, with GET. Without the section targets are not asked.',
    },
    interval: {
      ...durationSchema,
      default: '5s',
      description:
        'How often a target is asked. Each begins at a random moment, so that they are not asked all at once.',
    },
    timeout: { ...durationSchema, default: '2s', description: 'How long the answer may take.' },
    healthyAfter: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 2,
      description: 'So many good answers in a row make an unhealthy target healthy.',
    },
    unhealthyAfter: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 3,
      description: 'So many bad or missing answers in a row make a healthy target unhealthy.',
    },
    statuses: {
      type: 'array',
      minItems: 1,
      maxItems: 50,
      items: statusSchema,
      default: ['2xx', '3xx'],
      description: 'The statuses of good answers: `200`, or `2xx` for a class.',
    },
  },
} as const satisfies JSONSchema;

const passiveSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    failures: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 5,
      description:
        'So many failed requests within the window eject a target: no connection, no answer in time, a broken answer, or 502, 503 and 504.',
    },
    within: { ...durationSchema, default: '10s', description: 'The window.' },
    ejectFor: {
      ...durationSchema,
      default: '30s',
      description:
        'How long a target is left alone; again as long for every ejection before that it has not lived down.',
    },
    ejectForMax: { ...durationSchema, default: '5m', description: 'The longest it is left alone.' },
    ejectedPercentMax: {
      type: 'integer',
      minimum: 0,
      maximum: 100,
      default: 50,
      description:
        'No more of the targets than these are ejected at once. With 100 all may be, and the upstream is unavailable then.',
    },
  },
} as const satisfies JSONSchema;

/** Where requests go: one origin, in as many places as there are targets. */
export const upstreamSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['targets'],
  properties: {
    targets: {
      type: 'array',
      minItems: 1,
      maxItems: 256,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['url'],
        properties: {
          url: {
            type: 'string',
            pattern: '^https?://(?:[A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}\\])(?::[0-9]{1,5})?/?$',
            description:
              'Scheme, host and port, such as `http://10.0.0.7:3000`. A path is not part of it: see `rewrite` of the route.',
          },
          weight: {
            type: 'integer',
            minimum: 1,
            maximum: 1000,
            default: 1,
            description: 'Its share of the requests, beside the weights of the others.',
          },
        },
      },
      description:
        'The servers of the origin. A name with several addresses is a target with several places.',
    },
    balance: {
      type: 'string',
      enum: ['round_robin', 'least_connections', 'hash'],
      default: 'round_robin',
      description:
        'How a target is chosen: in turn; the less busy of two that are drawn; or by a hash of something of the request, so that what ' +
        'belongs together goes to the same one.',
    },
    hashBy: {
      type: 'string',
      pattern: "^(?:address|path|(?:header|cookie):[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$",
      default: 'address',
      description:
        'What `hash` goes by: the `address` of the client, the `path`, or `header:NAME` or `cookie:NAME`. A request without the header or ' +
        'cookie goes by its address.',
    },
    protocol: {
      type: 'string',
      enum: ['http1', 'http2'],
      default: 'http1',
      description:
        'What is spoken to the targets. http2 over http:// is spoken without asking (RFC 9113, section 3.3).',
    },
    connectionsMax: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      default: 256,
      description: 'Connections to each target at once, from each process. Requests beyond wait for one.',
    },
    tls: tlsSchema,
    host: {
      type: 'string',
      pattern: '^[A-Za-z0-9._:\\[\\]-]{1,260}$',
      default: 'keep',
      description:
        'The Host that the targets see: `keep` for what the client sent, `target` for the host of the target, or a name.',
    },
    health: healthSchema,
    passive: passiveSchema,
    slowStart: {
      ...durationSchema,
      description:
        'How long a target that has just become healthy takes to reach its full share. Without it, it has it at once.',
    },
    resolveEvery: {
      ...durationSchema,
      default: '30s',
      description: 'How often names of targets are looked up again. What they were is used while that fails.',
    },
    addresses: {
      type: 'string',
      enum: ['any', 'public'],
      default: 'any',
      description:
        'With `public`, targets whose addresses are private, loopback or link-local are not connected to, whatever their names resolve to.',
    },
  },
} as const satisfies JSONSchema;

/** As written in the config file: whatever has a default may be missing. */
export type UpstreamOptions = FromSchema<typeof upstreamSchema, { keepDefaultedPropertiesOptional: true }>;

/** With every default. */
export type CompleteUpstreamOptions = FromSchema<typeof upstreamSchema>;
