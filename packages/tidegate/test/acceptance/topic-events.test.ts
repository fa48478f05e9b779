import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { EventSource } from 'eventsource';
import { hashOfKey } from '../../src/access/index.ts';
import { until } from '../listeners/lab.ts';
import { ServerProcess } from '../support/server-process.ts';
import { EventList, processesOf } from '../workers/processes.ts';

const CONFIG = new URL('../../../../examples/topic-events/tidegate.yaml', import.meta.url);

/** The example as its README starts it, with two processes and with what is added to its configuration. */
async function startExample(t: TestContext, more = ''): Promise<ServerProcess> {
  const server = await ServerProcess.start({
    config: `${await readFile(CONFIG, 'utf8')}\nworkers: 2\n${more}`,
  });
  t.after(() => server.remove());
  return server;
}

async function publish(server: ServerProcess, channel: string, data: string): Promise<void> {
  const response = await fetch(`${server.url}/v1/channels/${channel}`, { method: 'POST', body: data });
  assert.equal(response.status, 200, await response.text());
}

test('a topic is an event stream at an address of its own, from each process, for who asks for no type', async (t) => {
  const server = await startExample(t);
  const processes = processesOf(server);
  assert.equal(processes.length, 2);
  const streams: EventList[] = [];
  for (const client of processes) streams.push(new EventList(await client.request('GET', '/events/test/')));
  t.after(() => {
    for (const stream of streams) stream.close();
    for (const client of processes) client.close();
  });
  for (const { response } of streams) {
    assert.equal(response.statusCode, 200);
    assert.match(String(response.headers['content-type']), /^text\/event-stream/);
  }
  await publish(server, 'test', 'a record');
  await publish(server, 'test/key-7', 'one with a key');
  await publish(server, 'other/key-7', 'of another topic');
  await publish(server, 'test/key-7', 'the last');
  for (const stream of streams) {
    await stream.until(3);
    assert.deepEqual(stream.data.toSorted(), ['a record', 'one with a key', 'the last']);
  }
  // Any process goes on from there, and the history is there for who asks.
  const resumed = new EventList(
    await processes[1].request('GET', '/events/test/', { 'last-event-id': streams[0].lastId }),
  );
  const all = new EventList(await processes[1].request('GET', '/events/test/?from=earliest'));
  streams.push(resumed, all);
  await publish(server, 'test', 'news');
  await resumed.until(1);
  await all.until(4);
  assert.deepEqual(resumed.data, ['news']);
  assert.equal(all.data.length, 4);
});

test('an EventSource follows it, through a kill of the server', async (t) => {
  const server = await startExample(t);
  const data: string[] = [];
  const source = new EventSource(`${server.url}/events/test/`);
  t.after(() => source.close());
  source.onmessage = (event) => data.push(event.data);
  await until(() => source.readyState === EventSource.OPEN);
  // The stream says where it begins before anything is published.
  await publish(server, 'test/a', '1');
  await until(() => data.length === 1);
  await server.kill();
  await server.start();
  await publish(server, 'test/a', '2');
  await until(() => data.length === 2);
  assert.deepEqual(data, ['1', '2']);
});

test('it is read by those who may read the topic, and only read', async (t) => {
  const server = await startExample(
    t,
    `keys: { tests: { hash: '${hashOfKey('tests')}', allow: { 'test/#': [subscribe] } } }\n`,
  );
  const status = async (path: string, key: string, method = 'GET'): Promise<number> => {
    const headers: Record<string, string> = key === '' ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(`${server.url}${path}`, { method, headers });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await status('/events/test/', 'tests'), 200);
  assert.equal(await status('/events/test/', ''), 401);
  assert.equal(await status('/events/test/?channel=other', 'tests'), 200);
  assert.equal(await status('/events/other/', 'tests'), 403);
  assert.equal(await status('/events/%23/', 'tests'), 400);
  assert.equal(await status('/events/test/', 'tests', 'POST'), 405);
  assert.equal(await status('/events/', 'tests'), 404);
});
