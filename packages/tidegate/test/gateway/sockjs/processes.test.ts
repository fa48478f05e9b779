import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { until } from '../../listeners/lab.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { type ProcessClient, processesOf } from '../../workers/processes.ts';
import { echo, OpenAnswer } from './sockjs-lab.ts';

let origin: WebSocketServer;
let server: ServerProcess;
let owner: ProcessClient;
let worker: ProcessClient;
const ends: number[] = [];

function startServer(): Promise<ServerProcess> {
  const { port } = origin.address() as AddressInfo;
  return ServerProcess.start({
    config: `
workers: 2
upstreams:
  app: { targets: [{ url: 'http://127.0.0.1:${port}' }] }
routes:
  chat: { match: { path: '/*' }, upstream: app, sockjs: { path: /echo } }
`,
  });
}

before(async () => {
  origin = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(origin, 'listening');
  origin.on('connection', (socket) => {
    echo(socket);
    socket.on('close', (code) => ends.push(code));
  });
  server = await startServer();
  const clients = processesOf(server);
  assert.equal(clients.length, 2);
  [owner, worker] = clients;
});

after(async () => {
  owner.close();
  worker.close();
  await server.remove();
  for (const socket of origin.clients) socket.terminate();
  origin.close();
});

async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(series))
      ?.split(' ')[1],
  );
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response) text += String(part);
  return text;
}

test('the requests of a session find each other, whichever processes they come to', async () => {
  for (const [one, other] of [
    [worker, owner],
    [owner, worker],
    [worker, worker],
  ]) {
    const url = `/echo/000/of-${one.pid}-${other.pid}`;
    assert.equal(await one.post(`${url}/xhr`, ''), 'o\n');
    assert.equal(await other.post(`${url}/xhr_send`, '["a"]'), '');
    assert.equal(await one.post(`${url}/xhr`, ''), 'a["a"]\n');
    await one.post(`${url}/xhr_send`, '["b"]');
    assert.equal(await other.post(`${url}/xhr`, ''), 'a["b"]\n');
    const broken = await other.request('POST', `${url}/xhr_send`);
    assert.deepEqual([broken.statusCode, await textOf(broken)], [500, 'Payload expected.']);
    await other.post(`${url}/xhr_send`, '["bye"]');
    assert.equal(await one.post(`${url}/xhr`, ''), 'c[3000,"Go away!"]\n');
  }
  assert.ok((await metric('tidegate_sockjs_forwarded_requests_total')) > 0);
});

test('a stream in one process brings what is sent in another, however long, and its end ends the session', async () => {
  const url = '/echo/000/stream';
  const stream = new OpenAnswer(await worker.request('POST', `${url}/xhr_streaming`));
  assert.equal(await stream.take(2051), `${'h'.repeat(2048)}\no\n`);
  const long = 'x'.repeat(100_000);
  await owner.post(`${url}/xhr_send`, `["${long}"]`);
  assert.equal(await stream.take(100_006), `a["${long}"]\n`);
  stream.close();
  await until(() => ends.includes(1005));
  assert.equal(await owner.post(`${url}/xhr`, ''), 'c[1002,"Connection interrupted"]\n');
});

test('a worker that dies interrupts the sessions whose clients it had', async () => {
  const url = '/echo/000/doomed';
  const stream = new OpenAnswer(await worker.request('POST', `${url}/xhr_streaming`));
  await stream.take(2051);
  process.kill(worker.pid, 'SIGKILL');
  await until(() => stream.isCut || stream.isEnded);
  let answer = '';
  do answer = await owner.post(`${url}/xhr`, '');
  while (answer.includes('2010'));
  assert.equal(answer, 'c[1002,"Connection interrupted"]\n');
});

test('when a server ends, clients of its workers hear so from its owner', async (t) => {
  const ending = await startServer();
  t.after(() => ending.remove());
  const [first, second] = processesOf(ending);
  t.after(() => first.close());
  const stream = new OpenAnswer(await second.request('POST', '/echo/000/ending/xhr_streaming'));
  await stream.take(2051);
  assert.equal(await ending.stop(), 0);
  assert.equal(await stream.rest(), 'c[1012,"Service restart"]\n');
});
