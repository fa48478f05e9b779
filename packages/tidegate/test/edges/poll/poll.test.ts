import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import {
  type Answer,
  assertProblem,
  type Delivered,
  get,
  post,
  RawClient,
  untilSubscriptions,
} from '../requests.ts';

const ACCEPT = { accept: 'application/json' };
const JSON_TYPE = { 'content-type': 'application/json' };

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({
    limits: { pollMessagesMax: 50, pollBytesMax: 16 * 1024, flushBytesMax: 1024, pollWaitMsMax: 20_000 },
  });
});
after(() => server.close());

function poll(channel: string, query = ''): Promise<Answer> {
  return get(server, `/v1/channels/${channel}${query}`, ACCEPT);
}

function messagesOf({ body }: Answer): readonly Delivered[] {
  return body.messages as Delivered[];
}

function dataOf(answer: Answer): readonly unknown[] {
  return messagesOf(answer).map(({ data }) => data);
}

async function publish(channel: string, from: number, to: number): Promise<void> {
  const entries = Array.from({ length: to - from }, (_, i) => ({ channel, data: from + i }));
  assert.equal((await post(server, '/v1/publish', JSON.stringify(entries), JSON_TYPE)).status, 200);
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('GET /v1/channels/{channel} with Accept: application/json', () => {
  test('answers with what there is after the position, and where to go on', async () => {
    await publish('there', 0, 3);
    const answer = await poll('there', '?from=earliest');
    assert.deepEqual(Object.keys(answer.body), ['messages', 'next']);
    assert.deepEqual(dataOf(answer), [0, 1, 2]);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(answer.headers.get('etag'), `"${answer.body.next}"`);
    assert.deepEqual(dataOf(await poll('there', `?from=${answer.body.next}&wait=0`)), []);
  });

  test('waits for a message if there is none, and then answers at once', async () => {
    const { body } = await poll('waits', '?wait=0');
    const waiting = poll('waits', `?from=${body.next}&wait=20`);
    await publish('waits', 0, 1);
    assert.deepEqual(dataOf(await waiting), [0]);
  });

  test('answers with no message and a position once it has waited', async () => {
    const answer = await poll('silence', '?wait=0.05');
    assert.deepEqual(messagesOf(answer), []);
    await publish('silence', 0, 1);
    assert.deepEqual(dataOf(await poll('silence', `?from=${answer.body.next}`)), [0]);
  });

  test('misses nothing from poll to poll, whatever is published in between', async () => {
    let next = (await poll('chain', '?wait=0')).body.next;
    const publishing = (async () => {
      for (let n = 0; n < 200; n += 20) await publish('chain', n, n + 20);
    })();
    const received: unknown[] = [];
    while (received.length < 200) {
      const answer = await poll('chain', `?from=${next}&max=7`);
      assert.ok(messagesOf(answer).length <= 7);
      received.push(...dataOf(answer));
      next = answer.body.next;
    }
    await publishing;
    assert.deepEqual(received, numbers(0, 200));
  });

  test('delivers CloudEvents, if asked', async () => {
    await publish('cloud', 0, 1);
    const [event] = messagesOf(await poll('cloud', '?from=earliest&envelope=cloudevents'));
    assert.deepEqual([event.specversion, event.type, event.data], ['1.0', 'tidegate.message', 0]);
  });

  test('tells a gap as an element, and goes on behind it', async () => {
    const { body } = await post(server, '/v1/channels/gaps', 'x');
    const other = (body.cursor as string).replace(/^(default~)[^~]+/, '$1otherEpoch00');
    const answer = await poll('gaps', `?from=${other}`);
    assert.deepEqual(
      messagesOf(answer).map(({ gap, data }) => gap?.reason ?? data),
      ['other_epoch', 'x'],
    );
    assert.deepEqual(messagesOf(await poll('gaps', `?from=${answer.body.next}&wait=0`)), []);
  });

  test('answers 304 if the client has the empty answer already', async () => {
    const { headers, body } = await poll('etag', '?wait=0');
    const etag = headers.get('etag') ?? '';
    for (const [condition, status] of [
      [etag, 304],
      [`W/${etag}`, 304],
      [`"other", W/${etag}`, 304],
      ['"other"', 200],
    ] as const) {
      const again = await fetch(`${server.url}/v1/channels/etag?from=${body.next}&wait=0`, {
        headers: { ...ACCEPT, 'if-none-match': condition },
      });
      assert.equal(again.status, status, condition);
      assert.equal((await again.text()) === '', status === 304);
    }
    await publish('etag', 0, 1);
    const changed = await get(server, `/v1/channels/etag?from=${body.next}`, {
      ...ACCEPT,
      'if-none-match': headers.get('etag') ?? '',
    });
    assert.deepEqual([changed.status, dataOf(changed)], [200, [0]]);
  });

  test('does not wait on HEAD', async () => {
    const response = await fetch(`${server.url}/v1/channels/head`, { method: 'HEAD', headers: ACCEPT });
    assert.deepEqual([response.status, await response.text()], [200, '']);
  });

  test('answers with what it has when the server shuts down', async () => {
    const ending = await startEdgeServer();
    const { body } = await get(ending, '/v1/channels/a?wait=0', ACCEPT);
    const waiting = get(ending, `/v1/channels/a?from=${body.next}`, ACCEPT);
    await untilSubscriptions(ending, 1);
    ending.hub.drain();
    const answer = await waiting;
    assert.deepEqual([answer.status, answer.body], [200, { messages: [], next: body.next }]);
    await ending.close();
  });

  test('gives up its subscription once it is answered, or when the client leaves', async () => {
    const own = await startEdgeServer();
    await get(own, '/v1/channels/a?wait=0', ACCEPT);
    assert.equal(own.subscriptions(), 0);
    const client = new RawClient(own.port);
    client.send('GET /v1/channels/a HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n');
    await untilSubscriptions(own, 1);
    await client.close();
    await untilSubscriptions(own, 0);
    await own.close();
  });
});

describe('A poll is bounded', () => {
  test('by max, cut exactly there, and the next one begins with what follows', async () => {
    await publish('cut', 0, 45);
    for (const max of [1, 10, 44, 45, 46]) {
      const answer = await poll('cut', `?from=earliest&max=${max}`);
      assert.deepEqual(dataOf(answer), numbers(0, Math.min(45, max)));
      assert.equal(messagesOf(answer).at(-1)?.cursor, answer.body.next);
      const rest = await poll('cut', `?from=${answer.body.next}&wait=0`);
      assert.deepEqual(dataOf(rest), numbers(Math.min(45, max), 45));
    }
  });

  test('by limits.pollBytesMax, at the border of a message', async () => {
    const entries = numbers(0, 20).map((n) => ({ channel: 'bytes', data: `${n} ${'x'.repeat(2000)}` }));
    await post(server, '/v1/publish', JSON.stringify(entries), JSON_TYPE);
    const received: unknown[] = [];
    let next = 'earliest';
    while (received.length < 20) {
      const response = await fetch(`${server.url}/v1/channels/bytes?from=${next}&wait=0`, {
        headers: ACCEPT,
      });
      const text = await response.text();
      assert.ok(text.length < 16 * 1024 + 100, `${text.length} bytes`);
      const body = JSON.parse(text);
      received.push(...body.messages.map(({ data }: Delivered) => data));
      next = body.next;
    }
    assert.deepEqual(
      received,
      entries.map(({ data }) => data),
    );
  });

  test('but delivers a message that is larger alone than limits.pollBytesMax', async () => {
    const data = 'x'.repeat(20_000);
    await post(server, '/v1/channels/large', data);
    await post(server, '/v1/channels/large', 'next');
    const answer = await poll('large', '?from=earliest');
    assert.deepEqual(dataOf(answer), [data]);
    assert.deepEqual(dataOf(await poll('large', `?from=${answer.body.next}`)), ['next']);
  });

  for (const query of [
    'max=0',
    'max=51',
    'max=x',
    'max=-1',
    'wait=-1',
    'wait=20.001',
    'wait=x',
    'wait=',
    'wait=1&wait=2',
    'slow=drop',
    'event=type',
  ]) {
    test(`so that ?${query} is refused`, async () => {
      assertProblem(await poll('a', `?${query}`), 400, 'http_query_invalid');
    });
  }
});

describe('GET /v1/history/{channel}', () => {
  test('answers at once, from the first message on, page by page', async () => {
    await publish('history', 0, 120);
    const received: unknown[] = [];
    let query = '';
    let pages = 0;
    for (;;) {
      const answer = await get(server, `/v1/history/history${query}`);
      if (messagesOf(answer).length === 0) break;
      received.push(...dataOf(answer));
      query = `?from=${answer.body.next}`;
      pages++;
    }
    assert.deepEqual(received, numbers(0, 120));
    assert.equal(pages, 3);
  });

  test('takes from, max and a wildcard', async () => {
    await publish('tree/a', 0, 2);
    await publish('tree/b', 2, 4);
    const answer = await get(server, '/v1/history/tree/%23?from=-3&max=2');
    assert.deepEqual(dataOf(answer), [1, 2]);
  });

  test('does not wait, and so takes no wait', async () => {
    assert.deepEqual(messagesOf(await get(server, '/v1/history/nobody-wrote-here')), []);
    assertProblem(await get(server, '/v1/history/a?wait=1'), 400, 'http_query_invalid');
  });
});
