import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type ClientOptions, WebSocket as WsClient } from 'ws';
import { EchoConnection } from '../../../../../examples/echo/echo-connection.ts';
import { startEchoServer } from '../../../../../examples/echo/echo-server.ts';
import type { Listener } from '../../../src/listeners/port.ts';
import { encodeFrame, ReceiverPool, TEXT_FRAME } from '../../../src/wire/websocket/index.ts';
import { RawClient } from '../../edges/requests.ts';
import { FakeTransport } from '../../edges/websocket/fakes.ts';
import { clientFrame, SERVER } from './recorder.ts';

let plain: Listener;
let compressing: Listener;

before(async () => {
  plain = await startEchoServer({ port: 0, compression: 'none', messageBytesMax: 1 << 20 });
  compressing = await startEchoServer({ port: 0, compression: 'deflate', messageBytesMax: 1 << 20 });
});
after(() => Promise.all([plain.drain(1000), compressing.drain(1000)]));

const urlOf = (listener: Listener): string => `ws://127.0.0.1:${listener.port}/`;

async function connected(listener: Listener, options: ClientOptions): Promise<WsClient> {
  const client = new WsClient(urlOf(listener), options);
  await once(client, 'open');
  return client;
}

/** Sends everything at once and resolves with what came back, in hex, with `t` before texts. */
async function echoed(
  client: WsClient,
  messages: readonly (string | Uint8Array)[],
): Promise<readonly string[]> {
  const received: string[] = [];
  const all = new Promise<void>((resolve) => {
    const take = (data: Buffer, isBinary: boolean): void => {
      received.push(isBinary ? data.toString('hex') : `t${data}`);
      if (received.length < messages.length) return;
      client.off('message', take);
      resolve();
    };
    client.on('message', take);
  });
  for (const message of messages) client.send(message);
  await all;
  return received;
}

const expected = (message: string | Uint8Array): string =>
  typeof message === 'string' ? `t${message}` : Buffer.from(message).toString('hex');

const message = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.uint8Array({ maxLength: 2000 }),
  fc.integer({ min: 60_000, max: 200_000 }).map((length) => Buffer.alloc(length, 0x61)),
);

describe('The echo example and the ws package', () => {
  for (const [name, listener, options] of [
    ['without compression', () => plain, { perMessageDeflate: true }],
    ['with compression', () => compressing, { perMessageDeflate: { threshold: 0 } }],
    [
      'with compression in small windows',
      () => compressing,
      { perMessageDeflate: { threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9 } },
    ],
  ] as const) {
    it(`exchange any messages ${name}`, async () => {
      const client = await connected(listener(), options);
      assert.equal(client.extensions, listener() === plain ? '' : 'permessage-deflate');
      const property = fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 20 }),
        async (messages) => {
          assert.deepEqual(await echoed(client, messages), messages.map(expected));
        },
      );
      await fc.assert(property, { numRuns: 40 });
      client.close(1000, 'done');
      const [code] = await once(client, 'close');
      assert.equal(code, 1000);
    });
  }

  it('agree on fragments, pings and the closing handshake', async () => {
    const client = await connected(plain, {});
    const received: string[] = [];
    client.on('message', (data: Buffer) => received.push(`message ${data}`));
    client.on('pong', (data: Buffer) => received.push(`pong ${data}`));
    client.send('a', { fin: false });
    client.ping('p');
    client.send('b', { fin: false });
    client.send('c', { fin: true });
    client.close(3999, 'enough');
    const [code, reason] = await once(client, 'close');
    assert.deepEqual(received, ['pong p', 'message abc']);
    assert.deepEqual([code, String(reason)], [3999, '']);
  });

  it('agree that a message is too large', async () => {
    const client = await connected(plain, {});
    client.send(Buffer.alloc((1 << 20) + 1));
    const [code, reason] = await once(client, 'close');
    assert.deepEqual([code, String(reason)], [1009, 'message too large']);
  });
});

describe('The echo example', () => {
  it("serves Node's own WebSocket client", async () => {
    const client = new WebSocket(urlOf(compressing));
    await once(client, 'open');
    client.send('größe');
    const [{ data }] = await once(client, 'message');
    assert.equal(data, 'größe');
    client.close();
    const [{ code, wasClean }] = await once(client, 'close');
    assert.deepEqual([code, wasClean], [1005, true]);
  });

  it('tells clients to come back when it shuts down', async () => {
    const server = await startEchoServer({ port: 0, compression: 'none', messageBytesMax: 1000 });
    const client = await connected(server, {});
    const closed = once(client, 'close');
    await server.drain(5000);
    assert.equal((await closed)[0], 1012);
  });

  it('stops reading from a client that does not read, and goes on when it does', () => {
    const transport = new FakeTransport();
    const connection = new EchoConnection(new ReceiverPool(SERVER), null);
    connection.open(transport);
    transport.room = false;
    connection.received(clientFrame(TEXT_FRAME, 'a'));
    assert.equal(transport.paused, true);
    connection.drained();
    assert.equal(transport.paused, false);
    assert.deepEqual(transport.frames(), ['text a']);
  });

  it('names the version that it speaks to clients of another', async () => {
    const client = new RawClient(plain.port);
    client.send(
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const answer = await client.until(/\r\n\r\n/);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /\r\nsec-websocket-version: 13\r\n/i);
    await client.close();
  });

  it('closes, and does not crash, upon frames without mask sent ahead of its answer', async () => {
    const client = new RawClient(plain.port);
    client.send(
      Buffer.concat([
        Buffer.from(
          'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
        ),
        encodeFrame(TEXT_FRAME, Buffer.from('hello')),
      ]),
    );
    await client.untilEnd();
    assert.match(client.text, /^HTTP\/1\.1 101 /);
    assert.ok(client.text.endsWith('\r\n\r\n\x88\x14\x03\xeaframe without mask'));
    await client.close();
  });
});
