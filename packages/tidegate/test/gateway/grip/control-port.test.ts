import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Hub } from '../../../src/channels/index.ts';
import {
  type Authorize,
  type ControlPortOptions,
  createControlPort,
  type ItemsPublisher,
} from '../../../src/gateway/grip/control-port.ts';
import { GripPublisher } from '../../../src/gateway/grip/grip-publisher.ts';
import {
  type Limits,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  systemClock,
  TidegateError,
} from '../../../src/kernel/index.ts';
import { openMemoryLog } from '../../../src/log/index.ts';
import { type Lab, openLab } from '../../listeners/lab.ts';
import { TestSubscriber, testHub, topicSpec } from '../../support/test-hub.ts';

interface Port {
  readonly hub: Hub;
  readonly lab: Lab;
  /** How often was asked to recover. */
  readonly recoveries: () => number;
  ask(method: string, path: string, init?: RequestInit): Promise<Response>;
  publish(body: string, accept?: string): Promise<Response>;
}

async function openPort(
  t: TestContext,
  overrides: Partial<Limits> = {},
  authorize?: Authorize,
  purge: ControlPortOptions['purge'] = (_purges, _credential, done) => done({ responses: 0, state: 'done' }),
): Promise<Port> {
  const limits = resolveLimits(overrides);
  const log = openMemoryLog({
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: noMetrics,
    limits,
  });
  await log.createTopic(topicSpec('default'));
  const hub = testHub(log, systemClock);
  const publisher = new GripPublisher({ receivers: hub, clock: systemClock, limits, metrics: noMetrics });
  let recoveries = 0;
  const handler = createControlPort({
    publisher,
    authorize: authorize ?? ((_, done) => done(byHub(hub))),
    purge,
    recover: () => {
      recoveries++;
    },
    limits,
  });
  const lab = await openLab(t, handler, overrides);
  t.after(async () => {
    publisher.close();
    hub.drain();
    hub.close();
    await log.close();
  });
  const ask: Port['ask'] = (method, path, init = {}) =>
    fetch(`http://127.0.0.1:${lab.listener.port}${path}`, { method, ...init });
  return {
    hub,
    lab,
    recoveries: () => recoveries,
    ask,
    publish: (body, accept) =>
      ask('POST', '/publish', { body, headers: accept === undefined ? {} : { accept } }),
  };
}

/** Whoever may do everything. */
const byHub = (hub: Hub): ItemsPublisher => ({
  publish: (...events) => hub.publish(...events),
  purgeAs: () => 'key:a',
});

const items = (...list: object[]): string => JSON.stringify({ items: list });
const hello = { channel: 'a', id: '1', 'http-stream': { content: 'hello' } };

test('items are published, with or without a slash behind the path', async (t) => {
  const { ask, hub } = await openPort(t);
  const subscriber = new TestSubscriber(hub, 'a');
  for (const [path, content] of [
    ['/publish', 'x'],
    ['/publish/', 'y'],
  ]) {
    const answer = await ask('POST', path, { body: items({ channel: 'a', 'http-stream': { content } }) });
    assert.deepEqual([answer.status, await answer.text()], [200, 'Published\n']);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain$/);
  }
  assert.deepEqual(subscriber.data, ['x', 'y']);
});

test('the answer says how many received it, in a field and in JSON in members', async (t) => {
  const { publish, hub } = await openPort(t);
  for (const channel of ['a', 'a', 'b']) new TestSubscriber(hub, channel);
  const text = await publish(items(hello, { ...hello, channel: 'b' }));
  assert.equal(text.headers.get('tidegate-receivers'), '3');
  const json = await publish(
    items(hello, { channel: 'a', 'http-stream': { content: 'z' } }),
    'application/json',
  );
  const body = (await json.json()) as { items: { id: string; cursor: string }[] };
  assert.deepEqual(body, {
    message: 'Published',
    receivers: 2,
    items: [
      { channel: 'a', id: '1', cursor: body.items[0].cursor, receivers: 0, duplicate: true },
      { channel: 'a', id: body.items[1].id, cursor: body.items[1].cursor, receivers: 2 },
    ],
  });
});

