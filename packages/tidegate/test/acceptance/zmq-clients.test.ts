import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { Push, Request, Subscriber, XPublisher } from 'zeromq';
import { encodeTnetstring, type TnetInput } from '../../src/wire/grip/index.ts';
import { until } from '../listeners/lab.ts';
import { freePorts } from '../support/ports.ts';
import { ServerProcess } from '../support/server-process.ts';
import { connectTo } from '../support/worker-processes.ts';
import { type ProcessClient, processesOf } from '../workers/processes.ts';

// A server of two processes, with clients that hold one connection to each, and the programs that tell Pushpin what to send.

const PUSHPIN_PUBLISH = '/usr/bin/pushpin-publish';

interface Stage {
  readonly server: ServerProcess;
  /** The owner of the log, which has the control ports, and a worker. */
  readonly processes: readonly ProcessClient[];
  readonly ports: Readonly<Record<'grip' | 'pull' | 'sub' | 'rep' | 'stats', number>>;
  /** What the origin was asked: method, target and connection id. */
  readonly asked: readonly string[];
}

/** Streams, long-polls and WebSocket-over-HTTP, all of the channel `news`. */
function origin(asked: string[]) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const id = request.headers['connection-id'] ?? '';
    asked.push(`${request.method} ${request.url} ${id}`.trim());
    let body = '';
    request.on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      if (request.url === '/socket') {
        const subscribe = 'c:{"type":"subscribe","channel":"news"}';
        const opening = `OPEN\r\nTEXT ${subscribe.length.toString(16)}\r\n${subscribe}\r\n`;
        response
          .writeHead(200, {
            'Content-Type': 'application/websocket-events',
            'Sec-WebSocket-Extensions': 'grip',
          })
          .end(body.startsWith('OPEN') ? opening : '');
      } else {
        response
          .writeHead(200, {
            'Content-Type': 'text/plain',
            'Grip-Hold': request.url === '/poll' ? 'response' : 'stream',
            'Grip-Channel': 'news',
            ...(request.url === '/linked' && { 'Grip-Link': '</linked>; rel=next' }),
          })
          .end('');
      }
    });
  };
}

async function stage(t: TestContext): Promise<Stage> {
  const asked: string[] = [];
  const functions = createServer(origin(asked)).listen(0, '127.0.0.1');
  await once(functions, 'listening');
  const [grip, pull, sub, rep, stats] = await freePorts(5);
  const upstream = `http://127.0.0.1:${(functions.address() as AddressInfo).port}`;
  const server = await ServerProcess.start({
    config: `
listen:
  gripPort: ${grip}
  zmq: { pullPort: ${pull}, subPort: ${sub}, repPort: ${rep}, statsPort: ${stats}, statsFormat: json }
workers: 2
upstreams:
  app: { targets: [{ url: '${upstream}' }] }
routes:
  all: { match: { path: '/*' }, upstream: app, grip: { key: changeme } }
  socket: { match: { path: '/socket' }, upstream: app, grip: { key: changeme, websocket: over_http } }
`,
  });
  t.after(async () => {
    await server.remove();
    functions.closeAllConnections();
    functions.close();
  });
  await until(() => processesOf(server).length === 2);
  const processes = processesOf(server);
  // A worker that answers is there for whatever else it is asked.
  for (const each of processes) await each.get('/v1/history/nothing');
  t.after(() => {
    for (const each of processes) each.close();
  });
  return { server, processes, ports: { grip, pull, sub, rep, stats }, asked };
}

function closedAfter<Socket extends { linger: number; connect(address: string): void; close(): void }>(
  t: TestContext,
  socket: Socket,
  port: number,
): Socket {
  socket.linger = 0;
  socket.connect(`tcp://127.0.0.1:${port}`);
  t.after(() => socket.close());
  return socket;
}

