import type { JSONSchema } from 'json-schema-to-ts';

/** A path: exact, with `{name}` for a segment, with a final `/*` for all that is below. */
export const PATH_PATTERN =
  '^(?:/(?:[^/{}*?#\\u0000-\\u0020\\u007f]*|\\{[A-Za-z_][A-Za-z0-9_]{0,63}\\}))*(?:/\\*)?$';

const HEADER_NAME = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$";

/** Which requests a route is for. All that is given has to be so. */
export const matchSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      pattern:
        '^(?:\\*\\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(?:\\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?){0,40}$|^\\[[0-9A-Fa-f:.]{2,45}\\]$',
      description:
        'The host without a port: exact, or `*.example.com` for all hosts below it, however deep. Without it, any host.',
    },
    path: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      pattern: PATH_PATTERN,
      default: '/*',
      description:
        'Exact, such as `/orders`; with parameters, each for one segment, such as `/orders/{id}`; or with `/*` at the end for the path and ' +
        'all below it, such as `/orders/*`.',
    },
    methods: {
      type: 'array',
      minItems: 1,
      maxItems: 16,
      uniqueItems: true,
      items: { type: 'string', pattern: '^[A-Z]+(?:-[A-Z]+)*$', maxLength: 32 },
      description: 'The methods, such as `GET`, which does not stand for `HEAD`. Without it, any.',
    },
    headers: {
      type: 'object',
      maxProperties: 16,
      additionalProperties: false,
      patternProperties: { [HEADER_NAME]: { type: 'string', maxLength: 1024 } },
      description: 'Header fields with the value that each has to have; `*` for any value.',
    },
    query: {
      type: 'object',
      maxProperties: 16,
      additionalProperties: { type: 'string', maxLength: 1024 },
      description: 'Query parameters with the value that each has to have, decoded; `*` for any value.',
    },
    scheme: {
      type: 'string',
      enum: ['http', 'https'],
      description: 'How the client is connected. Without it, either.',
    },
    upgrade: {
      type: 'string',
      enum: ['websocket', 'none'],
      description: 'Only WebSocket handshakes, or everything but these. Without it, both.',
    },
  },
  default: {},
} as const satisfies JSONSchema;
