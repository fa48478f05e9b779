import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';
import { type Ended, Program, runProgram } from './run-program.ts';

const server = await ServerProcess.start({ config: 'topics: { orders: { partitions: 2 } }' });
after(() => server.remove());
const environment = { TIDEGATE_URL: server.url, TIDEGATE_ADMIN_URL: server.adminUrl };

const run = (args: readonly string[], input: string | Uint8Array = ''): Promise<Ended> =>
  runProgram(args, input, environment);

async function successfully(args: readonly string[], input: string | Uint8Array = ''): Promise<string> {
  const { code, output, errors } = await run(args, input);
  assert.equal(errors, '');
  assert.equal(code, 0);
  return output;
}

/** Everything that a channel holds, as messages. */
async function stored(channel: string, count: number) {
  const output = await successfully([
    'subscribe',
    channel,
    '--from',
    'earliest',
    '--json',
    '--count',
    String(count),
  ]);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('what is published is stored under the content type that fits', async () => {
  assert.match(
    await successfully(['publish', 'fit/a', 'plain words']),
    /^Published to fit\/a: id \S+, cursor \S+\n$/,
  );
  await successfully(['publish', 'fit/a', '{"n": 12345678901234567890}']);
  await successfully(['publish', 'fit/a', '-'], 'from a pipe');
  await successfully(['publish', 'fit/a', '<p>', '--content-type', 'text/html']);
  const messages = await stored('fit/a', 4);
  assert.deepEqual(
    messages.map(({ datacontenttype }) => datacontenttype),
    ['text/plain; charset=utf-8', 'application/json', 'text/plain; charset=utf-8', 'text/html'],
  );
  assert.deepEqual(
    messages.map(({ data }) => data).filter((data) => typeof data === 'string'),
    ['plain words', 'from a pipe', '<p>'],
  );
});

test('what is to be purged is purged before the message is published', async () => {
  const purges = async (): Promise<string | undefined> => {
    const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
    return /^tidegate_cache_purges_total{outcome="done"} (\d+)$/m.exec(text)?.[1];
  };
  const before = Number(await purges());
  const list = 'url="http://a.example/b,c", surrogate-key=d';
  await successfully(['publish', 'purging', 'first', '--purge', list]);
  await successfully(['publish', 'purging', 'second', '--type', 'com.example.second', '--purge', list]);
  assert.equal(Number(await purges()), before + 4);
  const refused = await run(['publish', 'purging', 'x', '--purge', 'everything']);
  assert.equal(refused.code, 1);
  assert.match(refused.errors, /purge_invalid|cannot be understood/);
  const messages = await stored('purging', 2);
  assert.deepEqual(
    messages.map(({ data, type }) => [data, type]),
    [
      ['first', undefined],
      ['second', 'com.example.second'],
    ],
  );
});

test('data is printed as it was published, without envelope', async () => {
  const json = '{"n": 12345678901234567890, "text": "\\u00e4 \\"quoted\\" }", "list": [1.0, {}]}';
  await successfully(['publish', 'bare/a', json]);
  await successfully(['publish', 'bare/a', 'two\nlines']);
  await successfully(['publish', 'bare/a', '"a JSON string"']);
  const output = await successfully(['subscribe', 'bare/a', '--from', 'earliest', '--count', '3']);
  assert.equal(output, `${json}\ntwo\nlines\n"a JSON string"\n`);
});

test('a repeated publish with an id is recognised', async () => {
  const first = JSON.parse(await successfully(['publish', 'twice', 'x', '--id', 'payment-7', '--json']));
  const second = JSON.parse(await successfully(['publish', 'twice', 'x', '--id', 'payment-7', '--json']));
  assert.deepEqual(second, { ...first, duplicate: true });
  assert.match(await successfully(['publish', 'twice', 'x', '--id', 'payment-7']), /^Was published before/);
});

test('a type travels with the message, for JSON, text and bytes', async () => {
  for (const data of ['{"a":1}', 'words'])
    await successfully(['publish', 'typed', data, '--type', 'com.example.done']);
  await successfully([
    'publish',
    'typed',
    '{"a":1}',
    '--type',
    'com.example.done',
    '--content-type',
    'application/octet-stream',
  ]);
  const messages = await stored('typed', 3);
  assert.deepEqual(new Set(messages.map(({ type }) => type)), new Set(['com.example.done']));
  assert.deepEqual(messages.map(({ data }) => data).slice(0, 2), [{ a: 1 }, 'words']);
});

test('every line of the input becomes a message, in order', async () => {
  const lines = Array.from({ length: 1700 }, (_, index) => `{"line": ${index}}`);
  const output = await successfully(
    ['publish', 'lines', '--lines'],
    `${lines.join('\n')}\nlast, without a break`,
  );
  assert.equal(output, 'Published 1701 messages to lines\n');
  const printed = await successfully(['subscribe', 'lines', '--from', 'earliest', '--count', '1701']);
  assert.equal(printed, `${lines.join('\n')}\nlast, without a break\n`);
});

test('a line goes out when it comes, not at the end of the input', async () => {
  const program = new Program(['publish', 'tail', '--lines', '--json'], environment);
  program.child.stdin.write('first\n');
  await program.printed(/"channel":"tail"/);
  program.child.stdin.end('second\n');
  const { code, output } = await program.ended;
  assert.equal(code, 0);
  assert.equal(output.trimEnd().split('\n').length, 2);
});

test('one line is one message', async () => {
  assert.equal(await successfully(['publish', 'line', '--lines'], 'alone'), 'Published 1 message to line\n');
});

test('a line that is refused is told, the others are published, and the exit code is 1', async () => {
  const { code, output, errors } = await run(
    ['publish', 'some/lines', '--lines', '--content-type', 'application/json'],
    '{"a":1}\n{bad\n{"a":2}\n',
  );
  assert.match(output, /^Published 2 messages to some\/lines, 1 refused\n$/);
  assert.match(errors, /^refused: The body is not valid JSON: "\{bad" \(json_malformed\)$/m);
  assert.equal(code, 1);
});

test('a line that is not UTF-8 is published as the bytes that it has', async () => {
  const input = Buffer.from([0x78, 0xff, 0x0a, 0x79, 0x0a]);
  assert.equal(
    await successfully(['publish', 'raw/lines', '--lines'], input),
    'Published 2 messages to raw/lines\n',
  );
  const [bytes, text] = await stored('raw/lines', 2);
  assert.equal(bytes.data_base64, Buffer.from([0x78, 0xff]).toString('base64'));
  assert.equal(text.data, 'y');
});

test("the server's refusals are told in its words, with its code", async () => {
  const refused = await run(['publish', 'a/+/b', 'x']);
  assert.match(refused.errors, /^code: {2}channel_not_publishable$/m);
  assert.equal(refused.code, 1);
  const typed = await run(['publish', 'a/+/b', 'x', '--type', 't']);
  assert.match(typed.errors, /^code: {2}channel_not_publishable$/m);
  const misplaced = await run(['subscribe', 'a', '--from', 'yesterday']);
  assert.match(misplaced.errors, /^code: {2}position_invalid$/m);
  assert.equal(misplaced.code, 1);
});

test('the last messages of a channel can be asked for', async () => {
  for (const word of ['one', 'two', 'three']) await successfully(['publish', 'last', word]);
  assert.equal(await successfully(['subscribe', 'last', '--from', '-2', '--count', '2']), 'two\nthree\n');
});

test('topics are listed and described, for people and for scripts', async () => {
  const list = await successfully(['topics', 'list']);
  assert.match(list, /^TOPIC +PARTITIONS +DURABILITY +KEEPS +RECORDS +SIZE\n/);
  assert.match(list, /^default +1 +synced +1 day /m);
  assert.match(list, /^orders +2 +synced +7 days +0 +0 B$/m);
  assert.deepEqual(
    JSON.parse(await successfully(['topics', 'list', '--json'])).map(({ name }: { name: string }) => name),
    ['default', 'orders'],
  );
  assert.match(await successfully(['topics', 'describe', 'orders']), /^1 +0 +0$/m);
  assert.equal(JSON.parse(await successfully(['topics', 'describe', 'orders', '--json'])).spec.partitions, 2);
  const { code, errors } = await run(['topics', 'describe', 'gone']);
  assert.match(errors, /There is no such topic: "gone"/);
  assert.equal(code, 1);
});

test('the reader of a pipe may leave', async () => {
  await successfully(['publish', 'pipe', 'x']);
  const program = new Program(['subscribe', 'pipe', '--from', 'earliest'], environment);
  await program.printed(/x/);
  program.child.stdout.destroy();
  for (let i = 0; i < 3; i++) await successfully(['publish', 'pipe', 'y']);
  assert.equal((await program.ended).code, 0);
});

test('that the credential ends is told to the person, and is no message', async () => {
  const lines = [
    '{"expiring":{"expires":"2026-01-01T00:00:00.000Z"}}',
    '{"channel":"a","cursor":"c","data":1}',
  ];
  const expiring = createServer((_request, response) => response.end(`${lines.join('\n')}\n`));
  await once(expiring.listen(0, '127.0.0.1'), 'listening');
  const { port } = expiring.address() as AddressInfo;
  const { output, errors } = await run([
    'subscribe',
    'a',
    ...['--count', '1', '--json', '--url', `http://127.0.0.1:${port}`],
  ]);
  expiring.close();
  assert.equal(output, `${lines[1]}\n`);
  assert.match(errors, /^expiring: the key or token ends at 2026-01-01T00:00:00.000Z/);
});

test('a subscriber reads on where it was when the server is killed and started again', async () => {
  const program = new Program(['subscribe', 'resume', '--from', 'earliest', '--count', '4'], environment);
  await successfully(['publish', 'resume', 'one']);
  await program.printed(/one/);
  await server.kill();
  await server.start();
  await successfully(['publish', 'resume', 'two']);
  await successfully(['publish', 'resume', 'three']);
  await program.printed(/three/);
  await server.kill();
  await server.start();
  await successfully(['publish', 'resume', 'four']);
  const { code, output, errors } = await program.ended;
  assert.equal(output, 'one\ntwo\nthree\nfour\n');
  assert.match(errors, /connection lost; connecting again\nconnected again\n/);
  assert.equal(code, 0);
});
