import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, test } from 'node:test';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { assertProblem, get, post, RawClient, stored } from '../requests.ts';

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({ limits: { eventAttributesBytesMax: 1024 } });
});
after(() => server.close());

const BINARY = {
  'ce-specversion': '1.0',
  'ce-id': 'e-1',
  'ce-source': '/orders',
  'ce-type': 'order.paid',
};
const EVENT = { specversion: '1.0', id: 'e-1', source: '/orders', type: 'order.paid' };
const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const BATCH = { 'content-type': 'application/cloudevents-batch+json' };

function structured(channel: string, changes: Record<string, unknown>): ReturnType<typeof post> {
  return post(server, `/v1/channels/${channel}`, JSON.stringify({ ...EVENT, ...changes }), STRUCTURED);
}

describe('A CloudEvent in the binary mode (HTTP binding, section 3.1)', () => {
  test('has its attributes in headers and its data in the body', async () => {
    const answer = await post(server, '/v1/channels/binary', '{"a":1}', {
      ...BINARY,
      'ce-subject': 'order 42',
      'ce-time': '2026-11-20T19:00:00.5+01:00',
      'ce-tracelevel': '7',
      'content-type': 'application/json',
    });
    assert.equal(answer.body.id, 'e-1');
    const [{ cursor, ...message }] = await stored(server, 'binary');
    assert.deepEqual(message, {
      channel: 'binary',
      id: 'e-1',
      time: '2026-11-20T19:00:00.5+01:00',
      source: '/orders',
      type: 'order.paid',
      subject: 'order 42',
      tracelevel: '7',
      datacontenttype: 'application/json',
      data: { a: 1 },
    });
  });

  test('comes out as a CloudEvent with the same attributes', async () => {
    const body = (await get(server, '/v1/history/binary?envelope=cloudevents')).body as {
      messages: Record<string, unknown>[];
    };
    const [{ specversion, source, type, channel }] = body.messages;
    assert.deepEqual(
      { specversion, source, type, channel },
      { specversion: '1.0', source: '/orders', type: 'order.paid', channel: 'binary' },
    );
  });

  test('has its values unquoted and percent-decoded once, as UTF-8 (section 3.1.3.2)', async () => {
    await post(server, '/v1/channels/decoded', 'x', {
      ...BINARY,
      'ce-euro': '%E2%82%AC%20%2525',
      'ce-quoted': '"a \\"b\\" %41"',
    });
    const [{ euro, quoted }] = await stored(server, 'decoded');
    assert.deepEqual({ euro, quoted }, { euro: '€ %25', quoted: 'a "b" A' });
  });

  test('may have UTF-8 in headers as it is', async () => {
    const client = new RawClient(server.port);
    const head = Object.entries(BINARY)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    client.send(
      Buffer.from(
        `POST /v1/channels/raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}ce-word: é€\r\nContent-Length: 0\r\n\r\n`,
      ),
    );
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 /);
    assert.equal((await stored(server, 'raw'))[0].word, 'é€');
  });

  test('is recognised when it is sent again: the same id of another source is another event', async () => {
    const send = (source: string): ReturnType<typeof post> =>
      post(server, '/v1/channels/identity', 'x', { ...BINARY, 'ce-source': source });
    const answers = [await send('/a'), await send('/b'), await send('/a')];
    assert.deepEqual(
      answers.map(({ body }) => body.duplicate),
      [false, false, true],
    );
  });

  for (const [what, changes, detail] of [
    ['no specversion', { 'ce-specversion': undefined }, /"specversion" is missing/],
    ['another specversion', { 'ce-specversion': '0.3' }, /"specversion" is not "1.0"/],
    ['no id', { 'ce-id': undefined }, /"id" is missing/],
    ['no source', { 'ce-source': undefined }, /"source" is missing/],
    ['no type', { 'ce-type': undefined }, /"type" is missing/],
    ['an empty id', { 'ce-id': '' }, /"id" is empty/],
    ['a source that is no URI reference', { 'ce-source': 'a%20b' }, /"source"/],
    ['a time that is not RFC 3339', { 'ce-time': '2026-11-20 19:00' }, /"time"/],
    ['a time that no calendar has', { 'ce-time': '2026-02-30T19:00:00Z' }, /"time"/],
    ['a relative dataschema', { 'ce-dataschema': '/schema' }, /"dataschema"/],
    ['a name with a hyphen', { 'ce-my-name': 'x' }, /"my-name"/],
    ['datacontenttype as a header', { 'ce-datacontenttype': 'text/plain' }, /"datacontenttype"/],
    ['data as a header', { 'ce-data': 'x' }, /"data"/],
    ['a broken percent-encoding', { 'ce-ext': '%4' }, /"ext"/],
    ['percent-encoding that is not UTF-8', { 'ce-ext': '%ff' }, /"ext"/],
    ['a control character', { 'ce-ext': '%07' }, /"ext"/],
    ['a noncharacter', { 'ce-ext': '%EF%BF%BE' }, /"ext"/],
    ['another Idempotency-Key', { 'idempotency-key': 'other' }, /Idempotency-Key/],
    [
      'attributes larger than limits.eventAttributesBytesMax',
      { 'ce-ext': 'x'.repeat(1024) },
      /limit is 1024/,
    ],
  ] as const) {
    test(`is refused with ${what}, which the detail names`, async () => {
      const headers = Object.fromEntries(
        Object.entries({ ...BINARY, ...changes }).filter(([, value]) => value !== undefined),
      );
      assertProblem(
        await post(server, '/v1/channels/refused', 'x', headers as Record<string, string>),
        400,
        'event_invalid',
        detail,
      );
    });
  }

  test('is refused if an attribute is given twice', async () => {
    const client = new RawClient(server.port);
    const head = Object.entries(BINARY)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    client.send(
      `POST /v1/channels/refused HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}CE-ID: e-2\r\nContent-Length: 0\r\n\r\n`,
    );
    assert.match(await client.untilEnd(), /event_invalid/);
  });
});

