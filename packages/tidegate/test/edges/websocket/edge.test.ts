import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { type ClientOptions, WebSocket as WsClient } from 'ws';
import { TEXT_FRAME } from '../../../src/wire/websocket/index.ts';
import { clientFrame } from '../../wire/websocket/recorder.ts';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { type Delivered, post, RawClient, stored } from '../requests.ts';

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({
    websocket: { compression: true },
    limits: { webSocketMessageBytesMax: 4096 },
  });
});
after(() => server.close());

/** A client that keeps what it gets until it is asked for. */
class Client {
  readonly socket: WsClient;
  readonly closed: Promise<string>;
  #received: string[] = [];
  #wake: (() => void) | null = null;

  constructor(socket: WsClient) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#received.push(isBinary ? `binary ${data.toString('hex')}` : String(data));
      this.#wake?.();
    });
    this.closed = once(socket, 'close').then(([code, reason]) => `${code} ${reason}`);
  }

  static async open(to: EdgeServer, path: string, options: ClientOptions = {}): Promise<Client> {
    const client = new Client(new WsClient(`ws://127.0.0.1:${to.port}/v1/channels/${path}`, options));
    await once(client.socket, 'open');
    return client;
  }

  /** The next `count` messages. */
  async take(count: number): Promise<readonly string[]> {
    while (this.#received.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#received.splice(0, count);
  }

  async takeJson(count: number): Promise<readonly Delivered[]> {
    return (await this.take(count)).map((text) => JSON.parse(text) as Delivered);
  }
}

/** Opens a client that is refused, and resolves with the status, the code and the headers of the answer. */
async function refused(path: string, headers: Record<string, string> = {}): Promise<string> {
  const client = new WsClient(`ws://127.0.0.1:${server.port}/v1/channels/${path}`, { headers });
  client.on('error', () => {});
  const [, response] = await once(client, 'unexpected-response');
  const chunks: Buffer[] = await response.toArray();
  return `${response.statusCode} ${JSON.parse(Buffer.concat(chunks).toString()).code}`;
}

