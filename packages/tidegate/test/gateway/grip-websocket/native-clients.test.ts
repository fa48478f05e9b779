import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { eventsOf } from '../../../src/gateway/grip/item-events.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { parsePublishItem } from '../../../src/wire/grip/index.ts';
import { acceptKey } from '../../../src/wire/websocket/index.ts';
import { publish } from '../../support/test-hub.ts';
import { type GatewayLab, type OriginServer, startGatewayLab, startOrigin } from './gateway-lab.ts';

/** What the origin accepts; null for no extension. */
let extension: string | null = 'grip';
let server: OriginServer;
let sockets: WebSocketServer;
let lab: GatewayLab;
/** What answers the next handshake in place of the WebSocket server. */
let instead: ((request: IncomingMessage, socket: Socket) => void) | null = null;

before(async () => {
  server = await startOrigin((_request, _body, response) => void response.writeHead(404).end('no'));
  sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true, handleProtocols: () => 'chat' });
  sockets.on('headers', (headers) => {
    if (extension !== null) headers.push(`Sec-WebSocket-Extensions: ${extension}`);
  });
  server.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (instead !== null) instead(request, socket);
    else sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
  });
  lab = await startGatewayLab({
    mode: 'native',
    origins: [server.port],
    limits: { webSocketCloseTimeoutMs: 200, memoryPartitionBytesMax: 64 * 1024 * 1024 },
  });
});
after(async () => {
  await lab.close();
  for (const socket of sockets.clients) socket.terminate();
  await server.close();
});
afterEach(() => {
  extension = 'grip';
  instead = null;
});

/** A client through the gateway, and the origin's end of it. */
async function open(): Promise<{ client: WebSocket; origin: WebSocket; request: IncomingMessage }> {
  const client = new WebSocket(`${lab.url}/chat`, 'chat', { headers: { 'Grip-Sig': 'forged' } });
  const [[origin, request]] = (await Promise.all([once(sockets, 'connection'), once(client, 'open')])) as [
    [WebSocket, IncomingMessage],
    unknown,
  ];
  return { client, origin, request };
}

async function message(socket: WebSocket): Promise<string> {
  const [data, isBinary] = await once(socket, 'message');
  return isBinary ? (data as Buffer).toString('hex') : String(data);
}

async function publishText(channel: string, content: string): Promise<void> {
  const item = { channel, formats: { 'ws-message': { content } } };
  await publish(lab.hub, ...eventsOf(parsePublishItem(item, resolveLimits())));
}