describe('A CloudEvent in the structured mode (HTTP binding, section 3.2)', () => {
  test('has attributes and data in one JSON object, whose values keep their form', async () => {
    const body =
      '{"specversion":"1.0","type":"t","source":"/s","id":"i","flag":true,"count":-7,"none":null,"data":{"n":1e400}}';
    const answer = await post(server, '/v1/channels/structured', body, STRUCTURED);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const text = await (await fetch(`${server.url}/v1/history/structured`)).text();
    assert.match(text, /"type":"t","source":"\/s","flag":"true","count":"-7","data":\{"n":1e400\}\}/);
    assert.doesNotMatch(text, /none/);
  });

  for (const [what, changes, expected] of [
    ['JSON without datacontenttype, even a string', { data: 'x' }, { data: 'x', dataIsJson: true }],
    [
      'text for another datacontenttype',
      { data: 'é"', datacontenttype: 'text/plain' },
      { data: 'é"', dataIsJson: false },
    ],
    ['bytes in base64', { data_base64: 'AP8=' }, { data_base64: 'AP8=' }],
    [
      'text in base64',
      { data_base64: 'aGk=', datacontenttype: 'text/plain' },
      { data: 'hi', dataIsJson: false },
    ],
    [
      'JSON in base64',
      { data_base64: 'WzFd', datacontenttype: 'application/json' },
      { data: [1], dataIsJson: true },
    ],
    ['nothing', {}, {}],
  ] as const) {
    test(`may carry ${what}`, async () => {
      const channel = `carries-${what.replaceAll(/\W/g, '')}`;
      assert.equal((await structured(channel, changes)).status, 200);
      const [{ data, data_base64 }] = await stored(server, channel);
      const { dataIsJson, ...values } = { dataIsJson: undefined, ...expected };
      assert.deepEqual({ data, data_base64 }, { data: undefined, data_base64: undefined, ...values });
      if (dataIsJson === undefined) return;
      // On the bare stream JSON appears with its quotes, text without.
      const stream = await fetch(`${server.url}/v1/channels/${channel}?from=earliest`, {
        headers: { accept: 'text/event-stream' },
      });
      const reader = stream.body!.getReader();
      let text = '';
      while (!text.includes('\ndata: ')) text += new TextDecoder().decode((await reader.read()).value);
      await reader.cancel();
      assert.ok(text.includes(`\ndata: ${dataIsJson ? JSON.stringify(data) : data}\n`), text);
    });
  }

  test('that this server delivered can be published again, under a channel and a cursor of its own', async () => {
    await structured('origin', { data: { a: 1 }, subject: 's' });
    const { messages } = (await get(server, '/v1/history/origin?envelope=cloudevents')).body as {
      messages: object[];
    };
    const answer = await post(server, '/v1/channels/copy', JSON.stringify(messages[0]), STRUCTURED);
    assert.equal(answer.body.channel, 'copy');
    const [copy] = await stored(server, 'copy');
    assert.equal(copy.subject, 's');
    assert.notEqual(copy.cursor, (await stored(server, 'origin'))[0].cursor);
  });

  for (const [what, changes, code, detail] of [
    ['no specversion', { specversion: undefined }, 'event_invalid', /"specversion"/],
    ['data and data_base64', { data: 1, data_base64: 'AA==' }, 'event_invalid', /data_base64/],
    ['a fraction for an attribute', { ext: 1.5 }, 'event_invalid', /"ext"/],
    ['an integer beyond 32 bits', { ext: 2147483648 }, 'event_invalid', /"ext"/],
    ['an object for an attribute', { ext: {} }, 'event_invalid', /"ext"/],
    ['a name in upper case', { Ext: 'x' }, 'event_invalid', /"Ext"/],
    [
      'data that do not fit datacontenttype',
      { data: {}, datacontenttype: 'text/plain' },
      'event_invalid',
      /"data"/,
    ],
    [
      'a datacontenttype that is not one',
      { data: '', datacontenttype: 'text' },
      'event_invalid',
      /"datacontenttype"/,
    ],
    ['data_base64 that is no string', { data_base64: 1 }, 'event_invalid', /"data_base64"/],
    ['base64 without padding', { data_base64: 'AA' }, 'base64_invalid', undefined],
    ['base64 of the URL alphabet', { data_base64: '-_8=' }, 'base64_invalid', undefined],
    ['base64 with bits left over', { data_base64: 'AB==' }, 'base64_invalid', undefined],
    [
      'text that has no UTF-8 form',
      { data: '\ud800', datacontenttype: 'text/plain' },
      'utf8_invalid',
      undefined,
    ],
    [
      'malformed JSON in base64',
      { data_base64: 'ew==', datacontenttype: 'application/json' },
      'event_invalid',
      /"data_base64"/,
    ],
  ] as const) {
    test(`is refused with ${what}`, async () => {
      assertProblem(await structured('refused', changes), 400, code, detail);
    });
  }

  test('is refused if it is not JSON, not an object, or if a member is given twice', async () => {
    const send = (body: string | Uint8Array): ReturnType<typeof post> =>
      post(server, '/v1/channels/refused', body, STRUCTURED);
    assertProblem(await send('{"a"'), 400, 'json_malformed', /at byte 4/);
    assertProblem(await send('{} {}'), 400, 'json_malformed', /at byte 3/);
    assertProblem(await send('[]'), 400, 'event_invalid', /object/);
    assertProblem(await send(Buffer.from([0x7b, 0xff])), 400, 'utf8_invalid');
    assertProblem(
      await send('{"specversion":"1.0","id":"1","source":"s","type":"t","id":"2"}'),
      400,
      'event_invalid',
      /"id" is given twice/,
    );
  });

  test('is refused in a format other than JSON', async () => {
    const avro = { 'content-type': 'application/cloudevents+avro' };
    assertProblem(
      await post(server, '/v1/channels/refused', 'x', avro),
      415,
      'http_media_type_unsupported',
      /avro/,
    );
  });
});

