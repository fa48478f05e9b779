import type { RequestOptions } from '../http-client.ts';
import type { Recording } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import { type Stage, textOf } from '../stage.ts';
import { streamed } from './stream-holds.ts';

/** What the control port answers: without the words of errors, which each has its own of. */
async function said(stage: Stage, path: string, options: RequestOptions = {}): Promise<Recording> {
  const answer = await stage.control(path, options);
  const allow = answer.headers.allow === undefined ? null : String(answer.headers.allow);
  const type = String(answer.headers['content-type'] ?? '').split(';')[0];
  const { status, body } = answer;
  return { status, says: status === 200 ? body : '', type, allow };
}

const post = (body: string, headers: Record<string, string> = {}): RequestOptions => ({
  method: 'POST',
  body,
  headers,
});

const items = (...list: object[]): string => JSON.stringify({ items: list });

const INVALID: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['what is no JSON', 'nonsense'],
  ['a list', '[]'],
  ['no items', '{}'],
  ['items that are no list', '{"items":{}}'],
  ['an empty list of items', '{"items":[]}'],
  ['an item that is no object', '{"items":["x"]}'],
  ['an item without a channel', items({ 'http-stream': { content: 'x' } })],
  ['an item whose channel is a number', items({ channel: 1, 'http-stream': { content: 'x' } })],
  ['an item without a format', items({ channel: 'nowhere' })],
  ['a stream without content', items({ channel: 'nowhere', 'http-stream': {} })],
  ['content that is a number', items({ channel: 'nowhere', 'http-stream': { content: 1 } })],
  ['an unknown action', items({ channel: 'nowhere', 'http-stream': { action: 'dance', content: 'x' } })],
  ['a response without a body', items({ channel: 'nowhere', 'http-response': {} })],
  [
    'a response whose fields are a word',
    items({ channel: 'nowhere', 'http-response': { headers: 'a', body: 'x' } }),
  ],
  ['a patch that is no list', items({ channel: 'nowhere', 'http-response': { 'body-patch': {} } })],
  ['a message without content', items({ channel: 'nowhere', 'ws-message': {} })],
  [
    'a message of an unknown type',
    items({ channel: 'nowhere', 'ws-message': { type: 'poem', content: 'x' } }),
  ],
  [
    'two formats of which one is nothing',
    items({ channel: 'nowhere', 'ws-message': { content: 'x' }, 'http-stream': {} }),
  ],
  ['a prev-id without an id', items({ channel: 'nowhere', 'prev-id': '1', 'ws-message': { content: 'x' } })],
  ['an id that is a number', items({ channel: 'nowhere', id: 1, 'ws-message': { content: 'x' } })],
  ['meta that is a word', items({ channel: 'nowhere', meta: 'a', 'ws-message': { content: 'x' } })],
  [
    'content filters that are a word',
    items({ channel: 'nowhere', 'ws-message': { 'content-filters': 'a', content: 'x' } }),
  ],
];

/** What is refused by one of the two. */
const USELESS: readonly (readonly [string, string])[] = [
  ['an item with an unknown format alone', items({ channel: 'nowhere', formats: { fax: { content: 'x' } } })],
  [
    'a response whose code is a word',
    items({ channel: 'nowhere', 'http-response': { code: 'fine', body: 'x' } }),
  ],
  ['a response whose code is none', items({ channel: 'nowhere', 'http-response': { code: 99, body: 'x' } })],
  [
    'a response whose code has a fraction',
    items({ channel: 'nowhere', 'http-response': { code: 200.5, body: 'x' } }),
  ],
  ['base64 that is none', items({ channel: 'nowhere', 'ws-message': { 'content-bin': '%%%' } })],
];

/** What one of the two takes, although it would be lines of its own in the answer. */
const BROKEN: readonly (readonly [string, string])[] = [
  [
    'a field with a line break',
    items({ channel: 'nowhere', 'http-response': { headers: { A: 'b\r\nC: d' }, body: 'x' } }),
  ],
  [
    'a reason with a line break',
    items({ channel: 'nowhere', 'http-response': { reason: 'A\r\nC: d', body: 'x' } }),
  ],
];

const publishing =
  (explained: Scenario['differs']) =>
  ([name, body]: readonly [string, string]): Scenario => ({
    name: `publishing ${name}`,
    async run(stage) {
      const { status } = await stage.control('/publish', post(body));
      return { status };
    },
    differs: explained,
  });

const VALID = items({ channel: 'nobody', 'http-stream': { content: 'x' } });

