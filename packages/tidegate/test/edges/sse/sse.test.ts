import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import fc from 'fast-check';
import { topicSpec } from '../../support/test-hub.ts';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { assertProblem, get, OpenStream, post, RawClient, untilSubscriptions } from '../requests.ts';

const ACCEPT = { accept: 'text/event-stream' };
const TEXT = { 'content-type': 'text/plain' };
const JSON_TYPE = { 'content-type': 'application/json' };

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({ topics: [topicSpec('short', { retentionBytes: 1 })] });
});
after(() => server.close());

/** What a stream has brought, without what begins it. */
function events(stream: OpenStream): string {
  const preamble = /^retry: 1000\n(id: \S+\n)?\n/.exec(stream.text);
  assert.ok(preamble !== null, stream.text);
  return stream.text.slice(preamble[0].length);
}

async function cursorOf(channel: string, body: string): Promise<string> {
  return (await post(server, `/v1/channels/${channel}`, body, TEXT)).body.cursor as string;
}

describe('GET /v1/channels/{channel} with Accept: text/event-stream', () => {
  test('answers with headers that keep proxies from buffering, storing and transforming', async () => {
    const { headers } = (await OpenStream.open(server, '/v1/channels/head', ACCEPT)).response;
    assert.equal(headers.get('content-type'), 'text/event-stream');
    assert.equal(headers.get('cache-control'), 'no-store, no-transform');
    assert.equal(headers.get('x-accel-buffering'), 'no');
    assert.equal(headers.get('vary'), 'Accept');
  });

  test('delivers the bare data, with the cursor as the id and no event name', async () => {
    const stream = await OpenStream.open(server, '/v1/channels/bare', ACCEPT);
    const cursor = await cursorOf('bare', 'one\ntwo');
    await stream.until('\n\n', 2);
    assert.equal(events(stream), `id: ${cursor}\ndata: one\ndata: two\n\n`);
    stream.close();
  });

  test('frames each flush as one chunk, whose size is right', async () => {
    const client = new RawClient(server.port);
    client.send('GET /v1/channels/framed HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
    await client.until(/\r\n\r\n[0-9a-f]{8}\r\nretry: 1000\nid: \S+\n\n\r\n$/);
    const cursor = await cursorOf('framed', 'é'.repeat(200));
    const event = `id: ${cursor}\ndata: ${'é'.repeat(200)}\n\n`;
    const size = Buffer.byteLength(event).toString(16).padStart(8, '0');
    await client.until(/data: .*\n\n\r\n$/s);
    assert.ok(client.bytes.toString().endsWith(`\r\n${size}\r\n${event}\r\n`));
    await client.close();
  });

  test('keeps the frames of several channels apart that are written in the same turn', async () => {
    const streams = await Promise.all(
      ['i/a', 'i/b', 'i/+'].map((channel) => OpenStream.open(server, `/v1/channels/${channel}`, ACCEPT)),
    );
    const entries = ['a', 'b', 'b', 'a'].map((name, n) => ({ channel: `i/${name}`, data: `${name}${n}` }));
    await post(server, '/v1/publish', JSON.stringify(entries), JSON_TYPE);
    await Promise.all(streams.map((stream, i) => stream.until('data: ', i === 2 ? 4 : 2)));
    const received = streams.map((stream) =>
      [...stream.text.matchAll(/data: (.*)\n/g)].map(([, data]) => data),
    );
    assert.deepEqual(received, [
      ['a0', 'a3'],
      ['b1', 'b2'],
      ['a0', 'b1', 'b2', 'a3'],
    ]);
    for (const stream of streams) stream.close();
  });

  test('tells where it begins, so that a client cut off before its first message misses nothing', async () => {
    await cursorOf('begins', 'before');
    const stream = await OpenStream.open(server, '/v1/channels/begins', ACCEPT);
    await stream.until('\n\n');
    const told = /^retry: 1000\nid: (\S+)\n\n$/.exec(stream.text)?.[1];
    assert.equal(stream.response.headers.get('tidegate-cursor'), told);
    stream.close();
    await cursorOf('begins', 'meanwhile');
    const resumed = await OpenStream.open(server, '/v1/channels/begins', {
      ...ACCEPT,
      'last-event-id': told as string,
    });
    await resumed.until('data: ');
    assert.match(resumed.text, /^retry: 1000\n\nid: \S+\ndata: meanwhile\n/);
    resumed.close();
  });

  test('serves HTTP/1.0 without chunks', async () => {
    const client = new RawClient(server.port);
    client.send('GET /v1/channels/old HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n');
    await client.until(/\r\n\r\nretry: 1000\nid: \S+\n\n$/);
    await cursorOf('old', 'x');
    assert.match(await client.until(/data: x\n\n$/), /\r\n\r\nretry: 1000\nid: \S+\n\nid: \S+\ndata: x\n\n$/);
    await client.close();
  });

  test('answers HEAD with the head alone', async () => {
    const response = await fetch(`${server.url}/v1/channels/head`, { method: 'HEAD', headers: ACCEPT });
    assert.deepEqual(
      [response.status, response.headers.get('content-type'), await response.text()],
      [200, 'text/event-stream', ''],
    );
  });

  test('ends its subscription when the client leaves', async () => {
    const own = await startEdgeServer();
    const streams = await Promise.all([1, 2].map(() => OpenStream.open(own, '/v1/channels/leaves', ACCEPT)));
    await untilSubscriptions(own, 2);
    streams[0].close();
    await untilSubscriptions(own, 1);
    streams[1].close();
    await untilSubscriptions(own, 0);
    await own.close();
  });
});

describe('Payloads arrive intact', () => {
  test('of any text and any bytes, at a third-party EventSource', async () => {
    const payload = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => ({ bytes: Buffer.from(text), type: 'text/plain' })),
      fc
        .uint8Array({ maxLength: 200 })
        .map((bytes) => ({ bytes: Buffer.from(bytes), type: 'application/octet-stream' })),
      fc
        .jsonValue()
        .map((value) => ({ bytes: Buffer.from(JSON.stringify(value, null, 1)), type: 'application/json' })),
      fc
        .constantFrom('', '\n', '\n\n', ' ', 'a\r\nb', '\ufeffa', ':', 'id: 1', 'data: x', '\0')
        .map((text) => ({ bytes: Buffer.from(text), type: 'text/plain' })),
    );
    const samples = fc.sample(payload, { numRuns: 300, seed: 7 });
    const source = new EventSource(`${server.url}/v1/channels/payloads`);
    await new Promise((resolve) => {
      source.onopen = resolve;
    });
    const received: Buffer[] = [];
    const done = new Promise<void>((resolve) => {
      const take = (encoding: BufferEncoding) => (event: MessageEvent) => {
        received.push(Buffer.from(event.data as string, encoding));
        if (received.length === samples.length) resolve();
      };
      source.onmessage = take('utf8');
      source.addEventListener('base64', take('base64'));
    });
    for (const { bytes, type } of samples)
      await post(server, '/v1/channels/payloads', bytes, { 'content-type': type });
    await done;
    source.close();
    assert.deepEqual(
      received,
      samples.map(({ bytes }) => bytes),
    );
  });

  test('without data as an event named empty, which empty data are not', async () => {
    const stream = await OpenStream.open(server, '/v1/channels/empties?event=type', ACCEPT);
    await post(server, '/v1/channels/empties', undefined);
    await post(server, '/v1/channels/empties', '', TEXT);
    await post(server, '/v1/publish', '{"channel":"empties","type":"t"}', JSON_TYPE);
    await stream.until('\n\n', 4);
    assert.deepEqual(
      events(stream).replaceAll(/id: .*\n/g, ''),
      'event: empty\ndata: \n\ndata: \n\nevent: t;empty\ndata: \n\n',
    );
    stream.close();
  });
});