/** What a held connection gets, as it comes. */
async function held(process: ProcessClient, path: string): Promise<{ text: string; leave(): void }> {
  const got = { text: '', leave: () => {} };
  const response = process.request('GET', path);
  const take = (message: IncomingMessage): void => {
    got.leave = () => message.destroy();
    message.setEncoding('utf8').on('data', (text) => {
      got.text += text;
    });
    message.on('error', () => {});
  };
  if (path === '/poll') void response.then(take);
  else take(await response);
  return got;
}

/** A WebSocket that one process has accepted. */
async function socketTo(t: TestContext, { server, processes }: Stage, index: number): Promise<string[]> {
  const pids = processes.map(({ pid }) => pid);
  const connection = await connectTo(
    pids[index],
    pids.filter((pid) => pid !== pids[index]),
    server.port,
  );
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/socket`, {
    createConnection: (() => connection) as never,
  });
  t.after(() => socket.terminate());
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  await once(socket, 'open');
  return messages;
}

/** Statistics of one type as they come. */
function statistics(t: TestContext, port: number, type: string): Record<string, unknown>[] {
  const told: Record<string, unknown>[] = [];
  const socket = closedAfter(t, new Subscriber(), port);
  socket.subscribe(`${type} J`);
  const read = async (): Promise<void> => {
    for (;;) told.push(JSON.parse(String((await socket.receive())[0]).slice(type.length + 2)));
  };
  // It ends with the socket.
  read().catch(() => {});
  return told;
}

/** Waits until somebody subscribed in this way is known of, over all processes. */
async function followed(told: Record<string, unknown>[], mode: string, subscribers: number): Promise<void> {
  await until(
    () => told.some((sub) => sub.mode === mode && sub.channel === 'news' && sub.subscribers === subscribers),
    () => `${subscribers} ${mode} in ${JSON.stringify(told)}`,
  );
}

test('items come by PUSH and PUB, and publishers hear who wants what', async (t) => {
  const { processes, ports } = await stage(t);
  const subs = statistics(t, ports.stats, 'sub');
  const publisher = closedAfter(t, new XPublisher(), ports.sub);
  const streams = await Promise.all(processes.map((each) => held(each, '/stream')));
  assert.equal(String((await publisher.receive())[0]), '\x01news');
  await followed(subs, 'stream', 2);
  const push = closedAfter(t, new Push(), ports.pull);
  const item = { channel: 'news', formats: { 'http-stream': { content: 'a tnetstring\n' } } };
  await push.send('Jnonsense');
  await push.send(`T${encodeTnetstring(item)}`);
  await push.send('J{"channel":"news","http-stream":{"content":"JSON\\n"}}');
  for (const stream of streams) await until(() => stream.text === 'a tnetstring\nJSON\n');
  await publisher.send(['news', 'J{"http-stream":{"content":"published\\n"}}']);
  for (const stream of streams) await until(() => stream.text.endsWith('published\n'));
  for (const stream of streams) stream.leave();
  assert.equal(String((await publisher.receive())[0]), '\x00news');
});

test('the answer to a publish counts the subscriptions of all processes, and polls that are over by then', async (t) => {
  const { processes, ports } = await stage(t);
  const subs = statistics(t, ports.stats, 'sub');
  const messages = statistics(t, ports.stats, 'message');
  const got = await Promise.all(processes.flatMap((each) => [held(each, '/stream'), held(each, '/poll')]));
  await followed(subs, 'stream', 2);
  await followed(subs, 'response', 2);
  const body = JSON.stringify({
    items: [
      { channel: 'news', id: '1', 'http-stream': { content: 'hello' }, 'http-response': { body: 'hello' } },
      { channel: 'others', 'http-stream': { content: 'hello' } },
    ],
  });
  const url = `http://127.0.0.1:${ports.grip}/publish`;
  const response = await fetch(url, { method: 'POST', body, headers: { accept: 'application/json' } });
  const { receivers, items } = (await response.json()) as {
    receivers: number;
    items: { receivers: number }[];
  };
  assert.deepEqual([receivers, items.map((item) => item.receivers)], [4, [4, 0]]);
  assert.equal(response.headers.get('tidegate-receivers'), '4');
  for (const each of got) await until(() => each.text === 'hello');
  await until(() => messages.length === 2);
  assert.deepEqual(
    messages.map(({ transport, count }) => [transport, count]),
    [
      ['http-response', 2],
      ['http-stream', 2],
    ],
  );
});

