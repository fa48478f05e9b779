import type { JSONSchema } from 'json-schema-to-ts';

/** Lets browsers without WebSockets reach those of the origin. */
export const sockJsSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: {
      type: 'string',
      maxLength: 1024,
      pattern: '^(?:/[^/{}*?#\\u0000-\\u0020\\u007f]+)+$',
      description:
        'What clients of SockJS are given as address, such as `/chat`; all below it is theirs. It has to match the route.',
    },
    originPath: {
      type: 'string',
      maxLength: 1024,
      pattern: '^/[^{}*?#\\u0000-\\u0020\\u007f]*$',
      description:
        'The path of the WebSocket at the origin, for all clients. Without it, `path` and `/websocket`, which `rewrite` may change.',
    },
    clientUrl: {
      type: 'string',
      maxLength: 1024,
      pattern: '^(?:https?:/)?/[!#-;=?-~]*$',
      default: 'https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js',
      description:
        'Where old browsers load the client from, in the frame by which they reach another origin. It has to be of the same version as the page has.',
    },
  },
} as const satisfies JSONSchema;
