import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

/** Where the server listens. Port 0 lets the system choose a free one. */
export const listenSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description:
        'The address of the public port. Without keys and issuers only loopback addresses are accepted, unless started with --insecure.',
    },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 8080,
      description: 'The public port: publishing and subscribing. 0 takes any free port.',
    },
    adminHost: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description:
        'The address of the admin port. On an address that is not loopback, it asks for a credential with the permission `admin`.',
    },
    adminPort: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 8081,
      description: 'The admin port: health, metrics and topics. 0 takes any free port.',
    },
  },
} as const satisfies JSONSchema;

export type ListenOptions = FromSchema<typeof listenSchema>;

/** Which web pages of other origins may use the server; the same list guards WebSocket handshakes. */
export const corsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    origins: {
      type: 'array',
      maxItems: 1000,
      items: { type: 'string', pattern: '^(\\*|[a-z][a-z0-9+.-]*://[^/\\s]+)$' },
      default: [],
      description:
        'The origins whose pages may use the server from a browser, such as `https://example.org`; `*` allows all. Pages of ' +
        'the server itself always may.',
    },
  },
} as const satisfies JSONSchema;

export type CorsOptions = FromSchema<typeof corsSchema>;

// Part of what an option of this folder means: which addresses `host` may have.
export { isLoopback } from './loopback.ts';
