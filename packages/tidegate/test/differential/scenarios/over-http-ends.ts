import type { Recording } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import { eventsOf, type Stage } from '../stage.ts';
import { close, event, origin, path, requests, TYPE } from './over-http-origin.ts';

/** How WebSockets end whose origin answers requests, or are refused. */
export const OVER_HTTP_ENDS: readonly Scenario[] = [
  {
    name: 'the client of a WebSocket over HTTP closes',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('CLOSE') ? { body } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.close(4004, 'leaving');
      await client.closed();
      await stage.untilAsked(2);
      return { client: eventsOf(client), origin: requests(stage) };
    },
    differs: differs('close-answers', ['client.0.reason', 'leaving', '']),
  },
  {
    name: 'the client of a WebSocket over HTTP closes without a code',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('CLOSE') ? { body } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.close();
      await client.closed();
      await stage.untilAsked(2);
      return { client: eventsOf(client), origin: requests(stage) };
    },
    differs: differs('no-close-code', ['client.0.close', 1000, 1005]),
  },
  {
    name: 'the client of a WebSocket over HTTP is cut off',
    async run(stage) {
      origin(stage, () => undefined);
      const client = await stage.socket(path(stage)).opened();
      client.socket.terminate();
      await stage.untilAsked(2);
      return requests(stage);
    },
  },
  {
    name: 'the origin closes over HTTP',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: close(4005, 'enough') } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
  },
  {
    name: 'the origin closes over HTTP without a code',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: event('CLOSE') } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
    differs: differs('no-close-code', ['0.close', 1000, 1005]),
  },
  {
    name: 'the origin closes over HTTP with a code that must not be sent',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: close(0, '') } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
    differs: differs('close-codes', ['0.close', 1006, 1000]),
  },
  {
    name: 'the origin disconnects over HTTP',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: event('DISCONNECT') } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
  },
  {
    name: 'an origin over HTTP that refuses',
    async run(stage) {
      stage.answers(403, { 'Content-Type': 'text/plain', 'Content-Length': '2' }, 'no');
      return (await stage.socket(path(stage)).refused()) as unknown as Recording;
    },
  },
  {
    name: 'an origin over HTTP that answers with another type',
    async run(stage) {
      stage.answers(200, { 'Content-Type': 'text/plain', 'Content-Length': '3' }, 'yes');
      return (await stage.socket(path(stage)).refused()) as unknown as Recording;
    },
  },
  ...[
    ['with events that cannot be read', 'nonsense'],
    ['without OPEN', event('TEXT', 'm:hello')],
    ['with nothing', ''],
  ].map(([name, body]) => ({
    name: `an origin over HTTP that answers ${name}`,
    async run(stage: Stage) {
      stage.answers(200, { 'Content-Type': TYPE }, body);
      const refusal = await stage.socket(path(stage)).refused();
      return 'status' in refusal ? { status: refusal.status } : { status: 0 };
    },
  })),
  {
    name: 'an origin over HTTP that fails later on',
    async run(stage) {
      origin(stage, ({ body }) =>
        body.startsWith('TEXT') ? { status: 500, headers: { 'Content-Type': 'text/plain' } } : undefined,
      );
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
    differs: differs('failed-sockets', ['0.close', 1006, 1013], ['0.reason', '', 'upstream_malformed']),
  },
  {
    name: 'an origin over HTTP that answers nonsense later on',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: 'nonsense' } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
    differs: differs('failed-sockets', ['0.close', 1006, 1011], ['0.reason', '', 'grip_instruct_invalid']),
  },
  {
    name: 'a WebSocket over HTTP to an origin that refuses connections',
    async run(stage) {
      stage.answers(200, {});
      const refusal = await stage.socket(stage.path('', 'refused-over-http')).refused();
      return 'status' in refusal ? { status: refusal.status } : { status: 0 };
    },
  },
  {
    name: 'a client that makes such requests itself',
    async run(stage) {
      stage.answers(200, { 'Content-Type': TYPE }, event('OPEN'));
      const answer = await stage.request(path(stage), {
        method: 'POST',
        headers: { 'Content-Type': TYPE, Accept: TYPE, 'Connection-Id': '1' },
        body: event('OPEN'),
      });
      return { status: answer.status, asked: stage.asked.length };
    },
  },
  {
    name: 'a plain request on a route over HTTP',
    async run(stage) {
      stage.answers(200, { 'Content-Type': 'text/plain', 'Content-Length': '4' }, 'fine');
      const { status, body } = await stage.request(path(stage));
      return { status, body };
    },
  },
];
