import type { JSONSchema } from 'json-schema-to-ts';

const PARAMETER = '^[A-Za-z0-9_.~-]{1,64}$';

/** Which pages of other origins may use a route, and how. */
export const crossOriginSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    jsonp: {
      type: 'object',
      additionalProperties: false,
      properties: {
        mode: {
          type: 'string',
          enum: ['extended', 'basic'],
          default: 'extended',
          description:
            'What the callback is given: an object with `code`, `reason`, `headers` and `body`, or the body alone.',
        },
        callback: {
          type: 'string',
          pattern: PARAMETER,
          default: 'callback',
          description: 'The query parameter that names the function to call.',
        },
        body: {
          type: 'string',
          pattern: PARAMETER,
          description:
            'The query parameter with the body of the request, which is JSON. Without it, `_body`, of any type.',
        },
        defaultCallback: {
          type: 'string',
          maxLength: 128,
          description: 'What is called if the query names no function, but has the parameter of `body`.',
        },
        defaultMethod: {
          type: 'string',
          pattern: '^[A-Z]+(?:-[A-Z]+)*$',
          maxLength: 32,
          description: 'The method without `_method`. Default: `GET` in extended mode, `POST` in basic mode.',
        },
      },
      description: 'Answers requests with a callback in the query by a script that calls it (JSON-P).',
    },
  },
} as const satisfies JSONSchema;
