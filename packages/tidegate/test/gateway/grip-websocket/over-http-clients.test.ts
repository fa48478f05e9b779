import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { eventsOf } from '../../../src/gateway/grip/item-events.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import {
  encodeWebSocketEvents,
  parsePublishItem,
  parseWebSocketEvents,
  type WebSocketEvent,
} from '../../../src/wire/grip/index.ts';
import { publish } from '../../support/test-hub.ts';
import { type GatewayLab, type OriginServer, startGatewayLab, startOrigin } from './gateway-lab.ts';

const LIMITS = resolveLimits();

/** What an origin was told: the instance, the types and contents of events, the connection. */
interface Heard {
  readonly instance: number;
  readonly events: readonly string[];
  readonly connection: string;
  readonly request: IncomingMessage;
}

const heard: Heard[] = [];
let waiting: (() => void)[] = [];
/** What OPEN is answered with; null for the usual. */
let refuse: ((response: ServerResponse) => void) | null = null;
const origins: OriginServer[] = [];
let lab: GatewayLab;

/** An origin that subscribes whom it accepts to `news`, echoes texts, and knows some words. */
function instance(index: number): Promise<OriginServer> {
  return startOrigin((request, body, response) => {
    const events = parseWebSocketEvents(body, LIMITS);
    heard.push({
      instance: index,
      events: events.map((event) =>
        'content' in event ? `${event.type} ${Buffer.from(event.content)}` : event.type,
      ),
      connection: String(request.headers['connection-id']),
      request,
    });
    for (const wake of waiting.splice(0)) wake();
    if (events[0]?.type === 'OPEN' && refuse !== null) {
      refuse(response);
      return;
    }
    const text = (content: string) => ({ type: 'TEXT', content: Buffer.from(content) }) as const;
    const answers = events.flatMap((event): WebSocketEvent[] => {
      switch (event.type) {
        case 'OPEN':
          return [
            { type: 'OPEN' } as const,
            text('c:{"type":"subscribe","channel":"news"}'),
            text('m:welcome'),
          ];
        case 'TEXT':
          if (String(Buffer.from(event.content)) === 'close me') {
            return [{ type: 'CLOSE', code: 4002, reason: 'as you wish' } as const];
          }
          return [text(`m:${index} ${Buffer.from(event.content)}`)];
        case 'BINARY':
          return [{ type: 'BINARY', content: Buffer.concat([Buffer.from('m:'), event.content]) } as const];
        default:
          return [];
      }
    });
    response.setHeader('Content-Type', 'application/websocket-events');
    response.setHeader('Sec-WebSocket-Extensions', 'grip');
    response.setHeader('Set-Meta-Count', String(Number(request.headers['meta-count'] ?? 0) + 1));
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    if (request.headers['sec-websocket-protocol'] !== undefined)
      response.setHeader('Sec-WebSocket-Protocol', 'chat');
    response.end(encodeWebSocketEvents(answers));
  });
}

