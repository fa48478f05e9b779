import { ERRORS } from '../kernel/index.ts';
import { ACTION_PATHS } from './openapi-actions.ts';
import {
  answer,
  content,
  headerParameter,
  type Json,
  jsonContent,
  listOf,
  objectOf,
  PROBLEM,
  pathParameter,
  queryParameter,
  schemaReference,
} from './openapi-parts.ts';
import { PUBLIC_PATHS, PUBLIC_SCHEMAS } from './openapi-public.ts';
import type { ResourceKind } from './port.ts';

const TEXT: Json = { type: 'string' };
const VERSION: Json = {
  type: 'integer',
  minimum: 0,
  description: 'Grows with every change and is never used again; 0 for what is not stored.',
};
const POSITION: Json = { type: 'integer', minimum: 0, description: 'How far the stored changes are in it.' };

/** The name of a kind's schema in the document: `Topic`, and `TopicSpec` for its spec. */
const titleOf = (kind: string): string => kind[0].toUpperCase() + kind.slice(1);

const ERROR_SCHEMA: Json = {
  ...objectOf(
    {
      type: TEXT,
      title: TEXT,
      status: { type: 'integer' },
      detail: TEXT,
      code: { enum: Object.keys(ERRORS), description: 'Stable: what programs decide on.' },
      retryable: { type: 'boolean' },
      hint: TEXT,
    },
    ['type', 'title', 'status', 'code', 'retryable', 'hint'],
  ),
  description: 'Problem details (RFC 9457).',
};

const DIFFERENCE: Json = objectOf({
  kind: TEXT,
  name: TEXT,
  action: { enum: ['create', 'update', 'delete', 'unchanged'] },
  before: { type: ['object', 'null'] },
  after: { type: ['object', 'null'] },
});

const CHANGE_SET: Json = {
  ...objectOf(
    {
      position: POSITION,
      id: TEXT,
      who: TEXT,
      at: { ...TEXT, format: 'date-time' },
      changes: listOf(
        objectOf({ kind: TEXT, name: TEXT, spec: { type: ['object', 'null'] }, version: VERSION }),
      ),
    },
    ['position'],
  ),
  description: 'A change set that took effect; the first one of a stream has a position only.',
};

function kindSchemas({ kind, schema, description }: ResourceKind): Json {
  const title = titleOf(kind);
  return {
    [`${title}Spec`]: schema,
    [title]: {
      ...objectOf(
        {
          kind: { const: kind },
          name: TEXT,
          spec: schemaReference(`${title}Spec`),
          version: VERSION,
          source: { enum: ['config', 'stored', 'undeclared'] },
          status: {},
        },
        ['kind', 'name', 'spec', 'version', 'source'],
      ),
      description,
    },
  };
}

/** The verbs of one kind. */
function kindPaths({ kind, namePattern }: ResourceKind): Json {
  const title = titleOf(kind);
  const resource = jsonContent(schemaReference(title));
  const ifMatch = headerParameter('If-Match', 'The ETag that the resource has to have.');
  const name = pathParameter('name', `The name of the ${kind}.`, { type: 'string', pattern: namePattern });
  return {
    [`/api/${kind}`]: {
      get: {
        operationId: `list${title}`,
        tags: ['admin'],
        summary: `List the resources of the kind ${kind}`,
        responses: {
          200: answer(
            'All of them.',
            jsonContent(objectOf({ items: listOf(schemaReference(title)), position: POSITION })),
          ),
          default: PROBLEM,
        },
      },
    },
    [`/api/${kind}/{name}`]: {
      parameters: [name],
      get: {
        operationId: `get${title}`,
        tags: ['admin'],
        summary: `Get one ${kind}`,
        responses: { 200: answer('It, with its ETag.', resource), default: PROBLEM },
      },
      put: {
        operationId: `put${title}`,
        tags: ['admin'],
        summary: `Create or replace a ${kind}`,
        parameters: [ifMatch, headerParameter('If-None-Match', '* to create only.')],
        requestBody: {
          required: true,
          ...jsonContent(
            objectOf({ kind: { const: kind }, name: TEXT, spec: schemaReference(`${title}Spec`) }, ['spec']),
          ),
        },
        responses: {
          200: answer('Replaced, or as it was.', resource),
          201: answer('Created.', resource),
          default: PROBLEM,
        },
      },
      delete: {
        operationId: `delete${title}`,
        tags: ['admin'],
        summary: `Delete a ${kind}`,
        parameters: [ifMatch],
        responses: { 204: answer('Deleted.'), default: PROBLEM },
      },
    },
  };
}