describe('A channel over WebSocket', () => {
  it('delivers what is published, as it was published', async () => {
    const client = await Client.open(server, 'bare/a');
    await post(server, '/v1/channels/bare/a', 'größe\r\n', { 'content-type': 'text/plain' });
    await post(server, '/v1/channels/bare/a', '{ "a": 1.0 }', { 'content-type': 'application/json' });
    await post(server, '/v1/channels/bare/a', Buffer.of(0, 0xff), {
      'content-type': 'application/octet-stream',
    });
    await post(server, '/v1/channels/bare/a', undefined);
    assert.deepEqual(await client.take(4), ['größe\r\n', '{ "a": 1.0 }', 'binary 00ff', 'binary ']);
    client.socket.close();
    await client.closed;
  });

  it('publishes what a client sends, to itself too', async () => {
    const client = await Client.open(server, 'chat/a');
    const other = await Client.open(server, 'chat/%2B?envelope=json');
    client.socket.send('hello');
    client.socket.send('{"a":1}');
    client.socket.send(Buffer.of(0, 0xff));
    assert.deepEqual(await client.take(3), ['hello', '{"a":1}', 'binary 00ff']);
    const wrapped = await other.takeJson(3);
    assert.deepEqual(
      wrapped.map(({ data, data_base64, datacontenttype }) => [data, data_base64, datacontenttype]),
      [
        ['hello', undefined, undefined],
        [{ a: 1 }, undefined, undefined],
        [undefined, 'AP8=', 'application/octet-stream'],
      ],
    );
    const kept = await stored(server, 'chat/a');
    assert.deepEqual(kept.map(({ cursor }) => cursor).length, 3);
    client.socket.terminate();
    other.socket.terminate();
  });

  it('resumes from a cursor without loss and without repeats', async () => {
    const first = await Client.open(server, 'resume/a?envelope=json&from=latest');
    for (const text of ['1', '2', '3']) first.socket.send(text);
    const [, second] = await first.takeJson(3);
    first.socket.terminate();
    await post(server, '/v1/channels/resume/a', '4', { 'content-type': 'text/plain' });
    const resumed = await Client.open(server, `resume/a?from=${second.cursor}`);
    assert.deepEqual(await resumed.take(2), ['3', '4']);
    resumed.socket.terminate();
  });

  it('keeps the order of thousands of messages sent at once', async () => {
    const client = await Client.open(server, 'many/a');
    const sent = Array.from({ length: 5000 }, (_, i) => `message ${i}`);
    for (const text of sent) client.socket.send(text);
    assert.deepEqual(await client.take(sent.length), sent);
    client.socket.terminate();
  });

  it('is the same for those who compress and those who do not', async () => {
    const plain = await Client.open(server, 'both/a', { perMessageDeflate: false });
    const small = await Client.open(server, 'both/a', {
      perMessageDeflate: { serverMaxWindowBits: 9, threshold: 0 },
    });
    const large = await Client.open(server, 'both/a', { perMessageDeflate: { threshold: 0 } });
    assert.deepEqual(
      [plain, small, large].map(({ socket }) => socket.extensions),
      ['', 'permessage-deflate', 'permessage-deflate'],
    );
    const text = 'the tide comes in, the tide goes out, '.repeat(40);
    large.socket.send(text);
    for (const client of [plain, small, large]) {
      assert.deepEqual(await client.take(1), [text]);
      client.socket.terminate();
    }
  });

  it("works with Node's own client", async () => {
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/v1/channels/node/a?envelope=json`);
    await once(client, 'open');
    client.send('hello');
    const [{ data }] = await once(client, 'message');
    assert.equal(JSON.parse(data).data, 'hello');
    client.close(1000);
    const [{ code, wasClean }] = await once(client, 'close');
    assert.deepEqual([code, wasClean], [1000, true]);
  });
});

describe('A wildcard over WebSocket', () => {
  it('cannot be published to: told in a frame with an envelope, by the close code without', async () => {
    const wrapped = await Client.open(server, 'w/%23?envelope=cloudevents');
    wrapped.socket.send('x');
    const [told] = await wrapped.take(1);
    assert.equal(JSON.parse(told).error.code, 'channel_not_publishable');
    await post(server, '/v1/channels/w/a', 'still here');
    assert.equal((await wrapped.takeJson(1))[0].channel, 'w/a');
    wrapped.socket.terminate();

    const bare = await Client.open(server, 'w/%23');
    bare.socket.send('x');
    assert.match(await bare.closed, /^4400 channel_not_publishable/);
  });
});

describe('A gap over WebSocket', () => {
  it('is a frame with an envelope, and the close code 4410 without, with the cursor to go on from', async () => {
    const { body } = await post(server, '/v1/channels/gap/a', 'one');
    const elsewhere = String(body.cursor).replace(/~[^~]+~/, '~AAAAAAAAAAAA~');
    const wrapped = await Client.open(server, `gap/a?envelope=json&from=${elsewhere}`);
    const [told] = await wrapped.takeJson(1);
    assert.equal(told.gap?.reason, 'other_epoch');
    wrapped.socket.terminate();

    const bare = await Client.open(server, `gap/a?from=${elsewhere}`);
    const [, code, cursor] = /^([0-9]+) (.*)$/.exec(await bare.closed)!;
    assert.equal(code, '4410');
    assert.equal(cursor, told.gap?.cursor);
    const resumed = await Client.open(server, `gap/a?from=${cursor}`);
    resumed.socket.send('two');
    assert.deepEqual(await resumed.take(2), ['one', 'two']);
    resumed.socket.terminate();
  });
});

describe('The WebSocket handshake of a channel', () => {
  it('is refused over HTTP, with the error as on every edge', async () => {
    assert.equal(await refused('a?envelop=json'), '400 http_query_invalid');
    assert.equal(await refused('a?event=type'), '400 http_query_invalid');
    assert.equal(await refused('a?from=yesterday'), '400 position_invalid');
    assert.equal(await refused('_internal'), '403 channel_reserved');
    assert.equal(await refused('a', { 'content-length': '5' }), '400 upgrade_invalid');
    assert.equal(await refused('a', { 'sec-websocket-protocol': 'not a token' }), '400 upgrade_invalid');
  });

  it('ignores an access token in the query', async () => {
    const client = await Client.open(server, 'token/a?access_token=x');
    client.socket.terminate();
  });

  it('chooses no subprotocol, as it knows none', async () => {
    const client = new RawClient(server.port);
    client.send(
      'GET /v1/channels/a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
    );
    const head = await client.until(/\r\n\r\n/);
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.match(head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
    assert.doesNotMatch(head, /sec-websocket-protocol/i);
    await client.close();
  });
});

describe('The end of a channel over WebSocket', () => {
  it('is 1009 upon a message that is too large', async () => {
    const client = await Client.open(server, 'large/a');
    client.socket.send('x'.repeat(4097));
    assert.match(await client.closed, /^1009 /);
  });

  it('is 1012 when the server shuts down', async () => {
    const ending = await startEdgeServer();
    const client = await Client.open(ending, 'a');
    await ending.close();
    assert.equal(await client.closed, '1012 ');
  });

  it('is nothing to anybody else when the client leaves in the middle of a frame', async () => {
    const other = await Client.open(server, 'broken/a');
    const client = new RawClient(server.port);
    client.send(
      'GET /v1/channels/broken/a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await client.until(/\r\n\r\n/);
    client.send(clientFrame(TEXT_FRAME, 'whole'));
    client.send(clientFrame(TEXT_FRAME, 'broken off').subarray(0, 9));
    assert.deepEqual(await other.take(1), ['whole']);
    await client.close();
    other.socket.send('next');
    assert.deepEqual(await other.take(1), ['next']);
    other.socket.terminate();
  });

  it("repeats the client's code", async () => {
    const client = await Client.open(server, 'leave/a');
    client.socket.close(3001, 'enough');
    assert.equal(await client.closed, '3001 ');
  });

  it('comes when the client answers no ping', async () => {
    const strict = await startEdgeServer({
      limits: { keepAliveIntervalMs: 640, webSocketPongTimeoutMs: 1000 },
    });
    const client = await Client.open(strict, 'dead/a', { autoPong: false });
    await once(client.socket, 'ping');
    assert.equal(await client.closed, '1006 ');
    await strict.close();
  });
});
