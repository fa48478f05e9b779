import { Buffer } from 'node:buffer';
import { differs, type Scenario } from '../scenario.ts';
import { eventsOf } from '../stage.ts';
import { control, event, origin, path, requests, subscribed, TYPE } from './over-http-origin.ts';

/** WebSockets whose origin answers requests: what it is asked, and what its answers do. */
export const OVER_HTTP_SOCKETS: readonly Scenario[] = [
  {
    name: 'OPEN over HTTP',
    async run(stage) {
      origin(stage, () => ({ headers: { 'Sec-WebSocket-Protocol': 'chat', 'Set-Cookie': 'a=1' } }));
      const client = await stage
        .socket(stage.path('?room=1', 'over-http'), {
          protocols: ['chat'],
          headers: { Cookie: 'b=2', 'X-Custom': '1' },
        })
        .opened();
      const [asked] = stage.asked;
      const names = [
        'accept',
        'content-type',
        'cookie',
        'x-custom',
        'sec-websocket-extensions',
        'sec-websocket-protocol',
        'sec-websocket-version',
        'upgrade',
        'content-length',
      ];
      return {
        method: asked.method,
        url: asked.url,
        body: asked.body,
        headers: names.map((name) => `${name}: ${asked.headers[name] ?? ''}`),
        hasConnectionId: asked.headers['connection-id'] !== undefined,
        isSigned: asked.headers['grip-sig'] !== undefined,
        protocol: String(client.handshake['sec-websocket-protocol']),
        cookie: client.handshake['set-cookie'] ?? null,
      };
    },
    differs: differs('handshake-fields', [
      'headers.6',
      'sec-websocket-version: 13',
      'sec-websocket-version: ',
    ]),
  },
  {
    name: 'messages over HTTP in both directions',
    async run(stage) {
      origin(stage, ({ body }) => {
        if (body.startsWith('TEXT')) return { body: event('TEXT', 'm:got text') };
        if (body.startsWith('BINARY')) return { body: event('BINARY', 'm:got binary') };
        return undefined;
      });
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('hello');
      await client.until('got text');
      client.socket.send(Buffer.from([1, 2, 3]));
      await client.until('got binary');
      return { client: eventsOf(client), origin: requests(stage, 'content-type', 'meta-none') };
    },
  },
  {
    name: 'the connection id stays',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: event('TEXT', 'm:end') } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('hello');
      await client.until('end');
      const [one, two] = stage.asked.map(({ headers }) => headers['connection-id']);
      return { isSame: one === two };
    },
  },
  {
    name: 'an origin over HTTP without GRIP',
    async run(stage) {
      origin(
        stage,
        ({ body }) =>
          body.startsWith('TEXT')
            ? {
                body:
                  event('TEXT', 'm:as it is') + event('TEXT', 'c:{"type":"detach"}') + event('TEXT', 'end'),
              }
            : undefined,
        {},
      );
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await client.until('end');
      return eventsOf(client);
    },
  },
  {
    name: 'published to a WebSocket over HTTP',
    async run(stage) {
      const client = await subscribed(stage, event('TEXT', 'm:welcome'));
      await stage.publish(
        { 'ws-message': { content: 'one' } },
        { 'ws-message': { 'content-bin': 'AAE=' } },
        { 'ws-message': { content: 'end' } },
      );
      await client.until('end');
      return eventsOf(client);
    },
  },
  {
    name: 'meta over HTTP',
    async run(stage) {
      origin(stage, ({ body }, turn) => {
        if (turn === 1) return { headers: { 'Set-Meta-User': 'ann', 'Set-Meta-Room': '7' } };
        if (turn === 2)
          return { body: event('TEXT', 'm:two'), headers: { 'Set-Meta-User': '', 'Set-Meta-Room': '8' } };
        return body.startsWith('TEXT') ? { body: event('TEXT', 'm:end') } : undefined;
      });
      const client = await stage
        .socket(path(stage), { headers: { 'Meta-User': 'root', 'Meta-Evil': '1' } })
        .opened();
      client.socket.send('a');
      await client.until('two');
      client.socket.send('b');
      await client.until('end');
      return requests(stage, 'meta-user', 'meta-room', 'meta-evil');
    },
  },
  {
    name: 'a ping of a client over HTTP',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: event('TEXT', 'm:end') } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.ping('one');
      await stage.untilAsked(2);
      client.socket.send('go');
      await client.until('end');
      return { client: eventsOf(client), origin: requests(stage) };
    },
    differs: differs(
      'answered-pings',
      ['client.0.text', 'end', null],
      ['client.0.pong', null, 'one'],
      ['client.1', null, { text: 'end' }],
    ),
  },
  {
    name: 'a ping of an origin over HTTP',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: event('PING', 'two') } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await stage.untilAsked(3);
      return { client: eventsOf(client), origin: requests(stage) };
    },
  },
  {
    name: 'fragments of a client come to the origin as one message',
    async run(stage) {
      origin(stage, ({ body }) => (body.startsWith('TEXT') ? { body: event('TEXT', 'm:end') } : undefined));
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('one ', { fin: false });
      client.socket.send('two', { fin: true });
      await client.until('end');
      return requests(stage);
    },
  },
  {
    name: 'an origin over HTTP is asked one thing at a time',
    async run(stage) {
      let open = 0;
      let openMost = 0;
      stage.origin((request, response, turn) => {
        open++;
        openMost = Math.max(open, openMost);
        response.once('finish', () => open--);
        const extensions = turn === 1 ? { 'Sec-WebSocket-Extensions': 'grip' } : {};
        const body = turn === 1 ? event('OPEN') : request.body.includes('last') ? event('TEXT', 'm:end') : '';
        // Answered later than it could be, so that more has come by then.
        setImmediate(() => response.writeHead(200, { 'Content-Type': TYPE, ...extensions }).end(body));
      });
      const client = await stage.socket(path(stage)).opened();
      for (const text of ['a', 'b', 'c', 'last']) client.socket.send(text);
      await client.until('end');
      return { openMost, events: stage.asked.map(({ body }) => body).join('') };
    },
  },
  {
    name: 'Keep-Alive-Interval below its minimum is accepted',
    async run(stage) {
      origin(stage, ({ body }) =>
        body.startsWith('TEXT')
          ? { body: event('TEXT', 'm:end'), headers: { 'Keep-Alive-Interval': '1' } }
          : undefined,
      );
      const client = await stage.socket(path(stage)).opened();
      client.socket.send('go');
      await client.until('end');
      return requests(stage);
    },
  },
  {
    name: 'detach over HTTP',
    async run(stage) {
      const client = await subscribed(stage, '', () => ({
        body: control({ type: 'detach' }) + event('TEXT', 'm:detached'),
      }));
      client.socket.send('go');
      await client.until('detached');
      await stage.publish({ 'ws-message': { content: 'end' } });
      await client.until('end');
      // The CLOSE comes some time after it.
      if (stage.side === 'pushpin') await stage.untilAsked(3);
      return { client: eventsOf(client), origin: requests(stage) };
    },
    differs: differs('told-of-detaching', ['origin.2', { method: 'POST', body: 'CLOSE\r\n' }, null]),
  },
  {
    name: 'Keep-Alive-Interval has the origin asked when nothing happens',
    async run(stage) {
      origin(stage, ({ body }) =>
        body.startsWith('OPEN')
          ? { headers: { 'Keep-Alive-Interval': '20' } }
          : { body: event('TEXT', 'm:end') },
      );
      const client = await stage.socket(path(stage)).opened();
      await client.until('end');
      return { client: eventsOf(client), origin: requests(stage) };
    },
  },
];
