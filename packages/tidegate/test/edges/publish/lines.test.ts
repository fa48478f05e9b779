import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { LineSplitter } from '../../../src/edges/publish/line-splitter.ts';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { RawClient, stored } from '../requests.ts';

const LIMITS = {
  messageBytesMax: 1024,
  channelBytesMax: 64,
  eventAttributesBytesMax: 256,
  publishStreamBytesMax: 64 * 1024,
};
let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({ limits: LIMITS });
});
after(() => server.close());

interface Line {
  readonly channel?: string;
  readonly id?: string;
  readonly error?: { readonly code: string; readonly detail: string };
}

async function publishLines(
  body: string | Uint8Array,
): Promise<{ readonly response: Response; readonly lines: readonly Line[] }> {
  const response = await fetch(`${server.url}/v1/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: Buffer.from(body),
  });
  const text = await response.text();
  return {
    response,
    lines: text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
  };
}

const HEAD =
  'POST /v1/publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n';

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

describe('POST /v1/publish with NDJSON', () => {
  test('stores every line and answers each with a line, in order', async () => {
    const { response, lines } = await publishLines(
      '{"channel":"l/1","data":1}\n{"channel":"l/2","data":"x"}\r\n\n \n{"channel":"l/1","data":2}',
    );
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
    assert.deepEqual(
      lines.map(({ channel }) => channel),
      ['l/1', 'l/2', 'l/1'],
    );
    assert.deepEqual(
      (await stored(server, 'l/1')).map(({ data }) => data),
      [1, 2],
    );
  });

  test('answers a bad line with its error, and goes on', async () => {
    const lines = [
      '{"channel":"bad","data":1}',
      '{"channel":"bad"',
      '[]',
      '{"channel":"bad/+"}',
      `{"channel":"bad","data":"${'x'.repeat(1025)}"}`,
      `{"channel":"bad","data":"${'x'.repeat(4096)}"}`,
      '{"channel":"bad","data":"\xff"}',
      '{"channel":"bad","data":2}{}',
      '{"channel":"bad","data":3}',
    ].join('\n');
    const { lines: answers } = await publishLines(Buffer.from(lines, 'latin1'));
    assert.deepEqual(
      answers.map(({ error }) => error?.code ?? 'stored'),
      [
        'stored',
        'json_malformed',
        'event_invalid',
        'channel_not_publishable',
        'body_too_large',
        'body_too_large',
        'utf8_invalid',
        'json_malformed',
        'stored',
      ],
    );
    assert.match(answers[1].error!.detail, /at byte 16/);
    assert.deepEqual(
      (await stored(server, 'bad')).map(({ data }) => data),
      [1, 3],
    );
  });

  test('takes a message of limits.messageBytesMax in base64', async () => {
    const data = Buffer.alloc(1024, 0xff);
    const { lines } = await publishLines(
      JSON.stringify({ channel: 'largest', data_base64: data.toString('base64') }),
    );
    assert.equal(lines[0].error, undefined);
    assert.deepEqual(Buffer.from((await stored(server, 'largest'))[0].data_base64!, 'base64'), data);
  });

  test('answers each line as it is stored, while the request goes on', async () => {
    const client = new RawClient(server.port);
    client.send(`${HEAD}\r\n`);
    for (const n of [1, 2, 3]) {
      client.send(chunk(`{"channel":"live","id":"${n}"}\n`));
      await client.until(new RegExp(`"id":"${n}"`));
    }
    client.send('0\r\n\r\n');
    assert.match(await client.untilEnd(), /\r\n0\r\n\r\n$/);
  });

  test('sends 100 (Continue) before its answer, if the client waits for it', async () => {
    const client = new RawClient(server.port);
    client.send(`${HEAD}Expect: 100-continue\r\n\r\n`);
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    client.send(`${chunk('{"channel":"continue"}\n')}0\r\n\r\n`);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  });

  test('answers a body without lines with no line', async () => {
    const { response, lines } = await publishLines('\n\n');
    assert.deepEqual([response.status, lines], [200, []]);
  });

  test('stores the lines that arrived whole of a client that leaves', async () => {
    const client = new RawClient(server.port);
    client.send(`${HEAD}\r\n${chunk('{"channel":"left","data":1}\n{"channel":"left","da')}`);
    await client.until(/"channel":"left"/);
    await client.close();
    await setImmediate();
    assert.deepEqual(
      (await stored(server, 'left')).map(({ data }) => data),
      [1],
    );
  });

  test('tells a client whose body breaks off in a last line', async () => {
    const client = new RawClient(server.port);
    client.send(`${HEAD}\r\n${chunk('{"channel":"broken"}\n')}not a chunk size\r\n`);
    const text = await client.untilEnd();
    assert.match(text, /"channel":"broken"[^\n]*\n[^{]*\{"error":\{"code":"http_malformed"/);
    assert.match(text, /\r\n0\r\n\r\n$/);
  });

  test('serves HTTP/1.0, whose answer ends with the connection', async () => {
    const client = new RawClient(server.port);
    const body = '{"channel":"old"}\n';
    client.send(
      `POST /v1/publish HTTP/1.0\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    assert.match(await client.untilEnd(), /\r\n\r\n\{"channel":"old",.*\}\n$/);
  });

  test('loses no answer of a client that sends everything before it reads anything', async () => {
    const client = new RawClient(server.port);
    client.socket.pause();
    const lines = 20_000;
    client.send(`${HEAD}\r\n`);
    for (let sent = 0; sent < lines; sent += 100) client.send(chunk('{"channel":"s"}\n'.repeat(100)));
    client.send('0\r\n\r\n');
    await setImmediate();
    client.socket.resume();
    const text = await client.untilEnd();
    assert.equal(text.split('"channel":"s"').length - 1, lines);
    assert.match(text, /\r\n0\r\n\r\n$/);
  });
});

test('Lines are found whatever the slices, and those beyond the limit are told', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'é', '\r', ' '), maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (lines, sizes) => {
        const bytes = Buffer.from(lines.join('\n'));
        const found: string[] = [];
        const splitter = new LineSplitter(10, {
          line: (source, start, end) => found.push(source.toString('utf8', start, end)),
          tooLong: () => found.push('too long'),
        });
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const slice = Buffer.from(bytes.subarray(at, at + sizes[i % sizes.length]));
          splitter.push(slice);
          at += slice.length;
          // What was handed over is valid only during the call.
          slice.fill('X');
        }
        splitter.end();
        const expected = lines.map((text) => (Buffer.byteLength(text) > 10 ? 'too long' : text));
        // Without a line feed at its end, an empty last line is none.
        if (expected.at(-1) === '') expected.pop();
        assert.deepEqual(found, expected);
      },
    ),
  );
});