test('recovery is for the streams of all processes', async (t) => {
  const { processes, ports, asked } = await stage(t);
  const subs = statistics(t, ports.stats, 'sub');
  for (const each of processes) await held(each, '/linked');
  await followed(subs, 'stream', 2);
  assert.equal(asked.length, 2);
  const response = await fetch(`http://127.0.0.1:${ports.grip}/recover`, { method: 'POST' });
  assert.equal(await response.text(), 'Updated\n');
  // Both ask for the same link, and each process for itself.
  await until(() => asked.length === 4);
});

test('connections are found, and their origins asked again, in all processes', async (t) => {
  const all = await stage(t);
  const { ports, asked } = all;
  const subs = statistics(t, ports.stats, 'sub');
  const messages = [await socketTo(t, all, 0), await socketTo(t, all, 1)];
  await followed(subs, 'ws', 2);
  const ids = asked.map((line) => line.split(' ')[2]);
  assert.equal(new Set(ids).size, 2);
  const request = closedAfter(t, new Request(), ports.rep);
  const ask = async (method: string, args: TnetInput): Promise<string> => {
    await request.send(encodeTnetstring({ id: '1', method, args } as TnetInput));
    return String((await request.receive())[0]);
  };
  const live = await ask('conncheck', { ids: [...ids, 'nobody'] });
  for (const id of ids) assert.ok(live.includes(`24:${id},`), live);
  assert.ok(!live.includes('nobody'), live);

  for (const [index, id] of ids.entries()) {
    assert.equal(await ask('refresh', { cid: id }), '37:2:id,1:1,7:success,4:true!5:value,0:~}');
    await until(() => asked.length === 3 + index);
    assert.equal(asked.at(-1), `POST /socket ${id}`);
  }
  assert.match(await ask('refresh', { cid: 'nobody' }), /9:condition,14:item-not-found,/);
  await ask('refresh', { channel: 'news' });
  await until(() => asked.length === 6);
  assert.deepEqual(asked.slice(4).toSorted(), ids.map((id) => `POST /socket ${id}`).toSorted());

  await ask('publish', { items: [{ channel: 'news', 'ws-message': { content: 'by a command' } }] });
  for (const each of messages) await until(() => each.includes('by a command'));
});

test('a worker that dies takes those with it who were in it', async (t) => {
  const { processes, ports } = await stage(t);
  const subs = statistics(t, ports.stats, 'sub');
  const connections = statistics(t, ports.stats, 'conn');
  for (const each of processes) await held(each, '/stream');
  await followed(subs, 'stream', 2);
  subs.length = 0;
  process.kill(processes[1].pid, 'SIGKILL');
  await followed(subs, 'stream', 1);
  assert.equal(connections.filter(({ unavailable }) => unavailable).length, 1);
});

test('pushpin-publish pushes items as it does to Pushpin', {
  skip: existsSync(PUSHPIN_PUBLISH) ? false : 'needs pushpin',
}, async (t) => {
  const { processes, ports } = await stage(t);
  const subs = statistics(t, ports.stats, 'sub');
  const streams = await Promise.all(processes.map((each) => held(each, '/stream')));
  await followed(subs, 'stream', 2);
  const spec = `tcp://127.0.0.1:${ports.pull}`;
  await promisify(execFile)(PUSHPIN_PUBLISH, ['--spec', spec, 'news', 'from another program']);
  for (const stream of streams) await until(() => stream.text === 'from another program\n');
});