test('connections stay open', async (t) => {
  const { lab } = await openPort(t);
  const client = await lab.connect();
  for (let times = 0; times < 2; times++) {
    const body = items(hello);
    client.send(`POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await client.take('Published\n');
  }
  assert.equal(client.isEnded, false);
});

test('one invalid item makes the whole invalid, and the answer names it', async (t) => {
  const { publish, hub } = await openPort(t);
  const subscriber = new TestSubscriber(hub, 'a');
  const text = await publish(items(hello, { channel: 'a' }));
  assert.equal(text.status, 400);
  assert.match(await text.text(), /^Invalid format: items\[1\]: formats has none of http-response/);
  const json = await publish(items({ ...hello, id: 'b', formats: 5 }), 'application/json');
  assert.equal(json.status, 400);
  assert.equal(((await json.json()) as { code: string }).code, 'grip_item_invalid');
  assert.deepEqual(subscriber.data, []);
});

test('bodies that are not what they should be get 400', async (t) => {
  const { publish, ask } = await openPort(t, { batchEventsMax: 1 });
  for (const body of ['', 'nonsense', '[]', 'null', '{"items":{}}', items(hello, hello)]) {
    const answer = await publish(body);
    assert.equal(answer.status, 400, body);
    assert.match(await answer.text(), /^Invalid format: /, body);
  }
  assert.equal((await ask('POST', '/publish', { body: new Uint8Array([0xff]) })).status, 400);
});

test('a body beyond batchBytesMax gets 413', async (t) => {
  const { publish } = await openPort(t, { batchBytesMax: 1024 });
  assert.equal(
    (await publish(items({ channel: 'a', 'http-stream': { content: 'x'.repeat(2000) } }))).status,
    413,
  );
});

test('what the log refuses is answered with its status', async (t) => {
  const { publish } = await openPort(t);
  const answer = await publish(items({ ...hello, channel: 'a/#' }));
  assert.equal(((await answer.json()) as { code: string }).code, 'channel_not_publishable');
});

test('the root says who answers', async (t) => {
  const { ask } = await openPort(t);
  const answer = await ask('GET', '/');
  assert.deepEqual([answer.status, await answer.text()], [200, 'Tidegate, with the API of Pushpin\n']);
  assert.equal((await ask('HEAD', '/')).status, 200);
});

test('recover looks after those who wait', async (t) => {
  const { ask, recoveries } = await openPort(t);
  const answer = await ask('POST', '/recover', { headers: { accept: 'application/json' } });
  assert.deepEqual([answer.status, await answer.json()], [200, { message: 'Updated' }]);
  assert.equal(recoveries(), 1);
});

test('unknown paths get 404, other methods 405 with Allow, unknown types 406', async (t) => {
  const { ask } = await openPort(t);
  assert.equal((await ask('GET', '/nothing')).status, 404);
  assert.equal((await ask('POST', '/publish/x')).status, 404);
  const notAllowed = await ask('GET', '/publish');
  assert.deepEqual([notAllowed.status, notAllowed.headers.get('allow')], [405, 'POST']);
  assert.equal((await ask('DELETE', '/')).headers.get('allow'), 'GET, HEAD');
  assert.equal((await ask('GET', '/', { headers: { accept: 'image/png' } })).status, 406);
});

test('whoever is not authorized publishes nothing and recovers nothing', async (t) => {
  const asked: (string | undefined)[] = [];
  const { ask, publish, recoveries, hub } = await openPort(t, {}, (request, done) => {
    asked.push(request.headers.get('authorization'));
    done(new TidegateError('access_denied', 'No.'));
  });
  const subscriber = new TestSubscriber(hub, 'a');
  assert.equal((await publish(items(hello))).status, 403);
  assert.equal((await ask('POST', '/recover')).status, 403);
  assert.deepEqual([recoveries(), subscriber.data, asked.length], [0, [], 2]);
});

test('what is to be purged is purged before anything is published, or nothing is', async (t) => {
  const purged: unknown[] = [];
  let outcome: TidegateError | null = null;
  let published: () => number = () => -1;
  const { publish, hub } = await openPort(t, {}, undefined, (requests, credential, done) => {
    purged.push([requests, credential, published()]);
    done(outcome ?? { responses: 1, state: 'done' });
  });
  const subscriber = new TestSubscriber(hub, 'a');
  published = () => subscriber.data.length;
  const body = (content: string): string =>
    JSON.stringify({
      items: [{ channel: 'a', 'http-stream': { content } }],
      purge: [{ url: 'https://a.example/b' }, { surrogateKey: 'c' }],
    });
  assert.equal((await publish(body('x'))).status, 200);
  assert.deepEqual(purged, [[[{ url: 'https://a.example/b' }, { surrogateKey: 'c' }], 'key:a', 0]]);
  assert.deepEqual(subscriber.data, ['x']);
  outcome = new TidegateError('purge_rate_exceeded', '', { retryAfterMs: 1500 });
  const refused = await publish(body('y'));
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '2']);
  for (const purge of [{}, [{}], ['a'], [{ url: 1 }], [{ url: 'a', prefix: 'b' }], [{ toString: 'a' }]]) {
    const answer = await publish(JSON.stringify({ items: [hello], purge }));
    assert.deepEqual(
      [answer.status, ((await answer.json()) as { code: string }).code],
      [400, 'purge_invalid'],
    );
  }
  assert.equal(purged.length, 2);
  assert.deepEqual(subscriber.data, ['x']);
});

test('who may not purge publishes nothing with it', async (t) => {
  const { publish, hub } = await openPort(t, {}, (_, done) =>
    done({
      publish: () => assert.fail('nothing is published'),
      purgeAs: () => {
        throw new TidegateError('access_denied');
      },
    }),
  );
  const subscriber = new TestSubscriber(hub, 'a');
  const answer = await publish(JSON.stringify({ items: [hello], purge: [{ surrogateKey: 'a' }] }));
  assert.equal(answer.status, 403);
  assert.deepEqual(subscriber.data, []);
});