/** Resolves with the next thing heard that begins with `type`. */
async function hear(type: string): Promise<Heard> {
  for (;;) {
    const found = heard.find(({ events }) => events.some((event) => event.startsWith(type)));
    if (found !== undefined) return found;
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

async function open(
  path = '/chat?room=7',
  ...options: ConstructorParameters<typeof WebSocket> extends [unknown, ...infer Rest] ? Rest : never
): Promise<{ readonly client: WebSocket; next(): Promise<string> }> {
  const client = new WebSocket(`${lab.url}${path}`, ...options);
  const messages: string[] = [];
  const takers: ((message: string) => void)[] = [];
  client.on('message', (data, isBinary) => {
    const message = isBinary ? (data as Buffer).toString('hex') : String(data);
    const taker = takers.shift();
    if (taker === undefined) messages.push(message);
    else taker(message);
  });
  await once(client, 'open');
  return {
    client,
    next: () =>
      new Promise((resolve) => {
        const message = messages.shift();
        if (message === undefined) takers.push(resolve);
        else resolve(message);
      }),
  };
}

/** Resolves with the status, fields and body of a handshake that is refused. */
async function refused(
  path: string,
): Promise<{ readonly status: number; readonly response: IncomingMessage; readonly body: string }> {
  const client = new WebSocket(`${lab.url}${path}`);
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
  const slices: Buffer[] = [];
  for await (const slice of response) slices.push(slice as Buffer);
  client.on('error', () => {});
  client.terminate();
  return { status: response.statusCode as number, response, body: Buffer.concat(slices).toString() };
}

before(async () => {
  origins.push(await instance(0), await instance(1));
  lab = await startGatewayLab({ mode: 'over_http', origins: origins.map(({ port }) => port) });
});
after(async () => {
  await lab.close();
  for (const origin of origins) await origin.close();
});
afterEach(() => {
  heard.length = 0;
  waiting = [];
  refuse = null;
});

describe('A WebSocket client of an origin that only answers requests', () => {
  it('is spread over instances, and the gateway carries what they know of it', async () => {
    const { client, next } = await open();
    assert.equal(await next(), 'welcome');
    const answered = new Set<string>();
    for (let i = 0; i < 4; i++) {
      client.send(`m${i}`);
      const answer = await next();
      assert.match(answer, new RegExp(`^[01] m${i}$`));
      answered.add(answer[0]);
    }
    assert.deepEqual([...answered].sort(), ['0', '1']);
    assert.deepEqual(
      heard.map(({ request }) => request.headers['meta-count']),
      [undefined, '1', '2', '3', '4'],
    );
    assert.equal(new Set(heard.map(({ connection }) => connection)).size, 1);
    assert.equal(heard[0].request.url, '/chat?room=7');
    assert.equal(heard[4].request.headers['grip-sig'], 'signed');
    assert.equal(heard[4].request.headers['sec-websocket-key'], undefined);
    client.close(4000, 'done');
    const [code] = await once(client, 'close');
    assert.equal(code, 4000);
    await hear('CLOSE');
    assert.equal(heard.length, 6);
  });

  it('gets binary and empty messages as they are, and long ones whole', async () => {
    const { client, next } = await open();
    await next();
    client.send(Buffer.from([0, 255]));
    assert.equal(await next(), '00ff');
    client.send('');
    assert.match(await next(), /^[01] $/);
    const long = 'x'.repeat(300_000);
    client.send(long.slice(0, 1000), { fin: false });
    client.send(long.slice(1000), { fin: true });
    assert.match(await next(), /^[01] x{300000}$/);
    client.close();
    await once(client, 'close');
  });

  it('gets what is published to the channels that the origin has subscribed it to', async () => {
    const { client, next } = await open();
    await next();
    const item = { channel: 'news', formats: { 'ws-message': { content: 'published' } } };
    await publish(lab.hub, ...eventsOf(parsePublishItem(item, LIMITS)));
    assert.equal(await next(), 'published');
    client.close();
    await once(client, 'close');
  });

  it('gets the fields of the answer and the subprotocol that the origin chose, and no extension', async () => {
    const client = new WebSocket(`${lab.url}/chat`, ['other', 'chat'], { headers: { 'Meta-Count': '99' } });
    const [[response]] = (await Promise.all([once(client, 'upgrade'), once(client, 'open')])) as [
      [IncomingMessage],
      unknown,
    ];
    assert.equal(client.protocol, 'chat');
    assert.equal(client.extensions, '');
    assert.deepEqual(response.headers['set-cookie'], ['a=1', 'b=2']);
    for (const name of ['set-meta-count', 'content-type', 'sec-websocket-extensions']) {
      assert.equal(response.headers[name], undefined, name);
    }
    assert.equal(heard[0].request.headers['meta-count'], undefined);
    assert.equal(heard[0].request.headers['sec-websocket-protocol'], 'other,chat');
    client.terminate();
    await hear('DISCONNECT');
  });

  it('is closed when the origin says so, with its code and reason', async () => {
    const { client, next } = await open();
    await next();
    client.send('close me');
    const [code, reason] = await once(client, 'close');
    assert.deepEqual([code, String(reason)], [4002, 'as you wish']);
    assert.equal(heard.length, 2);
  });

  it('is missed by the origin when it is lost', async () => {
    const { client, next } = await open();
    await next();
    client.terminate();
    const { events } = await hear('DISCONNECT');
    assert.deepEqual(events, ['DISCONNECT']);
    assert.equal(lab.ends.at(-1), 101);
  });

  it('has its pings answered, although the origin does not answer them', async () => {
    const { client, next } = await open();
    await next();
    client.ping('are you there');
    const [payload] = await once(client, 'pong');
    assert.equal(String(payload), 'are you there');
    assert.deepEqual((await hear('PING')).events, ['PING are you there']);
    client.close();
    await once(client, 'close');
  });
});

describe('A handshake that an origin refuses', () => {
  it('is answered as the origin answers, with its fields and its body', async () => {
    refuse = (response) => {
      response
        .writeHead(403, 'No Entry', { 'Content-Type': 'text/plain', 'X-Why': 'because' })
        .end('not you');
    };
    const { status, response, body } = await refused('/chat');
    assert.deepEqual([status, response.statusMessage, body], [403, 'No Entry', 'not you']);
    assert.equal(response.headers['x-why'], 'because');
    assert.equal(lab.ends.at(-1), 403);
  });

  it('is answered also without a body', async () => {
    refuse = (response) => {
      response.writeHead(401).end();
    };
    assert.equal((await refused('/chat')).status, 401);
  });

  it('is a bad gateway if the answer is too large, says nothing that can be followed, or chooses what was not offered', async () => {
    for (const answer of [
      (response: ServerResponse) => void response.writeHead(403).end(Buffer.alloc(200_000)),
      (response: ServerResponse) =>
        void response.writeHead(200, { 'Content-Type': 'application/websocket-events' }).end('NONSENSE'),
      (response: ServerResponse) =>
        void response
          .writeHead(200, {
            'Content-Type': 'application/websocket-events',
            'Sec-WebSocket-Protocol': 'chat',
          })
          .end('OPEN\r\n'),
      (response: ServerResponse) =>
        void response
          .writeHead(200, {
            'Content-Type': 'application/websocket-events',
            'Sec-WebSocket-Extensions': 'grip; message-prefix="',
          })
          .end('OPEN\r\n'),
    ]) {
      refuse = answer;
      assert.equal((await refused('/chat')).status, 502);
    }
  });

  it('is a bad gateway if the origin resets the connection', async () => {
    refuse = (response) => void response.destroy();
    assert.equal((await refused('/chat')).status, 502);
    assert.equal(lab.ends.at(-1), 502);
  });

  it('is not passed on if it is none that could be answered', async () => {
    const raw = await handshake('Sec-WebSocket-Version: 8\r\n');
    assert.match(raw, /^HTTP\/1\.1 400 /);
    assert.match(raw, /sec-websocket-version: 13/i);
    assert.equal(
      heard.some(({ events }) => events.includes('OPEN')),
      false,
    );
  });

  it('tells the origin that accepts it that the client has gone meanwhile', async () => {
    let accept: (() => void) | null = null;
    refuse = (response) => {
      accept = () =>
        void response.writeHead(200, { 'Content-Type': 'application/websocket-events' }).end('OPEN\r\n');
    };
    const client = new WebSocket(`${lab.url}/chat`);
    client.on('error', () => {});
    await hear('OPEN');
    const ends = lab.ends.length;
    client.terminate();
    while (lab.ends.length === ends) await new Promise(setImmediate);
    assert.equal(lab.ends.at(-1), null);
    (accept as (() => void) | null)?.();
    assert.deepEqual((await hear('DISCONNECT')).events, ['DISCONNECT']);
  });
});

describe('A client that pretends to be a gateway', () => {
  it('is refused', async () => {
    const response = await fetch(`http://127.0.0.1:${lab.port}/chat`, {
      method: 'POST',
      headers: { 'Content-Type': 'Application/WebSocket-Events; x=y' },
      body: 'OPEN\r\n',
    });
    assert.equal(response.status, 403);
    assert.deepEqual(heard, []);
  });
});

/** Sends a handshake with these fields, and resolves with what comes back first. */
async function handshake(fields: string): Promise<string> {
  const { connect } = await import('node:net');
  const socket = connect(lab.port, '127.0.0.1');
  socket.write(
    `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${fields}\r\n`,
  );
  const [slice] = await once(socket, 'data');
  socket.destroy();
  return String(slice);
}