/** The control port: its paths, methods, types and what it refuses. */
export const CONTROL_REQUESTS: readonly Scenario[] = [
  { name: 'publishing is answered in text', run: (stage) => said(stage, '/publish', post(VALID)) },
  { name: 'publishing with a slash at the end', run: (stage) => said(stage, '/publish/', post(VALID)) },
  {
    name: 'publishing is answered in JSON where that is asked for',
    async run(stage) {
      const { status, headers, body } = await stage.control(
        '/publish',
        post(VALID, { Accept: 'application/json' }),
      );
      const { message, ...others } = JSON.parse(body) as Record<string, unknown>;
      return {
        status,
        type: headers['content-type'] as string,
        message: message as string,
        others: Object.keys(others),
      };
    },
    differs: differs('early-answers', ['others.0', null, 'receivers'], ['others.1', null, 'items']),
  },
  {
    name: 'publishing with Accept application/json, text/plain',
    async run(stage) {
      const { headers } = await stage.control(
        '/publish',
        post(VALID, { Accept: 'application/json, text/plain' }),
      );
      return { type: String(headers['content-type']).split(';')[0] };
    },
    differs: differs('accepted-types', ['type', 'text/plain', 'application/json']),
  },
  ...['*/*', 'text/plain', 'text/*', 'application/*', 'image/png'].map((accept) => ({
    name: `publishing with Accept ${accept}`,
    async run(stage: Stage) {
      const { status, headers } = await stage.control('/publish', post(VALID, { Accept: accept }));
      return { status, type: String(headers['content-type']).split(';')[0] };
    },
  })),
  {
    name: 'publishing with any Content-Type',
    run: (stage) => said(stage, '/publish', post(VALID, { 'Content-Type': 'image/png' })),
  },
  ...INVALID.map(publishing([])),
  ...USELESS.map(publishing(differs('useless-items', ['status', 200, 400]))),
  ...BROKEN.map(publishing(differs('line-breaks', ['status', 200, 400]))),
  {
    name: 'one invalid item keeps all from being published',
    async run(stage) {
      stage.answers(200, {
        'Content-Type': 'text/plain',
        'Grip-Hold': 'stream',
        'Grip-Channel': stage.channel,
      });
      const stream = await stage.open();
      await stage.subscribed(stream);
      const { status } = await stage.control(
        '/publish',
        post(
          items({ channel: stage.channel, 'http-stream': { content: 'one' } }, { channel: stage.channel }),
        ),
      );
      await stage.publish({ 'http-stream': { content: 'end' } });
      await stream.until('end');
      return { status, text: textOf(stream) };
    },
  },
  {
    name: 'the root of the control port',
    run: (stage) => said(stage, '/'),
    differs: differs('greeting', ['says', 'Pushpin API\n', 'Tidegate, with the API of Pushpin\n']),
  },
  {
    name: 'recover',
    // It is for all streams that there are.
    isAlone: true,
    async run(stage) {
      stage.origin(({ url }, response) => {
        const link = `<${stage.path('?next')}>; rel=next; timeout=120`;
        response.writeHead(200, streamed(stage, { 'Grip-Link': link }));
        response.end(url.endsWith('?next') ? 'recovered\n' : 'first\n');
      });
      const stream = await stage.open();
      await stage.subscribed(stream);
      const { status, body } = await stage.control('/recover', { method: 'POST' });
      await stream.until('recovered\n');
      return { status, body };
    },
  },
  { name: 'recover by GET', run: (stage) => said(stage, '/recover') },
  { name: 'publish by GET', run: (stage) => said(stage, '/publish') },
  { name: 'publish by PUT', run: (stage) => said(stage, '/publish', { method: 'PUT', body: VALID }) },
  { name: 'publish by OPTIONS', run: (stage) => said(stage, '/publish', { method: 'OPTIONS' }) },
  { name: 'a path of the control port that does not exist', run: (stage) => said(stage, '/nothing') },
  {
    name: 'publishing more than a megabyte',
    async run(stage) {
      const item = { channel: 'nobody', 'http-stream': { content: 'x'.repeat(600_000) } };
      try {
        const { status } = await stage.control('/publish', post(items(item, item)));
        return { isTaken: status === 200 };
      } catch {
        // It was refused, and the connection closed, before all was sent: then the answer may be lost.
        return { isTaken: false };
      }
    },
    differs: differs('sizes', ['isTaken', false, true]),
  },
  {
    name: 'whether the control port keeps connections',
    async run(stage) {
      const { headers } = await stage.control('/publish', post(VALID, { Connection: 'keep-alive' }));
      return { connection: headers.connection === 'close' ? 'close' : 'keep-alive' };
    },
    differs: differs('kept-connections', ['connection', 'close', 'keep-alive']),
  },
];
