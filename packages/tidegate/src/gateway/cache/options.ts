import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { durationMs, durationSchema } from '../duration.ts';

/** How a route caches. A route without it has no cache. What the whole server may hold is `limits.cacheBytesMax`. */
export const cacheSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ttl: {
      ...durationSchema,
      type: ['string', 'null'],
      description:
        'How long a response is fresh whose origin does not say (no max-age, s-maxage or Expires). `null`: such a response is not stored. ' +
        'Without it, a tenth of the time since Last-Modified (RFC 9111, section 4.2.2).',
    },
    staleWhileRevalidate: {
      ...durationSchema,
      description:
        'For how long a stale response is still served while a new one is fetched (RFC 5861), in place of what the origin says. ' +
        'Never where the response must be revalidated.',
    },
    staleIfError: {
      ...durationSchema,
      description:
        'For how long a stale response is served when the origin fails (RFC 5861), in place of what the origin says. Never where the ' +
        'response must be revalidated.',
    },
    keyHeaders: {
      type: 'array',
      uniqueItems: true,
      maxItems: 16,
      items: { type: 'string', pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$" },
      default: [],
      description:
        'Request headers that are part of the key besides the URI and what the response varies by, for origins that do not send Vary.',
    },
    entryBytesMax: {
      type: 'integer',
      minimum: 0,
      default: 1_048_576,
      description: 'A longer body is passed on and not stored. At most `limits.cacheEntryBytesMax`.',
    },
    clientNoCache: {
      type: 'string',
      enum: ['honour', 'ignore'],
      default: 'honour',
      description:
        'Whether a client can have the origin asked by no-cache, max-age or min-fresh in its request. `ignore` shields the origin from reloading browsers.',
    },
    authorization: {
      type: 'string',
      enum: ['if-allowed', 'bypass'],
      default: 'if-allowed',
      description:
        'Requests with Authorization: `if-allowed` shares responses whose origin allows it (public, s-maxage or must-revalidate; RFC 9111, ' +
        'section 3.5); `bypass` never does.',
    },
  },
} as const satisfies JSONSchema;

/** The settings of a route, with their defaults filled in. */
export type CacheOptions = FromSchema<typeof cacheSchema>;

/** How a route caches, as the cache goes by it. */
export interface CacheRule {
  /** How long a response is fresh whose origin does not say; null: it is not stored. */
  readonly ttlMs: number | 'heuristic' | null;
  /** Null: as the origin says. */
  readonly staleWhileRevalidateMs: number | null;
  /** Null: as the origin says. */
  readonly staleIfErrorMs: number | null;
  /** In lower case. */
  readonly keyHeaders: readonly string[];
  readonly entryBytesMax: number;
  readonly clientNoCache: 'honour' | 'ignore';
  readonly authorization: 'if-allowed' | 'bypass';
}

/** The rule that valid settings make. */
export function cacheRule(options: CacheOptions): CacheRule {
  const { ttl, staleWhileRevalidate, staleIfError, keyHeaders, entryBytesMax } = options;
  const told = (duration: string | undefined): number | null =>
    duration === undefined ? null : durationMs(duration);
  return {
    ttlMs: ttl === undefined ? 'heuristic' : ttl === null ? null : durationMs(ttl),
    staleWhileRevalidateMs: told(staleWhileRevalidate),
    staleIfErrorMs: told(staleIfError),
    keyHeaders: keyHeaders.map((name) => name.toLowerCase()),
    entryBytesMax,
    clientNoCache: options.clientNoCache,
    authorization: options.authorization,
  };
}
