import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { PERMISSIONS } from './port.ts';

/** Which channels may be used how: channel names or patterns, each with what is allowed there. */
export const allowSchema = {
  type: 'object',
  maxProperties: 1000,
  additionalProperties: {
    type: 'array',
    uniqueItems: true,
    minItems: 1,
    items: { type: 'string', enum: PERMISSIONS },
  },
  description:
    'Channel names or patterns, each with what is allowed there: publish, subscribe, history, presence. `purge`, under any pattern, lets a publish take answers out of the cache of the gateway; `admin`, under any pattern, opens the admin API.',
} as const satisfies JSONSchema;

/** What somebody may use at once and in a second. What is not given is not limited beyond what holds for the whole server. */
export const limitsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    connectionsMax: {
      type: 'integer',
      minimum: 1,
      description: 'Streams, WebSockets and waiting long-polls at once.',
    },
    subscriptionsMax: {
      type: 'integer',
      minimum: 1,
      description: 'Channels and patterns subscribed to at once, over all connections.',
    },
    publishesPerSecondMax: {
      type: 'integer',
      minimum: 1,
      description: 'Messages published in a second; as many may come at once.',
    },
    messageBytesMax: {
      type: 'integer',
      minimum: 1,
      description: 'Bytes of data of one published message.',
    },
    bytesOutPerSecondMax: {
      type: 'integer',
      minimum: 1,
      description:
        'Bytes sent to subscribers in a second, over all connections; as many may go at once. Above it, subscribers are delayed as slow ones are.',
    },
    perConnection: {
      type: 'object',
      additionalProperties: false,
      properties: {
        subscriptionsMax: {
          type: 'integer',
          minimum: 1,
          description: 'Channels and patterns subscribed to at once over one connection.',
        },
        publishesPerSecondMax: {
          type: 'integer',
          minimum: 1,
          description: 'Messages published in a second over one connection; as many may come at once.',
        },
        bytesOutPerSecondMax: {
          type: 'integer',
          minimum: 1,
          description: 'Bytes sent in a second over one connection; as many may go at once.',
        },
      },
      description: 'What each stream, WebSocket and Centrifuge connection may use by itself, besides.',
    },
  },
} as const satisfies JSONSchema;

export type LimitOptions = FromSchema<typeof limitsSchema>;

/** What a name of a key looks like. */
export const KEY_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

/** An API key. The secret itself is shown once, when the key is made, and is kept nowhere. */
export const keySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['hash', 'allow'],
  properties: {
    hash: {
      type: 'string',
      pattern: '^sha256:[0-9a-f]{64}$',
      description: 'The SHA-256 of the key as clients send it. `tidegate key create` prints both.',
    },
    allow: allowSchema,
    expires: {
      type: 'string',
      format: 'date-time',
      description:
        'When the key ends, as an RFC 3339 time. Without it the key stays good until it is removed.',
    },
    limits: {
      ...limitsSchema,
      description:
        'What whoever shows the key may use, all together. They take the place of `access.limits`.',
    },
  },
} as const satisfies JSONSchema;

export type KeyOptions = FromSchema<typeof keySchema>;

/** What a revocation is called. */
export const REVOCATION_NAME_PATTERN = KEY_NAME_PATTERN;

/** Tokens that are believed no more, although they were signed and have not expired. */
export const revocationSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    tokenId: { type: 'string', minLength: 1, description: 'The claim `jti` of the token.' },
    user: { type: 'string', minLength: 1, description: 'The claim `sub`: all tokens of a user.' },
    before: {
      type: 'string',
      format: 'date-time',
      description:
        "With `user`: the user's tokens that were issued (claim `iat`) before this RFC 3339 time, and those that do not say when.",
    },
  },
  oneOf: [{ required: ['tokenId'] }, { required: ['user', 'before'] }],
} as const satisfies JSONSchema;

/** One token, or all of a user that were issued before a time. */
export interface RevocationOptions {
  readonly tokenId?: string;
  readonly user?: string;
  readonly before?: string;
}

/** The algorithms that tokens may be signed with; `none` is not among them. */
export const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;

/** Whose tokens are believed. */
export const issuerSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['algorithms'],
  properties: {
    algorithms: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: ALGORITHMS },
      description: 'The algorithms that tokens of this issuer are signed with. Others are refused.',
    },
    secret: {
      type: 'string',
      minLength: 1,
      description:
        'For HS256: the shared secret. Better taken from an environment variable than written here. One of less than 32 bytes can be ' +
        'guessed from a token: a server that listens elsewhere than on loopback refuses it.',
    },
    publicKey: {
      type: 'string',
      minLength: 1,
      description: 'The public key in PEM, as SubjectPublicKeyInfo or as a certificate.',
    },
    jwksFile: { type: 'string', minLength: 1, description: 'A file with a JWK Set (RFC 7517, section 5).' },
    jwksUrl: {
      type: 'string',
      pattern: '^https?://',
      description:
        'Where the issuer publishes its JWK Set. It is fetched ahead of time, and what was fetched last is used while the issuer is away.',
    },
    issuer: { type: 'string', minLength: 1, description: 'What the claim `iss` has to be.' },
    audience: {
      type: 'string',
      minLength: 1,
      description: 'What the claim `aud` has to be, or to hold.',
    },
    allow: {
      ...allowSchema,
      description:
        'What a token without the claim `capabilities` allows: patterns with what is allowed there. {user} stands for the subject.',
    },
  },
} as const satisfies JSONSchema;

export type IssuerOptions = FromSchema<typeof issuerSchema>;

/** Who may do what. Without any credential everybody may do everything, and the server listens on loopback only. */
export const accessSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    anonymous: {
      ...allowSchema,
      description:
        'What those may do who show no credential, once there are keys or issuers: patterns with what is allowed there. Nothing unless given.',
    },
    certificates: {
      type: 'object',
      additionalProperties: false,
      patternProperties: { '^(CN|DNS|URI|IP Address|email):.': allowSchema },
      description:
        'What clients may do by the certificate of their connection (mTLS): by one of its names, such as `DNS:backend.example` or ' +
        '`URI:spiffe://example/backend`, or by `CN:` and its common name. What several names allow adds up.',
    },
    issuers: {
      type: 'object',
      additionalProperties: false,
      patternProperties: { [KEY_NAME_PATTERN]: issuerSchema },
      description: 'Whose tokens (JWT) are believed, by a name of your choice.',
    },
    limits: {
      ...limitsSchema,
      description:
        'What each key without limits of its own, each user with all its tokens, and all who show no credential together may use.',
    },
  },
} as const satisfies JSONSchema;

export type AccessOptions = FromSchema<typeof accessSchema>;
