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

const TEXT: Json = { type: 'string' };

/** The messages and receipts of the public port, as docs/http.md and docs/publish.md describe them. */
export const PUBLIC_SCHEMAS: Json = {
  message: {
    ...objectOf(
      {
        channel: TEXT,
        cursor: { ...TEXT, description: 'The position after this message.' },
        id: TEXT,
        time: { ...TEXT, format: 'date-time' },
        datacontenttype: TEXT,
        data: { description: 'Data that are JSON or text.' },
        data_base64: { ...TEXT, description: 'All other data.' },
      },
      ['channel', 'cursor', 'id', 'time'],
    ),
    description: 'A message. Further members are the CloudEvents attributes that the publisher gave.',
    additionalProperties: true,
  },
  gap: objectOf({ gap: objectOf({ reason: TEXT, cursor: TEXT }) }),
  expiring: {
    ...objectOf({ expiring: objectOf({ expires: { ...TEXT, format: 'date-time' } }) }),
    description: 'The credential that the stream rests on ends soon, and the stream with it.',
  },
  receipt: objectOf({ channel: TEXT, id: TEXT, cursor: TEXT, duplicate: { type: 'boolean' } }),
  entry: {
    ...objectOf(
      {
        channel: TEXT,
        data: {},
        data_base64: TEXT,
        id: TEXT,
        source: TEXT,
        type: TEXT,
        datacontenttype: TEXT,
      },
      ['channel'],
    ),
    description: 'An event with its channel; with specversion a complete CloudEvent.',
    additionalProperties: true,
  },
  refusal: objectOf({
    error: objectOf(
      {
        code: TEXT,
        title: TEXT,
        detail: TEXT,
        retryable: { type: 'boolean' },
        retryAfterMs: { type: 'integer', description: 'When another try makes sense, where that is known.' },
      },
      ['code', 'title'],
    ),
  }),
  page: objectOf({
    messages: listOf({ anyOf: [schemaReference('message'), schemaReference('gap')] }),
    next: { ...TEXT, description: 'Where to go on: the value of `from` of the next request.' },
  }),
};

const CHANNEL = pathParameter(
  'channel',
  'The channel: the rest of the path, whose slashes stay as they are. In a subscription + stands for one segment and a final # (%23) for the rest.',
);
const FROM = queryParameter('from', 'latest, earliest, -N, an RFC 3339 time, or a cursor.', TEXT);
const SLOW = queryParameter('slow', 'What happens to a reader that does not keep pace.', {
  enum: ['resume', 'drop', 'close'],
  default: 'resume',
});
const ENVELOPE = queryParameter('envelope', 'How messages are wrapped.', { enum: ['json', 'cloudevents'] });
const MAX = queryParameter('max', 'The most messages in one answer.', { type: 'integer', minimum: 1 });
const WAIT = queryParameter('wait', 'How long a long-poll waits, in seconds.', {
  type: 'number',
  minimum: 0,
});
const PURGE = headerParameter(
  'Tidegate-Purge',
  'What is taken out of the cache of the gateway before: a list of url=…, prefix=… and surrogate-key=…, with quotes where there is a comma in a value. Takes the permission purge.',
);
const LAST_EVENT_ID = headerParameter('Last-Event-ID', 'The cursor to resume from; beats `from`.');

const stream = (schema: Json): Json => ({ schema });

/** The paths of the public port. */
export const PUBLIC_PATHS: Json = {
  '/v1/channels/{channel}': {
    parameters: [CHANNEL],
    post: {
      operationId: 'publish',
      tags: ['public'],
      summary: 'Publish the body as one message',
      parameters: [
        headerParameter('Idempotency-Key', 'The id of the event: a repeated one is stored once.'),
        PURGE,
      ],
      requestBody: { required: false, content: { '*/*': { schema: {} } } },
      responses: {
        200: answer('It is stored.', jsonContent(schemaReference('receipt'))),
        default: PROBLEM,
      },
    },
    get: {
      operationId: 'subscribe',
      tags: ['public'],
      summary: 'Subscribe: by Accept an event stream, lines of JSON or a long-poll; by Upgrade a WebSocket',
      parameters: [FROM, ENVELOPE, SLOW, WAIT, MAX, LAST_EVENT_ID],
      responses: {
        101: answer('A WebSocket.'),
        200: answer('Messages.', {
          content: {
            'text/event-stream': stream(TEXT),
            'application/x-ndjson': stream({
              anyOf: ['message', 'gap', 'expiring'].map(schemaReference),
            }),
            'application/json': { schema: schemaReference('page') },
          },
        }),
        304: answer('A long-poll that would bring the same empty answer again.'),
        default: PROBLEM,
      },
    },
  },
  '/v1/publish': {
    post: {
      operationId: 'publishMany',
      tags: ['public'],
      summary: 'Publish many messages',
      parameters: [PURGE],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { anyOf: [listOf(schemaReference('entry')), schemaReference('entry')] },
          },
          'application/cloudevents-batch+json': { schema: listOf(schemaReference('entry')) },
          'application/x-ndjson': stream(schemaReference('entry')),
        },
      },
      responses: {
        ...Object.fromEntries(
          [[200, 'All are stored.'] as const, [207, 'Some were refused.'] as const].map(
            ([status, description]) => [
              status,
              answer(
                description,
                jsonContent(
                  objectOf({
                    results: listOf({ anyOf: [schemaReference('receipt'), schemaReference('refusal')] }),
                  }),
                ),
              ),
            ],
          ),
        ),
        default: PROBLEM,
      },
    },
  },
  '/v1/sse': {
    get: {
      operationId: 'subscribeMany',
      tags: ['public'],
      summary: 'An event stream over several channels',
      parameters: [
        {
          ...queryParameter('channel', 'A channel or a pattern; may be repeated.', listOf(TEXT)),
          required: true,
        },
        FROM,
        ENVELOPE,
        SLOW,
        LAST_EVENT_ID,
      ],
      responses: { 200: answer('Messages.', content('text/event-stream', TEXT)), default: PROBLEM },
    },
  },
  '/v1/history/{channel}': {
    parameters: [CHANNEL],
    get: {
      operationId: 'history',
      tags: ['public'],
      summary: 'The messages that are stored, page by page',
      parameters: [FROM, ENVELOPE, MAX],
      responses: { 200: answer('A page.', jsonContent(schemaReference('page'))), default: PROBLEM },
    },
  },
};
