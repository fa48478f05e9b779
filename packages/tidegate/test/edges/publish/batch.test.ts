import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { type Answer, assertProblem, post, stored, storedJson } from '../requests.ts';

interface Result {
  readonly channel?: string;
  readonly id?: string;
  readonly cursor?: string;
  readonly duplicate?: boolean;
  readonly error?: {
    readonly code: string;
    readonly title: string;
    readonly detail: string;
    readonly retryable: boolean;
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({
    limits: {
      messageBytesMax: 1024,
      batchBytesMax: 64 * 1024,
      batchEventsMax: 100,
      eventAttributesBytesMax: 512,
    },
  });
});
after(() => server.close());

function publish(body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE): Promise<Answer> {
  return post(server, '/v1/publish', body, headers);
}

function resultsOf(answer: Answer): readonly Result[] {
  return answer.body.results as Result[];
}

describe('POST /v1/publish with a JSON array', () => {
  test('stores every entry and answers in their order', async () => {
    const answer = await publish('[{"channel":"x/1","data":{"n":1}}, {"channel":"x/2","data":"two"}]');
    assert.equal(answer.status, 200);
    assert.deepEqual(
      resultsOf(answer).map(({ channel, duplicate }) => [channel, duplicate]),
      [
        ['x/1', false],
        ['x/2', false],
      ],
    );
    assert.deepEqual(
      (await stored(server, 'x/1')).map(({ data, datacontenttype }) => [data, datacontenttype]),
      [[{ n: 1 }, 'application/json']],
    );
    assert.deepEqual(
      (await stored(server, 'x/2')).map(({ data, datacontenttype }) => [data, datacontenttype]),
      [['two', 'text/plain']],
    );
  });

  test('takes a single object for a batch of one, and an empty array for nothing', async () => {
    assert.equal(resultsOf(await publish(' {"channel":"single","data":1} ')).length, 1);
    const empty = await publish('[]');
    assert.deepEqual([empty.status, resultsOf(empty)], [200, []]);
  });

  test('keeps data as they were sent: numbers, white space, order and repetition of names', async () => {
    const data = '{ "b":12345678901234567890,"a" : 1e400,\t"a":0.10 }';
    await publish(`[{"channel":"exact","data":${data}}]`);
    assert.ok((await storedJson(server, 'exact')).includes(`"data":${data}}`));
  });

  test('tells data that are null from no data, and empty data from both', async () => {
    await publish(
      '[{"channel":"n","data":null},{"channel":"n"},{"channel":"n","data":""},{"channel":"n","data_base64":""}]',
    );
    const messages = await stored(server, 'n');
    assert.deepEqual(
      messages.map(({ data, data_base64 }) => [data, data_base64]),
      [
        [null, undefined],
        [undefined, undefined],
        ['', undefined],
        [undefined, ''],
      ],
    );
  });

  test('reads escapes in every member', async () => {
    await publish('[{"\\u0063hannel":"esc\\/\\u00e9","da\\u0074a":"\\ud83d\\ude00\\n","subject":"\\u0041"}]');
    const [message] = await stored(server, 'esc/é');
    assert.deepEqual([message.data, message.subject], ['😀\n', 'A']);
  });

  test('recognises retries by id and source, within a batch and across batches', async () => {
    const body =
      '[{"channel":"r","id":"1","data":1},{"channel":"r","id":"1","source":"/s","data":2},{"channel":"r","id":"1","data":3}]';
    const duplicates = async (): Promise<unknown> =>
      resultsOf(await publish(body)).map(({ duplicate }) => duplicate);
    assert.deepEqual(await duplicates(), [false, false, true]);
    assert.deepEqual(await duplicates(), [true, true, true]);
    assert.deepEqual(
      (await stored(server, 'r')).map(({ data }) => data),
      [1, 2],
    );
  });

  test('stores what it can of a batch, and says in place of each other entry what is wrong with it', async () => {
    const answer = await publish(
      JSON.stringify([
        { channel: 'partial', data: 1 },
        { data: 1 },
        { channel: 'partial/#', data: 1 },
        { channel: '_own', data: 1 },
        { channel: 5 },
        'text',
        { channel: 'partial', data: 'x'.repeat(1025) },
        { channel: 'partial', data: 1, subject: 's'.repeat(512) },
        { channel: 'partial', specversion: '1.0', data: 1 },
        { channel: 'partial', data_base64: 'A' },
        { channel: 'partial', data: 2 },
      ]),
    );
    assert.equal(answer.status, 207);
    assert.deepEqual(
      resultsOf(answer).map(({ error }) => error?.code ?? 'stored'),
      [
        'stored',
        'event_invalid',
        'channel_not_publishable',
        'channel_reserved',
        'event_invalid',
        'event_invalid',
        'body_too_large',
        'event_invalid',
        'event_invalid',
        'base64_invalid',
        'stored',
      ],
    );
    const error = resultsOf(answer)[1].error;
    assert.deepEqual(error, {
      code: 'event_invalid',
      title: 'The event is not valid',
      detail: 'The attribute "channel" is missing',
      retryable: false,
    });
    assert.deepEqual(
      (await stored(server, 'partial')).map(({ data }) => data),
      [1, 2],
    );
  });

  test('delivers any JSON value and any text as it was published', async () => {
    const entry = fc.oneof(fc.jsonValue(), fc.string({ unit: 'grapheme' }));
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 20 }), fc.nat(1e9), async (values, run) => {
        const channel = `any/${run}`;
        const before = (await stored(server, channel)).length;
        const answer = await publish(JSON.stringify(values.map((data) => ({ channel, data }))));
        assert.equal(answer.status, 200);
        const messages = (await stored(server, channel)).slice(before);
        // What JSON text stands for is compared: -0 and 0 are the same number in it.
        assert.deepEqual(
          messages.map(({ data }) => data),
          JSON.parse(JSON.stringify(values)),
        );
      }),
      { numRuns: 25 },
    );
  });
});

