import { Buffer } from 'node:buffer';
import type { Recording } from '../recording.ts';
import { askedOf } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import { eventsOf } from '../stage.ts';
import { origin, told } from './native-origin.ts';

/** WebSockets whose origin has WebSockets, with and without GRIP in them: handshakes, messages, pings. */
export const NATIVE_SOCKETS: readonly Scenario[] = [
  {
    name: 'a handshake to an origin with GRIP',
    async run(stage) {
      origin(stage, () => {});
      const options = {
        protocols: ['chat'],
        headers: { Cookie: 'a=1', 'X-Custom': '1', Origin: 'http://page' },
      };
      const client = await stage.socket(stage.path('?room=1'), options).opened();
      const {
        upgrade,
        'sec-websocket-protocol': protocol,
        'sec-websocket-extensions': extensions,
      } = client.handshake;
      const [{ headers }] = stage.asked;
      return {
        upgrade: String(upgrade).toLowerCase(),
        protocol: String(protocol),
        extensions: extensions === undefined ? null : String(extensions),
        url: stage.asked[0].url,
        asked: [
          'cookie',
          'x-custom',
          'origin',
          'sec-websocket-protocol',
          'sec-websocket-version',
          'sec-websocket-extensions',
        ].map((name) => `${name}: ${headers[name] ?? ''}`),
        isSigned: headers['grip-sig'] !== undefined,
      };
    },
  },
  {
    name: 'an origin without GRIP is passed through',
    run: (stage) =>
      told(
        stage,
        (socket) => {
          socket.send('m:as it is');
          socket.send('c:{"type":"detach"}');
          socket.send(Buffer.from([0, 1, 2]));
        },
        { extensions: null, end: 'end' },
      ),
  },
  {
    name: 'what has the prefix is for the client',
    run: (stage) =>
      told(stage, (socket) => {
        socket.send('m:one');
        socket.send('without a prefix');
        socket.send('m:two');
      }),
  },
  {
    name: 'another prefix',
    run: (stage) =>
      told(
        stage,
        (socket) => {
          socket.send('m:one');
          socket.send('to client:two');
        },
        { extensions: 'grip; message-prefix="to client:"', end: 'to client:end' },
      ),
  },
  {
    name: 'no prefix',
    run: (stage) =>
      told(stage, (socket) => socket.send('one'), { extensions: 'grip; message-prefix=""', end: 'end' }),
  },
  {
    name: 'binary messages of an origin with GRIP',
    run: (stage) =>
      told(stage, (socket) => {
        socket.send(Buffer.from('m:with'));
        socket.send(Buffer.from('without'));
      }),
  },
  {
    name: 'what a client sends arrives as it is',
    async run(stage) {
      origin(
        stage,
        () => {},
        (socket, text) => socket.send(`m:${text}`),
      );
      const client = await stage.socket().opened();
      for (const text of ['one', 'm:two', 'c:{"type":"subscribe","channel":"x"}', ''])
        client.socket.send(text);
      client.socket.send(Buffer.from('three'));
      client.socket.send('end');
      await client.until('"end"');
      return eventsOf(client);
    },
  },
  {
    name: 'long messages in both directions',
    async run(stage) {
      origin(
        stage,
        () => {},
        (socket, text) => socket.send(`m:${text.length} ${'y'.repeat(100_000)}`),
      );
      const client = await stage.socket().opened();
      client.socket.send('x'.repeat(100_000));
      await client.until('100000');
      return eventsOf(client).map((event) => ('text' in event ? event.text.length : -1));
    },
  },
  {
    name: 'a ping of the client',
    async run(stage) {
      const heard: string[] = [];
      origin(
        stage,
        (socket) => socket.on('ping', (data) => heard.push(data.toString())),
        (socket) => socket.send('m:end'),
      );
      const client = await stage.socket().opened();
      client.socket.ping('one');
      await client.until('pong');
      client.socket.send('go');
      await client.until('end');
      return { client: eventsOf(client), origin: heard };
    },
    differs: differs('ping-payloads', ['client.0.pong', '', 'one'], ['origin.0', '', 'one']),
  },
  {
    name: 'a ping of the origin',
    async run(stage) {
      let heard: ((data: string) => void) | undefined;
      const pong = new Promise<string>((resolve) => {
        heard = resolve;
      });
      origin(stage, (socket) => {
        socket.on('pong', (data) => heard?.(data.toString()));
        socket.ping('two');
      });
      const client = await stage.socket().opened();
      const answered = await pong;
      await client.until('ping');
      return { client: eventsOf(client), answered };
    },
    differs: differs('ping-payloads', ['client.0.ping', '', 'two'], ['answered', '', 'two']),
  },
  {
    name: 'an origin that refuses a WebSocket',
    async run(stage) {
      stage.answers(404, {});
      const refusal = await stage.socket().refused();
      return refusal as unknown as Recording;
    },
    differs: differs('refused-sockets', ['type', null, 'text/plain']),
  },
  {
    name: 'a WebSocket to an origin that refuses connections',
    async run(stage) {
      const refusal = await stage.socket(stage.path('', 'refused')).refused();
      return 'status' in refusal ? { status: refusal.status } : { status: 0 };
    },
  },
  {
    name: 'what the origin of a WebSocket is asked besides',
    async run(stage) {
      origin(stage, () => {});
      await stage
        .socket(stage.path(), { headers: { 'Grip-Last': 'x; last-id=1', 'Meta-User': 'root' } })
        .opened();
      const [asked] = askedOf(stage.asked) as readonly { readonly headers: Record<string, Recording> }[];
      const { 'sec-websocket-key': _, ...headers } = asked.headers;
      return headers;
    },
    differs: differs('meta-fields', ['meta-user', 'root', null]),
  },
];