describe('What an event stream can be asked for', () => {
  test('is the CloudEvents type as the event name', async () => {
    const stream = await OpenStream.open(server, '/v1/channels/typed?event=type', ACCEPT);
    await post(
      server,
      '/v1/publish',
      '[{"channel":"typed","type":"order.paid","data":1},{"channel":"typed","type":"t","data_base64":"/w=="},{"channel":"typed","data":2}]',
      JSON_TYPE,
    );
    await stream.until('\n\n', 4);
    assert.equal(
      events(stream).replaceAll(/id: .*\n/g, ''),
      'event: order.paid\ndata: 1\n\nevent: t;base64\ndata: /w==\n\ndata: 2\n\n',
    );
    stream.close();
  });

  for (const envelope of ['json', 'cloudevents']) {
    test(`is envelope=${envelope}, on one line, with the cursor inside`, async () => {
      const stream = await OpenStream.open(server, `/v1/channels/wrapped?envelope=${envelope}`, ACCEPT);
      const body = '{"channel":"wrapped","type":"t","data":{"a":\n1}}';
      const answer = await post(server, '/v1/publish', body, JSON_TYPE);
      const [{ cursor }] = answer.body.results as { cursor: string }[];
      await stream.until('\n\n', 2);
      const [id, data] = events(stream).trimEnd().split('\n');
      assert.equal(id, `id: ${cursor}`);
      const message = JSON.parse(data.slice('data: '.length));
      assert.deepEqual(
        [message.channel, message.cursor, message.data, message.specversion],
        ['wrapped', cursor, { a: 1 }, envelope === 'json' ? undefined : '1.0'],
      );
      stream.close();
    });
  }

  test('is where to begin, and Last-Event-ID beats it', async () => {
    const first = await cursorOf('resumed', 'one');
    await cursorOf('resumed', 'two');
    const fromStart = await OpenStream.open(server, '/v1/channels/resumed?from=earliest', ACCEPT);
    await fromStart.until('data: two');
    assert.match(fromStart.text, /data: one/);
    const resumed = await OpenStream.open(server, '/v1/channels/resumed?from=earliest', {
      ...ACCEPT,
      'last-event-id': first,
    });
    await resumed.until('data: two');
    assert.doesNotMatch(resumed.text, /data: one/);
    fromStart.close();
    resumed.close();
  });

  test('is a wildcard', async () => {
    const stream = await OpenStream.open(server, '/v1/channels/wild/+/x?envelope=json', ACCEPT);
    for (const channel of ['wild/1/x', 'wild/1/y', 'wild/2/x']) await cursorOf(channel, 'x');
    await stream.until('data:', 2);
    assert.deepEqual(
      [...stream.text.matchAll(/"channel":"([^"]+)"/g)].map(([, channel]) => channel),
      ['wild/1/x', 'wild/2/x'],
    );
    stream.close();
  });

  test('is several channels, by GET /v1/sse', async () => {
    const stream = await OpenStream.open(server, '/v1/sse?channel=s/a&channel=s%2Fb&envelope=json');
    for (const channel of ['s/a', 's/b', 's/c', 's/a']) await cursorOf(channel, channel);
    await stream.until('data:', 3);
    assert.deepEqual(
      [...stream.text.matchAll(/"data":"([^"]+)"/g)].map(([, data]) => data),
      ['s/a', 's/b', 's/a'],
    );
    stream.close();
  });

  for (const [path, code, status] of [
    ['/v1/channels/a?form=earliest', 'http_query_invalid', 400],
    ['/v1/channels/a?wait=1', 'http_query_invalid', 400],
    ['/v1/channels/a?channel=b', 'http_query_invalid', 400],
    ['/v1/channels/a?envelope=xml', 'http_query_invalid', 400],
    ['/v1/channels/a?event=id', 'http_query_invalid', 400],
    ['/v1/channels/a?slow=maybe', 'http_query_invalid', 400],
    ['/v1/channels/a?slow=drop&slow=close', 'http_query_invalid', 400],
    ['/v1/channels/a?from=yesterday', 'position_invalid', 400],
    ['/v1/channels/a?from=', 'position_invalid', 400],
    ['/v1/channels/a/%23/b', 'channel_invalid', 400],
    ['/v1/channels/_own', 'channel_reserved', 403],
    ['/v1/sse', 'http_query_invalid', 400],
    ['/v1/sse?channel=', 'channel_invalid', 400],
  ] as const) {
    test(`is not ${path}: ${code}`, async () => {
      assertProblem(await get(server, path, ACCEPT), status, code);
    });
  }

  test('is not a Last-Event-ID that is no cursor', async () => {
    assertProblem(
      await get(server, '/v1/channels/a', { ...ACCEPT, 'last-event-id': 'latest' }),
      400,
      'position_invalid',
    );
  });

  test('may come with an access_token, which is not a parameter of the subscription', async () => {
    (await OpenStream.open(server, '/v1/channels/a?access_token=x', ACCEPT)).close();
  });
});

