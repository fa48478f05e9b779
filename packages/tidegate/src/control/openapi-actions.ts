import {
  answer,
  type Json,
  jsonContent,
  listOf,
  objectOf,
  PROBLEM,
  schemaReference,
} from './openapi-parts.ts';

const TEXT: Json = { type: 'string' };

const RELOADED: Json = objectOf({
  differences: listOf(schemaReference('difference')),
  hidden: listOf(objectOf({ kind: TEXT, name: TEXT })),
  restart: listOf({ ...TEXT, description: 'A key of the file, such as limits.routesMax.' }),
});

/** What the server is told to do, apart from what its resources say. */
export const ACTION_PATHS: Json = {
  '/api/purge': {
    post: {
      operationId: 'purge',
      tags: ['admin'],
      summary: 'Take responses out of the cache of the gateway',
      description:
        'One of the three members. What is named is served from no process any more once this is answered.',
      requestBody: {
        required: true,
        ...jsonContent({
          type: 'object',
          properties: { url: TEXT, prefix: TEXT, surrogateKey: TEXT },
          minProperties: 1,
          maxProperties: 1,
          additionalProperties: false,
        }),
      },
      responses: {
        200: answer(
          'How many responses are out, and whether more are still being taken out.',
          jsonContent(objectOf({ responses: { type: 'integer' }, state: { enum: ['done', 'sweeping'] } })),
        ),
        default: PROBLEM,
      },
    },
  },
  '/api/reload': {
    post: {
      operationId: 'reload',
      tags: ['admin'],
      summary: 'Read the config file and the certificates anew',
      responses: {
        200: answer('What has changed, and what takes effect at the next start.', jsonContent(RELOADED)),
        default: PROBLEM,
      },
    },
  },
};