describe('A batch is refused as a whole, and nothing of it is stored,', () => {
  const good = '{"channel":"whole","data":1}';
  test('if it is malformed anywhere', async () => {
    assertProblem(
      await publish(`[${good},{"channel":"whole","data":}]`),
      400,
      'json_malformed',
      /at byte 56/,
    );
    assertProblem(await publish(`[${good},]`), 400, 'json_malformed');
    assertProblem(await publish(`[${good}`), 400, 'json_malformed');
    assertProblem(await publish(`[${good}] x`), 400, 'json_malformed');
    assertProblem(await publish(''), 400, 'json_malformed');
    // An entry that is wrong in itself does not hide that the text after it is malformed.
    assertProblem(await publish(`[${good},{"channel":5,"data":[1,}]`), 400, 'json_malformed');
  });

  test('if it is not UTF-8', async () => {
    assertProblem(await publish(Buffer.from(`[${good},"\u00ff"]`, 'latin1')), 400, 'utf8_invalid');
  });

  test('if it has more events than limits.batchEventsMax', async () => {
    assertProblem(await publish(`[${Array(101).fill(good).join()}]`), 413, 'batch_too_large', /100/);
    assert.equal(resultsOf(await publish(`[${Array(100).fill('{"channel":"most"}').join()}]`)).length, 100);
  });

  test('if it has more bytes than limits.batchBytesMax', async () => {
    assertProblem(await publish(`[${good}${' '.repeat(64 * 1024)}]`), 413, 'body_too_large');
  });

  test('if its content type is not one of those taken here', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-16',
      'text/json',
    ]) {
      assertProblem(await publish(`[${good}]`, { 'content-type': type }), 415, 'http_media_type_unsupported');
    }
    assertProblem(await publish(`[${good}]`, {}), 415, 'http_media_type_unsupported');
  });

  test('without a trace', async () => {
    assert.deepEqual(await stored(server, 'whole'), []);
  });
});