describe('CloudEvents in the batched mode (HTTP binding, section 3.3)', () => {
  test('go to the channel of the path, or each to its own', async () => {
    const events = [1, 2].map((n) => ({ ...EVENT, id: `b-${n}`, channel: `own/${n}`, data: n }));
    const toOne = await post(server, '/v1/channels/together', JSON.stringify(events), BATCH);
    const toMany = await post(server, '/v1/publish', JSON.stringify(events), BATCH);
    const channelsOf = (body: object): string[] =>
      (body as { results: { channel: string }[] }).results.map(({ channel }) => channel);
    assert.deepEqual(channelsOf(toOne.body), ['together', 'together']);
    assert.deepEqual(channelsOf(toMany.body), ['own/1', 'own/2']);
  });

  test('must all be CloudEvents, and those that are not do not hold up the others', async () => {
    const answer = await post(
      server,
      '/v1/channels/mixed',
      JSON.stringify([{ ...EVENT, data: 1 }, { data: 2 }]),
      BATCH,
    );
    assert.equal(answer.status, 207);
    const [first, second] = answer.body.results as { id?: string; error?: { code: string } }[];
    assert.equal(first.id, 'e-1');
    assert.equal(second.error?.code, 'event_invalid');
  });
});

test('Nothing that was refused is stored', async () => {
  assert.deepEqual(await stored(server, 'refused'), []);
});