describe('An origin that accepts grip in a WebSocket of its own', () => {
  it('is offered grip and no other extension, and its signature', async () => {
    const { client, origin, request } = await open();
    assert.equal(request.headers['sec-websocket-extensions'], 'grip');
    assert.equal(request.headers['grip-sig'], 'signed');
    assert.equal(client.extensions, '');
    assert.equal(client.protocol, 'chat');
    client.close();
    await once(origin, 'close');
  });

  it('speaks to its client with the prefix, and hears it without', async () => {
    const { client, origin } = await open();
    const [first] = await Promise.all([message(origin), client.send('hello')]);
    assert.equal(first, 'hello');
    origin.send('not for the client');
    origin.send('m:hi');
    assert.equal(await message(client), 'hi');
    origin.send(Buffer.from('m:\x00'), { binary: true });
    assert.equal(await message(client), '00');
    const [binary] = await Promise.all([message(origin), client.send(Buffer.from([1]))]);
    assert.equal(binary, '01');
    client.close();
    await once(origin, 'close');
  });

  it('may agree on another prefix', async () => {
    extension = 'grip; message-prefix="x-"';
    const { client, origin } = await open();
    origin.send('m:no');
    origin.send('x-yes');
    assert.equal(await message(client), 'yes');
    client.close();
    await once(origin, 'close');
  });

  it('may send before the gateway listens', async () => {
    instead = (request, socket) => {
      const accept = acceptKey(String(request.headers['sec-websocket-key']));
      const frame = Buffer.concat([Buffer.from([0x81, 7]), Buffer.from('m:early')]);
      socket.write(
        Buffer.concat([
          Buffer.from(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Extensions: grip\r\n\r\n`,
          ),
          frame,
        ]),
      );
      socket.on('data', () => socket.destroy());
    };
    const client = new WebSocket(`${lab.url}/chat`);
    assert.equal(await message(client), 'early');
    client.send('go');
    const [code] = await once(client, 'close');
    assert.equal(code, 1013);
  });

  it('subscribes its client to channels, and detaches', async () => {
    const { client, origin } = await open();
    origin.send('c:{"type":"subscribe","channel":"news"}');
    origin.send('m:subscribed');
    assert.equal(await message(client), 'subscribed');
    await Promise.all([message(client), publishText('news', 'one')]);
    origin.send('c:{"type":"detach"}');
    const [code] = await once(origin, 'close');
    assert.equal(code, 1000);
    client.send('nobody hears this');
    const [two] = await Promise.all([message(client), publishText('news', 'two')]);
    assert.equal(two, 'two');
    const [payload] = await Promise.all([once(client, 'pong'), client.ping('still there')]);
    assert.equal(String(payload[0]), 'still there');
    client.close();
    await once(client, 'close');
  });

  it('exchanges pings and pongs with its client itself', async () => {
    const { client, origin } = await open();
    const [pong] = await Promise.all([once(origin, 'pong'), origin.ping('from the origin')]);
    assert.equal(String(pong[0]), 'from the origin');
    let pongs = 0;
    client.on('pong', () => pongs++);
    await Promise.all([once(client, 'pong'), client.ping('from the client')]);
    origin.send('m:after');
    await message(client);
    assert.equal(pongs, 1);
    client.close();
    await once(origin, 'close');
  });

  it('hears the code and reason with which its client closes', async () => {
    const { client, origin } = await open();
    client.close(4001, 'bye');
    const [code, reason] = await once(origin, 'close');
    assert.deepEqual([code, String(reason)], [4001, 'bye']);
  });

  it('closes its client with a code and reason', async () => {
    const { client, origin } = await open();
    const ends = lab.ends.length;
    origin.close(4002, 'enough');
    const [[code, reason]] = await Promise.all([once(client, 'close'), once(origin, 'close')]);
    assert.deepEqual([code, String(reason)], [4002, 'enough']);
    while (lab.ends.length === ends) await new Promise(setImmediate);
    assert.equal(lab.ends.length, ends + 1);
  });

  it('sees that its client is lost', async () => {
    const { client, origin } = await open();
    client.terminate();
    const [code] = await once(origin, 'close');
    assert.equal(code, 1006);
  });

  it('loses its client, which is told to come again, when it goes without a word', async () => {
    const { client, origin } = await open();
    origin.terminate();
    const [code, reason] = await once(client, 'close');
    assert.deepEqual([code, String(reason)], [1013, 'upstream_reset']);
  });

  it('is let go of if it does not answer a close frame', async () => {
    let ended: Promise<unknown> = Promise.resolve();
    instead = (request, socket) => {
      const accept = acceptKey(String(request.headers['sec-websocket-key']));
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Extensions: grip\r\n\r\n`,
      );
      socket.resume();
      socket.on('error', () => {});
      ended = once(socket, 'end').then(() => socket.destroy());
    };
    const client = new WebSocket(`${lab.url}/chat`);
    await once(client, 'open');
    client.close();
    await once(client, 'close');
    await ended;
  });

  it('fails its client if it breaks the protocol', async () => {
    const { client, origin } = await open();
    // A frame with a mask, which only clients may send.
    (origin as unknown as { _socket: Socket })._socket.write(Buffer.from([0x81, 0x80, 0, 0, 0, 0]));
    const [[code, reason]] = await Promise.all([once(client, 'close'), once(origin, 'close')]);
    assert.deepEqual([code, String(reason)], [1013, 'upstream_malformed']);
  });

  it('gets no more than it reads, and all of it', async () => {
    const { client, origin } = await open();
    const total = 200;
    let received = 0;
    const done = new Promise<void>((resolve) => {
      origin.on('message', () => {
        if (++received === total) resolve();
      });
    });
    origin.pause();
    const payload = Buffer.alloc(256 * 1024);
    for (let i = 0; i < total; i++) client.send(payload);
    // More than the kernel and the gateway take while nobody reads.
    await new Promise(setImmediate);
    assert.ok(client.bufferedAmount > 0);
    origin.resume();
    await done;
    client.close();
    await once(origin, 'close');
  });

  it('is not read faster than its client reads', async () => {
    const { client, origin } = await open();
    const total = 200;
    let received = 0;
    client.pause();
    const payload = Buffer.concat([Buffer.from('m:'), Buffer.alloc(256 * 1024)]);
    for (let i = 0; i < total; i++) origin.send(payload);
    await new Promise(setImmediate);
    assert.ok(origin.bufferedAmount > 0);
    const done = new Promise<void>((resolve) => {
      client.on('message', () => {
        if (++received === total) resolve();
      });
    });
    client.resume();
    await done;
    client.close();
    await once(origin, 'close');
  });
});

describe('An origin that does not accept grip', () => {
  it('has a plain tunnel to its client', async () => {
    extension = null;
    const { client, origin } = await open();
    const [hello] = await Promise.all([message(origin), client.send('hello')]);
    assert.equal(hello, 'hello');
    const [told] = await Promise.all([message(client), origin.send('c:{"type":"detach"}')]);
    assert.equal(told, 'c:{"type":"detach"}');
    client.close(4000);
    const [code] = await once(origin, 'close');
    assert.equal(code, 4000);
  });
});

describe('A handshake that an origin answers wrongly', () => {
  for (const [what, fields] of [
    ['with extensions that were not offered', { 'Sec-WebSocket-Extensions': 'grip, permessage-deflate' }],
    ['with grip twice', { 'Sec-WebSocket-Extensions': 'grip, grip' }],
    ['with an extension that is only called alike', { 'Sec-WebSocket-Extensions': 'x-grip' }],
    ['with a proof that is none', { 'Sec-WebSocket-Extensions': 'grip', 'Sec-WebSocket-Accept': 'forged' }],
  ] as const) {
    it(`is a bad gateway: ${what}`, async () => {
      let ended: Promise<unknown> = Promise.resolve();
      instead = (request, socket) => {
        const accept = acceptKey(String(request.headers['sec-websocket-key']));
        const head = { 'Sec-WebSocket-Accept': accept, ...fields };
        const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines.join('')}\r\n`,
        );
        socket.resume();
        socket.on('error', () => {});
        ended = once(socket, 'end').then(() => socket.destroy());
      };
      const client = new WebSocket(`${lab.url}/chat`);
      const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
      assert.equal(response.statusCode, 502);
      client.on('error', () => {});
      client.terminate();
      await ended;
    });
  }
});