describe('A gap is an event named gap, with the position from which reading goes on,', () => {
  test('for a cursor of another epoch', async () => {
    const last = await cursorOf('gaps', 'kept');
    const [topic, , ...rest] = last.split('~');
    const other = [topic, 'otherEpoch00', ...rest].join('~');
    const stream = await OpenStream.open(server, `/v1/channels/gaps?from=${other}`, ACCEPT);
    await stream.until('data: kept');
    const [, id, data] =
      /^event: gap\nid: (\S+)\ndata: (\S+)\n\n/.exec(events(stream)) ?? assert.fail(stream.text);
    assert.deepEqual(JSON.parse(data), { gap: { reason: 'other_epoch', cursor: id } });
    stream.close();
  });

  test('for a cursor below what the topic still keeps', async () => {
    const first = await cursorOf('short/x', 'dropped');
    for (const text of ['dropped', 'dropped', 'kept']) await cursorOf('short/x', text);
    await server.log.maintain();
    const stream = await OpenStream.open(server, `/v1/channels/short/x?from=${first}`, ACCEPT);
    await stream.until('\n\n', 2);
    const [, id, data] =
      /^event: gap\nid: (\S+)\ndata: (\S+)\n\n/.exec(events(stream)) ?? assert.fail(stream.text);
    assert.deepEqual(JSON.parse(data), { gap: { reason: 'below_retention', cursor: id } });
    assert.doesNotMatch(stream.text, /dropped/);
    stream.close();
  });

  test('at a third-party EventSource, which resumes behind it', async () => {
    const [topic, epoch, partition] = (await cursorOf('gaps', 'x')).split('~');
    const source = new EventSource(
      `${server.url}/v1/channels/gaps?from=${topic}~${epoch}~${partition}~999999`,
    );
    const event = await new Promise<MessageEvent>((resolve) => source.addEventListener('gap', resolve));
    source.close();
    const { gap } = JSON.parse(event.data);
    assert.deepEqual([gap.reason, gap.cursor], ['beyond_end', event.lastEventId]);
  });
});

describe('A silent event stream', () => {
  test('is kept alive: with the new position if it has moved, with a comment if not', async () => {
    const quick = await startEdgeServer({ limits: { keepAliveIntervalMs: 100 } });
    const stream = await OpenStream.open(quick, '/v1/channels/silent', ACCEPT);
    await stream.until('\n:\n');
    // Another channel of the same topic moves the position of this one.
    const { body } = await post(quick, '/v1/channels/other', 'x');
    await stream.until(`\nid: ${body.cursor}\n\n`);
    stream.close();
    await quick.close();
  });
});

test('An event stream ends politely when the server shuts down, and new ones are refused', async () => {
  const ending = await startEdgeServer();
  const streams = await Promise.all(
    ['/v1/channels/a', '/v1/channels/b', '/v1/sse?channel=c'].map((path) =>
      OpenStream.open(ending, path, ACCEPT),
    ),
  );
  await Promise.all(streams.map((stream) => stream.until('retry')));
  ending.hub.drain();
  // fetch fails if the last chunk is missing.
  await Promise.all(streams.map((stream) => stream.untilEnd()));
  assertProblem(await get(ending, '/v1/channels/a', ACCEPT), 503, 'draining');
  await ending.close();
});
