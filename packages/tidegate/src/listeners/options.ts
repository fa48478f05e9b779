import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

/** The fields by which load balancers tell of their clients. */
const FORWARDING_FIELDS = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'] as const;

export type TrustedField = (typeof FORWARDING_FIELDS)[number];

/**
 * Those that are believed unless it is said otherwise: what nearly every load balancer sets. It passes the others on as its clients send them, so
 * that they are believed only if somebody has made sure of it.
 */
export const TRUSTED_FIELDS = [
  'x-forwarded-for',
  'x-forwarded-proto',
] as const satisfies readonly TrustedField[];

/** The sockets of ZeroMQ that Pushpin has. They need the package `zeromq`. */
const zmqSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description:
        'The address of the ports. ZeroMQ knows no credentials: others than loopback need `openToNetwork`.',
    },
    pullPort: {
      type: ['integer', 'null'],
      minimum: 0,
      maximum: 65_535,
      default: null,
      description:
        'The port of a PULL socket: each message is one GRIP item (5560 in Pushpin). null: none; 0 takes any free port.',
    },
    subPort: {
      type: ['integer', 'null'],
      minimum: 0,
      maximum: 65_535,
      default: null,
      description:
        'The port of a SUB socket to which publishers connect: a channel and an item (5562 in Pushpin). It subscribes to the channels that have subscribers by GRIP.',
    },
    repPort: {
      type: ['integer', 'null'],
      minimum: 0,
      maximum: 65_535,
      default: null,
      description: 'The port of a REP socket for commands (5563 in Pushpin).',
    },
    statsPort: {
      type: ['integer', 'null'],
      minimum: 0,
      maximum: 65_535,
      default: null,
      description: 'The port of a PUB socket with statistics (`stats_spec` in Pushpin).',
    },
    statsFormat: {
      type: 'string',
      enum: ['tnetstring', 'json'],
      default: 'tnetstring',
      description: 'How statistics are written (`stats_format` in Pushpin).',
    },
    openToNetwork: {
      type: 'boolean',
      default: false,
      description: 'Lets whoever reaches `host` publish without a credential, also from other machines.',
    },
  },
} as const satisfies JSONSchema;

export type ZmqOptions = Partial<FromSchema<typeof zmqSchema>>;

/** The same with nothing missing. */
export type ZmqSettings = Readonly<Required<ZmqOptions>>;

/** Fills in what is left out. */
export function zmqSettings(options: ZmqOptions): ZmqSettings {
  const { properties } = zmqSchema;
  return Object.freeze({
    host: options.host ?? properties.host.default,
    pullPort: options.pullPort ?? properties.pullPort.default,
    subPort: options.subPort ?? properties.subPort.default,
    repPort: options.repPort ?? properties.repPort.default,
    statsPort: options.statsPort ?? properties.statsPort.default,
    statsFormat: options.statsFormat ?? properties.statsFormat.default,
    openToNetwork: options.openToNetwork ?? properties.openToNetwork.default,
  });
}

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
    gripPort: {
      type: ['integer', 'null'],
      minimum: 0,
      maximum: 65_535,
      default: null,
      description:
        'The port on which origins publish by GRIP, as they do to Pushpin (usually 5561), at `adminHost`. null: none; 0 takes any free port.',
    },
    trustedProxies: {
      type: 'array',
      maxItems: 1000,
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'The load balancers in front of the public port and the GRIP port, by their addresses or ranges such as `10.0.0.0/8` and `2001:db8::/32`: they ' +
        'are believed what they say of their clients.',
    },
    trustedFields: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: FORWARDING_FIELDS },
      default: TRUSTED_FIELDS,
      description:
        'The fields in which `trustedProxies` say it. Only those that every one of them sets itself, whatever its clients have sent; ' +
        '`forwarded` takes the place of all others.',
    },
    zmq: zmqSchema,
  },
} as const satisfies JSONSchema;

export type ListenOptions = FromSchema<typeof listenSchema>;

/** The same with nothing missing. */
export interface ListenSettings
  extends Readonly<Required<Omit<ListenOptions, 'trustedProxies' | 'trustedFields' | 'zmq'>>> {
  /** Null for no ports of ZeroMQ. */
  readonly zmq: ZmqSettings | null;
  readonly trustedProxies: readonly string[];
  readonly trustedFields: readonly TrustedField[];
}

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

const certificateSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['certificate', 'key'],
  properties: {
    certificate: {
      type: 'string',
      minLength: 1,
      description:
        'A file in PEM with the certificate, followed by those between it and the root. A relative path starts at the ' +
        'folder of the config file.',
    },
    key: {
      type: 'string',
      minLength: 1,
      description: "The file in PEM with the certificate's private key, without a passphrase.",
    },
    names: {
      type: 'array',
      maxItems: 1000,
      items: { type: 'string', pattern: '^(\\*\\.)?[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$' },
      description:
        'The server names that this certificate is for, such as `example.org` or `*.example.org`; by default the names in it.',
    },
  },
} as const satisfies JSONSchema;

/** TLS on the public port, with HTTP/2 for the clients that ask for it. Without it the port speaks plain HTTP/1. */
export const tlsSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['certificates'],
  properties: {
    certificates: {
      type: 'array',
      minItems: 1,
      maxItems: 1000,
      items: certificateSchema,
      description:
        'The certificates of the public port. A client that names none of their names gets the first one.',
    },
    minVersion: {
      type: 'string',
      enum: ['TLSv1.2', 'TLSv1.3'],
      default: 'TLSv1.2',
      description: 'The oldest version of TLS that is spoken.',
    },
    clientCa: {
      type: 'string',
      minLength: 1,
      description: 'A file in PEM with the authorities whose client certificates are believed.',
    },
    clientCertificates: {
      type: 'string',
      enum: ['request', 'require'],
      default: 'require',
      description:
        'With `clientCa`: whether a client may leave its certificate out (`request`) or is refused without one.',
    },
  },
} as const satisfies JSONSchema;

export type TlsOptions = FromSchema<typeof tlsSchema>;

/** One certificate to serve, by its files, with absolute paths. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  /** The server names that it is for; empty for those in the certificate. */
  readonly names: readonly string[];
}

/** TLS as a listener takes it: nothing is missing. */
export interface TlsSettings {
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** How clients show certificates, and the file with the authorities that are believed; null if they are not asked. */
  readonly clients: { readonly ca: string; readonly certificates: 'request' | 'require' } | null;
}

// Part of what options of this folder mean: which addresses `host` may have, and how those of `trustedProxies` are written.
export { readAddressRange } from './address.ts';
export { isLoopback } from './loopback.ts';
