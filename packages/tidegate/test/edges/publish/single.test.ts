import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, test } from 'node:test';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { assertProblem, post, RawClient, stored, storedJson } from '../requests.ts';

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({ limits: { messageBytesMax: 4096, channelBytesMax: 32 } });
});
after(() => server.close());

describe('POST /v1/channels/{channel}', () => {
  test('answers with where the event was stored, and a reader goes on from there', async () => {
    const first = await post(server, '/v1/channels/a/receipt', 'one');
    assert.equal(first.status, 200);
    assert.equal(first.headers.get('content-type'), 'application/json');
    assert.deepEqual(Object.keys(first.body), ['channel', 'id', 'cursor', 'duplicate']);
    assert.equal(first.body.channel, 'a/receipt');
    assert.equal(first.body.duplicate, false);
    await post(server, '/v1/channels/a/receipt', 'two');
    const rest = await stored(server, `a/receipt?from=${first.body.cursor}`);
    assert.deepEqual(
      rest.map((message) => message.data),
      ['two'],
    );
  });

  test('takes the rest of the path for the channel, decoded as UTF-8', async () => {
    const answer = await post(server, '/v1/channels/caf%C3%A9/x%20y%2Fz/+1', 'x');
    assert.equal(answer.body.channel, 'café/x y/z/+1');
  });

  for (const [name, contentType, body, expected] of [
    ['JSON', 'application/json', '{"a":[1]}', { data: { a: [1] } }],
    ['JSON by its suffix', 'application/vnd.api+json; charset=UTF-8', '[]', { data: [] }],
    ['text', 'text/plain', 'é\r\n', { data: 'é\r\n' }],
    ['text of no bytes', 'text/plain', '', { data: '' }],
    ['a type whose charset is UTF-8', 'application/x-own; charset="utf-8"', 'é', { data: 'é' }],
    ['what curl -d sends', 'application/x-www-form-urlencoded', 'a=b', { data: 'a=b' }],
    ['XML in UTF-8', 'application/atom+xml', '<é/>', { data: '<é/>' }],
    ['XML in another charset', 'application/xml', Buffer.from([0x3c, 0xff]), { data_base64: 'PP8=' }],
    [
      'text in another charset',
      'text/plain; charset=ISO-8859-1',
      Buffer.from([0xe9]),
      { data_base64: '6Q==' },
    ],
    ['bytes', 'application/octet-stream', Buffer.from([0, 255]), { data_base64: 'AP8=' }],
    ['bytes that look like text', 'application/octet-stream', 'text', { data_base64: 'dGV4dA==' }],
  ] as const) {
    test(`delivers ${name} as it was sent (${contentType})`, async () => {
      const channel = `type-${name.replaceAll(/\W/g, '')}`.slice(0, 32);
      const answer = await post(server, `/v1/channels/${channel}`, body, { 'content-type': contentType });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const [{ data, data_base64, datacontenttype }] = await stored(server, channel);
      assert.deepEqual({ data, data_base64 }, { data: undefined, data_base64: undefined, ...expected });
      assert.equal(datacontenttype, contentType);
    });
  }

  test('takes a body without a content type for text if it is UTF-8, and for bytes if not', async () => {
    await post(server, '/v1/channels/untyped', 'é');
    await post(server, '/v1/channels/untyped', Buffer.from([0xff]));
    const [text, bytes] = await stored(server, 'untyped');
    assert.equal(text.data, 'é');
    assert.equal(bytes.data_base64, '/w==');
    assert.ok(!('datacontenttype' in text) && !('datacontenttype' in bytes));
  });

  test('takes neither body nor content type for an event without data', async () => {
    await post(server, '/v1/channels/nothing', undefined);
    const [message] = await stored(server, 'nothing');
    assert.deepEqual(Object.keys(message), ['channel', 'cursor', 'id', 'time']);
  });

  test('keeps JSON as it was sent: numbers beyond double precision, order and repetition of names', async () => {
    const json = '{"b":12345678901234567890,"a":1e400,"a":0.10}';
    await post(server, '/v1/channels/exact', json, { 'content-type': 'application/json' });
    assert.ok((await storedJson(server, 'exact')).includes(`"data":${json}}`));
  });

  test('keeps a body that arrives in many slices', async () => {
    const client = new RawClient(server.port);
    const body = Buffer.from('é'.repeat(200));
    client.send(
      `POST /v1/channels/slices HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (const byte of body) client.send(Buffer.from([0x31, 13, 10, byte, 13, 10]));
    client.send('0\r\n\r\n');
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 /);
    assert.equal((await stored(server, 'slices'))[0].data, 'é'.repeat(200));
  });
});

describe('Idempotency-Key', () => {
  test('makes a retry recognisable and is the id of the event', async () => {
    const headers = { 'idempotency-key': 'order-1', 'content-type': 'text/plain' };
    const first = await post(server, '/v1/channels/retry', 'x', headers);
    const second = await post(server, '/v1/channels/retry', 'x', headers);
    assert.deepEqual(second.body, { ...first.body, duplicate: true });
    assert.equal(first.body.id, 'order-1');
    const messages = await stored(server, 'retry');
    assert.deepEqual(
      messages.map(({ id, datacontenttype }) => [id, datacontenttype]),
      [['order-1', 'text/plain']],
    );
  });

  test('may be the quoted string of its draft', async () => {
    const answer = await post(server, '/v1/channels/quoted', 'x', { 'idempotency-key': '"k 1"' });
    assert.equal(answer.body.id, 'k 1');
  });

  test('counts per channel', async () => {
    const headers = { 'idempotency-key': 'same' };
    const answers = await Promise.all(
      ['k/1', 'k/2'].map((name) => post(server, `/v1/channels/${name}`, 'x', headers)),
    );
    assert.deepEqual(
      answers.map(({ body }) => body.duplicate),
      [false, false],
    );
  });

  test('that is empty is refused', async () => {
    assertProblem(
      await post(server, '/v1/channels/a', 'x', { 'idempotency-key': '""' }),
      400,
      'event_invalid',
      /"id"/,
    );
  });
});

describe('What cannot be published', () => {
  const json = { 'content-type': 'application/json' };
  test('is malformed JSON, with the position of the first error', async () => {
    assertProblem(await post(server, '/v1/channels/bad', '{"a":}', json), 400, 'json_malformed', /at byte 5/);
    assertProblem(await post(server, '/v1/channels/bad', '', json), 400, 'json_malformed', /at byte 0/);
  });

  test('is JSON or text that is not UTF-8', async () => {
    const bytes = Buffer.from([0x22, 0xff, 0x22]);
    assertProblem(await post(server, '/v1/channels/bad', bytes, json), 400, 'utf8_invalid');
    assertProblem(
      await post(server, '/v1/channels/bad', bytes, { 'content-type': 'text/plain' }),
      400,
      'utf8_invalid',
    );
  });

  test('is a body larger than limits.messageBytesMax, whether its length is announced or not', async () => {
    assert.equal((await post(server, '/v1/channels/big', 'x'.repeat(4096))).status, 200);
    assertProblem(await post(server, '/v1/channels/bad', 'x'.repeat(4097)), 413, 'body_too_large');
    const client = new RawClient(server.port);
    client.send(
      `POST /v1/channels/bad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n${'x'.repeat(4097)}\r\n0\r\n\r\n`,
    );
    assert.match(await client.until(/body_too_large/), /^HTTP\/1\.1 413 /);
    await client.close();
  });

  test('is a content type that is not a media type, or a body that is coded', async () => {
    const compressed = { 'content-encoding': 'gzip' };
    assertProblem(
      await post(server, '/v1/channels/bad', 'x', { 'content-type': 'text' }),
      415,
      'http_media_type_unsupported',
    );
    assertProblem(
      await post(server, '/v1/channels/bad', 'x', compressed),
      415,
      'http_media_type_unsupported',
      /Content-Encoding/,
    );
  });

  for (const [what, channel, status, code] of [
    ['an empty channel', '', 400, 'channel_invalid'],
    ['a channel longer than limits.channelBytesMax', 'c'.repeat(33), 400, 'channel_invalid'],
    ['a channel that is not UTF-8', '%ff', 400, 'channel_invalid'],
    ['a broken percent-encoding', 'a%2', 400, 'channel_invalid'],
    ['a control character', 'a%00', 400, 'channel_invalid'],
    ['a wildcard', 'a/+', 400, 'channel_not_publishable'],
    ['the server’s own', '_own', 403, 'channel_reserved'],
  ] as const) {
    test(`is anything to ${what}`, async () => {
      assertProblem(await post(server, `/v1/channels/${channel}`, 'x'), status, code);
    });
  }

  test('is not stored', async () => {
    assert.deepEqual(await stored(server, 'bad'), []);
  });

  test('is what the client does not complete, and the server goes on', async () => {
    const client = new RawClient(server.port);
    client.send('POST /v1/channels/cut HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
    await client.close();
    assert.equal((await post(server, '/v1/channels/cut', 'whole')).status, 200);
    assert.deepEqual(
      (await stored(server, 'cut')).map(({ data }) => data),
      ['whole'],
    );
  });
});
