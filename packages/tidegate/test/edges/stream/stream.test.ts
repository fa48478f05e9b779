import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { assertProblem, type Delivered, get, OpenStream, post, RawClient } from '../requests.ts';

const ACCEPT = { accept: 'application/x-ndjson' };
const JSON_TYPE = { 'content-type': 'application/json' };

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer();
});
after(() => server.close());

function lines(stream: OpenStream): readonly Delivered[] {
  return stream.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('GET /v1/channels/{channel} with Accept: application/x-ndjson', () => {
  test('answers with headers that keep proxies from buffering, storing and transforming', async () => {
    const stream = await OpenStream.open(server, '/v1/channels/head', ACCEPT);
    const { headers } = stream.response;
    assert.equal(headers.get('content-type'), 'application/x-ndjson');
    assert.equal(headers.get('cache-control'), 'no-store, no-transform');
    assert.equal(headers.get('x-accel-buffering'), 'no');
    stream.close();
  });

  test('is also what a client without a wish gets', async () => {
    for (const accept of ['*/*', 'application/*']) {
      const stream = await OpenStream.open(server, '/v1/channels/head', { accept });
      assert.equal(stream.response.headers.get('content-type'), 'application/x-ndjson');
      stream.close();
    }
    const client = new RawClient(server.port);
    client.send('GET /v1/channels/head HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(await client.until(/\r\n\r\n/), /content-type: application\/x-ndjson/);
    await client.close();
  });

  test('delivers a message a line, as docs/http.md describes it', async () => {
    const stream = await OpenStream.open(server, '/v1/channels/lines', ACCEPT);
    const { body } = await post(server, '/v1/channels/lines', '{"state":"paid"}', JSON_TYPE);
    const text = await stream.until('\n');
    const { time } = JSON.parse(text);
    assert.equal(
      text,
      `{"channel":"lines","cursor":"${body.cursor}","id":"${body.id}","time":"${time}","datacontenttype":"application/json","data":{"state":"paid"}}\n`,
    );
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    stream.close();
  });

  test('goes from history to live without a gap or a duplicate', async () => {
    for (const n of [1, 2, 3]) await post(server, '/v1/channels/joined', String(n), JSON_TYPE);
    const stream = await OpenStream.open(server, '/v1/channels/joined?from=-2', ACCEPT);
    const publishing = Promise.all(
      [4, 5, 6].map((n) => post(server, '/v1/channels/joined', String(n), JSON_TYPE)),
    );
    await stream.until('\n', 5);
    await publishing;
    assert.deepEqual(
      lines(stream)
        .map(({ data }) => data)
        .slice(0, 2),
      [2, 3],
    );
    assert.deepEqual(new Set(lines(stream).map(({ data }) => data)), new Set([2, 3, 4, 5, 6]));
    stream.close();
  });

  test('resumes after every line from its cursor, missing nothing', async () => {
    for (let n = 0; n < 10; n++) await post(server, '/v1/channels/cursors', String(n), JSON_TYPE);
    const whole = await OpenStream.open(server, '/v1/channels/cursors?from=earliest', ACCEPT);
    await whole.until('\n', 10);
    for (const { cursor, data } of lines(whole).slice(0, -1)) {
      const rest = await OpenStream.open(server, `/v1/channels/cursors?from=${cursor}`, ACCEPT);
      await rest.until('\n', 9 - (data as number));
      assert.deepEqual(
        lines(rest).map((line) => line.data),
        [...Array(9 - (data as number)).keys()].map((n) => n + (data as number) + 1),
      );
      rest.close();
    }
    whole.close();
  });

  test('delivers any payload intact', async () => {
    const payloads = fc.sample(
      fc.oneof(
        fc.string({ unit: 'binary' }).map((text) => ({ bytes: Buffer.from(text), type: 'text/plain' })),
        fc
          .uint8Array({ maxLength: 200 })
          .map((bytes) => ({ bytes: Buffer.from(bytes), type: 'application/octet-stream' })),
      ),
      { numRuns: 200, seed: 11 },
    );
    const stream = await OpenStream.open(server, '/v1/channels/payloads', ACCEPT);
    for (const { bytes, type } of payloads)
      await post(server, '/v1/channels/payloads', bytes, { 'content-type': type });
    await stream.until('\n', payloads.length);
    const received = lines(stream).map(({ data, data_base64 }) =>
      data_base64 === undefined ? Buffer.from(data as string) : Buffer.from(data_base64, 'base64'),
    );
    assert.deepEqual(
      received,
      payloads.map(({ bytes }) => bytes),
    );
    stream.close();
  });

  test('delivers CloudEvents, if asked', async () => {
    const stream = await OpenStream.open(server, '/v1/channels/cloud?envelope=cloudevents', ACCEPT);
    await post(server, '/v1/channels/cloud', 'x');
    await stream.until('\n');
    const { cursor, id, time, ...event } = lines(stream)[0];
    assert.deepEqual(event, {
      channel: 'cloud',
      specversion: '1.0',
      source: '/v1/channels/cloud',
      type: 'tidegate.message',
      datacontenttype: 'text/plain',
      data: 'x',
    });
    stream.close();
  });

  test('tells a gap as a line of its own', async () => {
    const { body } = await post(server, '/v1/channels/gaps', 'x');
    const cursor = (body.cursor as string).replace(/^(default~)[^~]+/, '$1otherEpoch00');
    const stream = await OpenStream.open(server, `/v1/channels/gaps?from=${cursor}`, ACCEPT);
    await stream.until('\n', 2);
    const [gap, message] = lines(stream);
    assert.deepEqual([Object.keys(gap), gap.gap?.reason, message.data], [['gap'], 'other_epoch', 'x']);
    stream.close();
  });

  test('is kept alive: by the new position if it has moved, by an empty line if not', async () => {
    const quick = await startEdgeServer({ limits: { keepAliveIntervalMs: 100 } });
    const stream = await OpenStream.open(quick, '/v1/channels/silent', ACCEPT);
    await stream.until('\n\n');
    const { body } = await post(quick, '/v1/channels/other', 'x');
    await stream.until(`\n{"cursor":"${body.cursor}"}\n`);
    stream.close();
    await quick.close();
  });

  test('ends politely when the server shuts down', async () => {
    const ending = await startEdgeServer();
    const stream = await OpenStream.open(ending, '/v1/channels/a', ACCEPT);
    await post(ending, '/v1/channels/a', 'last');
    await stream.until('\n');
    const closing = ending.close();
    // fetch fails if the last chunk is missing.
    assert.match(await stream.untilEnd(), /"data":"last"\}\n$/);
    await closing;
  });

  test('is a stream without chunks on HTTP/1.0', async () => {
    const client = new RawClient(server.port);
    client.send('GET /v1/channels/old HTTP/1.0\r\n\r\n');
    await client.until(/\r\n\r\n$/);
    await post(server, '/v1/channels/old', 'x');
    assert.match(await client.until(/\}\n$/), /\r\n\r\n\{.*"data":"x"\}\n$/);
    await client.close();
  });

  test('takes no parameter of other edges', async () => {
    for (const parameter of ['event=type', 'wait=1', 'max=1', 'envelope=none']) {
      assertProblem(await get(server, `/v1/channels/a?${parameter}`, ACCEPT), 400, 'http_query_invalid');
    }
  });
});