/** What is there whatever kinds there are. */
function commonPaths(kinds: readonly ResourceKind[]): Json {
  const declared = kinds.map(({ kind }) => {
    const title = titleOf(kind);
    const members = {
      kind: { const: kind },
      name: TEXT,
      spec: schemaReference(`${title}Spec`),
      version: VERSION,
    };
    return objectOf(members, ['kind', 'name', 'spec']);
  });
  const deleted = objectOf({ kind: TEXT, name: TEXT, version: VERSION }, ['kind', 'name']);
  const get = (operationId: string, summary: string, response: Json, more: Json = {}): Json => ({
    get: { operationId, tags: ['admin'], summary, ...more, responses: { 200: response, default: PROBLEM } },
  });
  const form = jsonContent(objectOf({ resources: listOf({ anyOf: declared }), delete: listOf(deleted) }, []));
  const result = objectOf({
    dryRun: { type: 'boolean' },
    position: POSITION,
    differences: listOf(schemaReference('difference')),
  });
  const schema = objectOf({ kind: TEXT, description: TEXT, namePattern: TEXT, schema: { type: 'object' } });
  return {
    '/healthz': get(
      'health',
      'Whether the process lives',
      answer('It does.', jsonContent({ type: 'object' })),
    ),
    '/readyz': get(
      'readiness',
      'Whether clients should be sent here',
      answer('Yes.', jsonContent({ type: 'object' })),
    ),
    '/metrics': get(
      'metrics',
      'Figures in the text format of Prometheus',
      answer('They are.', content('text/plain', TEXT)),
    ),
    '/api/apply': {
      post: {
        operationId: 'apply',
        tags: ['admin'],
        summary: 'Change many resources: all, or none',
        parameters: [
          queryParameter('dryRun', 'Only says what would change.', { type: 'boolean', default: false }),
        ],
        requestBody: { required: true, ...form },
        responses: { 200: answer('What changed, or would.', jsonContent(result)), default: PROBLEM },
      },
    },
    ...ACTION_PATHS,
    '/api/watch': get(
      'watch',
      'The changes as they take effect',
      answer('A stream that does not end by itself.', {
        content: {
          'application/x-ndjson': { schema: schemaReference('changeSet') },
          'text/event-stream': { schema: TEXT },
        },
      }),
      { parameters: [queryParameter('from', 'The position to begin after; now unless given.', POSITION)] },
    ),
    '/api/schemas': get(
      'listSchemas',
      'The kinds of resources with their schemas',
      answer('All of them.', jsonContent(objectOf({ items: listOf(schema) }))),
    ),
    '/api/schemas/{kind}': {
      parameters: [pathParameter('kind', 'The kind.')],
      ...get(
        'getSchema',
        'The JSON Schema of the specs of one kind',
        answer('The schema.', jsonContent({ type: 'object' })),
      ),
    },
    '/api/openapi.json': get('openApi', 'This document', answer('It.', jsonContent({ type: 'object' }))),
  };
}

/** Gives every path of one port the server that it is found on. */
function on(server: Json, paths: Json): Json {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [path, { servers: [server], ...(item as Json) }]),
  );
}

/** The admin API and the public API as an OpenAPI 3.1 document, made of the schemas that requests are checked by. */
export function openApiDocument(kinds: readonly ResourceKind[], version: string): Json {
  const admin = { url: 'http://127.0.0.1:8081', description: 'The admin port.' };
  const publicPort = { url: 'http://127.0.0.1:8080', description: 'The public port.' };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidegate',
      version,
      description: 'Publish and subscribe on the public port, run the server on the admin port.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [publicPort],
    tags: [
      { name: 'public', description: 'Publishing and subscribing.' },
      { name: 'admin', description: 'Resources, health and figures.' },
    ],
    paths: {
      ...on(publicPort, PUBLIC_PATHS),
      ...on(admin, commonPaths(kinds)),
      ...on(admin, Object.assign({}, ...kinds.map(kindPaths))),
    },
    components: {
      schemas: {
        problem: ERROR_SCHEMA,
        difference: DIFFERENCE,
        changeSet: CHANGE_SET,
        ...PUBLIC_SCHEMAS,
        ...Object.assign({}, ...kinds.map(kindSchemas)),
      },
      responses: {
        problem: answer('What went wrong.', content('application/problem+json', schemaReference('problem'))),
      },
    },
  };
}
