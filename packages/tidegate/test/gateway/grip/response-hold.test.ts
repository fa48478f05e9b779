import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemCode, until } from '../../listeners/lab.ts';
import { openGripLab, response } from './lab.ts';

const hold = (fields: Record<string, string | string[]> = {}) => ({
  'Grip-Hold': 'response',
  'Grip-Channel': 'news',
  'Content-Type': 'text/plain',
  ...fields,
});

test('a response without instructions is not for GRIP', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.end('x'));
  const client = await lab.get();
  assert.equal((await response(client)).body, 'passed on');
});

test('the first message answers, in place of what is held', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) =>
    response.writeHead(203, hold({ 'X-Held': 'h', 'X-Both': 'h' })).end('nothing yet'),
  );
  const client = await lab.get();
  await lab.subscribed('news');
  assert.equal(client.received, '');
  await lab.items({
    channel: 'news',
    'http-response': { code: '201', reason: 'Made', headers: { 'x-both': 'p', 'X-Own': 'p' }, body: 'hello' },
  });
  const { head, body } = await response(client);
  assert.match(head, /^HTTP\/1.1 201 Made\r\n/);
  assert.equal(body, 'hello');
  assert.deepEqual(
    head
      .split('\r\n')
      .filter((line) => /^(x-|content-type|grip)/i.test(line))
      .sort(),
    ['Content-Type: text/plain', 'X-Held: h', 'X-Own: p', 'x-both: p'],
  );
  assert.equal(lab.metric('tidegate_grip_holds_ended_total{response,answered}'), 1);
  await until(() => lab.ended.length === 1);
  assert.deepEqual(lab.ended, [201]);
  assert.equal(lab.hub.count('news'), 0);
});

test('the connection is good for further requests', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold()).end('nothing yet'));
  const client = await lab.get();
  for (const body of ['one', 'two']) {
    await lab.subscribed('news');
    await lab.items({ channel: 'news', 'http-response': { body } });
    await client.take(body);
    client.send('GET / HTTP/1.1\r\nHost: public.example\r\n\r\n');
  }
  await lab.askedTimes(3);
});

test('at the time-out the held response answers, with the status that the instruction gives', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) =>
    response.writeHead(200, hold({ 'Grip-Timeout': '20', 'Grip-Status': '304 Not Changed' })).end('late'),
  );
  const client = await lab.get();
  await lab.subscribed('news');
  lab.clock.advance(19_000);
  assert.equal(client.received, '');
  lab.clock.advance(2_000);
  const head = await client.take('\r\n\r\n');
  assert.match(head, /^HTTP\/1.1 304 Not Changed\r\n/);
  // It would be the length of what a 200 had (RFC 9110, section 8.6).
  assert.doesNotMatch(head, /content-length/i);
  assert.equal(lab.metric('tidegate_grip_holds_ended_total{response,timed_out}'), 1);
});

test('without a time-out it is 55 seconds', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold()).end('late'));
  const client = await lab.get();
  await lab.subscribed('news');
  lab.clock.advance(54_500);
  assert.equal(client.received, '');
  lab.clock.advance(1_500);
  assert.equal((await response(client)).body, 'late');
});

test('only exposed fields are relayed, of the held response and of the published one', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) =>
    response.writeHead(200, hold({ 'Grip-Expose-Headers': 'X-A, X-C', 'X-A': 'a', 'X-B': 'b' })).end('late'),
  );
  const first = await lab.get();
  const second = await lab.get();
  await lab.subscribed('news', 2);
  const headers = { 'Grip-Expose-Headers': 'x-c', 'X-C': 'c', 'X-D': 'd' };
  await lab.items({ channel: 'news', 'http-response': { headers, body: 'x' } });
  for (const client of [first, second]) {
    const { head } = await response(client);
    assert.match(head, /^X-C: c\r$/m);
    assert.doesNotMatch(head, /^(x-a|x-b|x-d|content-type|grip-)/im);
  }
});

test('a patch changes the held body, with its line end', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold()).end('{"a": [1]}\n'));
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items({
    channel: 'news',
    'http-response': { 'body-patch': [{ op: 'add', path: '/a/-', value: 2 }] },
  });
  assert.equal((await response(client)).body, '{"a":[1,2]}\n');
});

test('where a patch does not fit, the origin is asked again', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => {
    if (lab.asked.length === 1) response.writeHead(200, hold()).end('not JSON');
    else response.end('fresh');
  });
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items({ channel: 'news', id: '7', 'http-response': { 'body-patch': [] } });
  assert.equal((await response(client)).body, 'fresh');
});

test('a message that was published otherwise is the body, of its own type, with the rest as it is held', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(202, hold({ 'X-Held': 'h' })).end('late'));
  const first = await lab.get();
  await lab.subscribed('news');
  await lab.plain('news', 'plain');
  const held = await response(first);
  assert.match(held.head, /^HTTP\/1.1 202 .*\r\n/);
  assert.match(held.head, /^X-Held: h\r$/m);
  assert.match(held.head, /^Content-Type: text\/plain\r$/m);
  assert.equal(held.body, 'plain');
  const second = await lab.get();
  await lab.subscribed('news');
  await lab.plain('news', '{}', 'application/json');
  assert.match((await response(second)).head, /^Content-Type: application\/json\r?$/m);
});

test('an item that is not for responses does not answer', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold()).end('late'));
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items(
    { channel: 'news', 'ws-message': { content: 'x' } },
    { channel: 'other', 'http-response': { body: 'o' } },
  );
  await lab.items({ channel: 'news', 'http-response': { body: 'this' } });
  assert.equal((await response(client)).body, 'this');
});

test('of several channels the first message of any answers', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) =>
    response.writeHead(200, hold({ 'Grip-Channel': ['a, b', 'c', 'a'] })).end('late'),
  );
  const client = await lab.get();
  for (const channel of ['a', 'b', 'c']) await lab.subscribed(channel);
  await lab.items({ channel: 'b', 'http-response': { body: 'of b' } });
  assert.equal((await response(client)).body, 'of b');
  for (const channel of ['a', 'b', 'c']) assert.equal(lab.hub.count(channel), 0);
});

test('the prefix of the route stands before the names of channels', async (t) => {
  const lab = await openGripLab(t, {}, 'app-');
  lab.answers((_, response) => response.writeHead(200, hold()).end('late'));
  const client = await lab.get();
  await lab.subscribed('app-news');
  await lab.items({ channel: 'app-news', 'http-response': { body: 'x' } });
  assert.equal((await response(client)).body, 'x');
});

test('an instruction in JSON gives the response and the hold', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) =>
    response.writeHead(200, { 'Content-Type': 'application/grip-instruct' }).end(
      JSON.stringify({
        hold: { mode: 'response', channels: [{ name: 'news' }], timeout: 10 },
        response: { code: 202, headers: { 'X-Own': 'o', Connection: 'x', 'Grip-Hold': 'y' }, body: 'late' },
      }),
    ),
  );
  const client = await lab.get();
  await lab.subscribed('news');
  lab.clock.advance(11_000);
  const { head, body } = await response(client);
  assert.match(head, /^HTTP\/1.1 202 Accepted\r\n/);
  assert.match(head, /^X-Own: o\r?$/m);
  assert.doesNotMatch(head, /grip/i);
  assert.equal(body, 'late');
});

test('an instruction in JSON without a hold is answered at once', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) =>
    response
      .writeHead(200, { 'Content-Type': 'application/grip-instruct' })
      .end(JSON.stringify({ response: { code: 201, body: 'now' } })),
  );
  const { head, body } = await response(await lab.get());
  assert.match(head, /^HTTP\/1.1 201 /);
  assert.equal(body, 'now');
});

test('a response with instructions but without a hold is passed on without them', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) =>
    response
      .writeHead(200, {
        'Grip-Status': '299 Odd',
        'Content-Length': '4',
        'Grip-Set-Meta': 'a="b"',
        'X-A': 'a',
      })
      .end('body'),
  );
  const { head, body } = await response(await lab.get());
  assert.match(head, /^HTTP\/1.1 299 Odd\r\n/);
  assert.match(head, /^X-A: a\r$/m);
  assert.doesNotMatch(head, /grip/i);
  assert.equal(body, 'body');
});

test('instructions that cannot be followed get 502, and are counted', async (t) => {
  const lab = await openGripLab(t, { gripInstructBytesMax: 1024 });
  const long = 'x'.repeat(1025);
  const invalid: [Record<string, string>, string][] = [
    [{ 'Grip-Hold': 'forever' }, ''],
    [hold({ 'Grip-Channel': 'a/#/b' }), ''],
    [{ ...hold(), 'Grip-Hold': 'stream', 'Grip-Channel': '_own' }, ''],
    [hold(), long],
    [{ 'Content-Type': 'application/grip-instruct' }, 'nonsense'],
    [hold({ 'Content-Encoding': 'gzip' }), 'xx'],
    [{ ...hold(), 'Grip-Hold': 'stream', 'Grip-Link': '<http://elsewhere.example/>; rel=next' }, ''],
    [hold({ 'Grip-Link': '<//elsewhere.example/>; rel=gone' }), ''],
  ] as [Record<string, string>, string][];
  for (const [fields, body] of invalid) {
    lab.answers((_, response) => response.writeHead(200, fields).end(body));
    const { head, body: problem } = await response(await lab.get());
    assert.match(head, /^HTTP\/1.1 502 /, JSON.stringify(fields));
    assert.equal(problemCode(`${head}\r\n\r\n${problem}`), 'grip_instruct_invalid');
  }
  assert.equal(lab.metric('tidegate_grip_instructions_invalid_total'), invalid.length - 1);
});

test('an origin whose answer breaks off gets its client an error', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => {
    response.writeHead(200, { ...hold(), 'Content-Length': '100' });
    response.write('begun');
    setImmediate(() => response.destroy());
  });
  assert.match((await response(await lab.get())).head, /^HTTP\/1.1 502 /);
});

test('a client that leaves leaves the channel, and the origin is told by the gone link', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((request, response) => {
    if (request.method === 'POST') response.end();
    else response.writeHead(200, hold({ 'Grip-Link': '</gone?who=1>; rel=gone' })).end('late');
  });
  const client = await lab.get();
  await lab.subscribed('news');
  client.socket.destroy();
  await lab.askedTimes(2);
  assert.deepEqual([lab.asked[1].method, lab.asked[1].url], ['POST', '/gone?who=1']);
  assert.equal(lab.asked[1].headers['grip-feature'], 'link:next');
  await lab.subscribed('news', 0);
  assert.equal(lab.metric('tidegate_grip_holds_ended_total{response,client_left}'), 1);
});

test('a client that leaves while the origin answers takes its request with it', async (t) => {
  const lab = await openGripLab(t);
  let closed = 0;
  lab.answers((request, response) => {
    response.writeHead(200, hold()).write('begun');
    request.on('close', () => closed++);
  });
  const client = await lab.get();
  await lab.askedTimes(1);
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  client.socket.destroy();
  await until(() => closed === 1);
  await until(() => lab.ended.length === 1);
  assert.deepEqual(lab.ended, [null]);
});

test('a client that ends only its side gets what is held, and the gone link is told', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) =>
    response.writeHead(200, hold({ 'Grip-Link': '</gone>; rel=gone' })).end('held'),
  );
  const client = await lab.get();
  await lab.subscribed('news');
  client.socket.end();
  assert.equal((await response(client)).body, 'held');
  await lab.askedTimes(2);
  await client.closed();
});

test('a client that ends only its side while the origin answers gets an error, and its connection ends', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold()).write('begun'));
  const client = await lab.get();
  await lab.askedTimes(1);
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  client.socket.end();
  assert.match((await response(client)).head, /^HTTP\/1.1 400 /);
  await client.closed();
});

test('when the server drains, what is held answers', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold()).end('late'));
  const client = await lab.get();
  await lab.subscribed('news');
  lab.hub.drain();
  assert.equal((await response(client)).body, 'late');
});

test('a close answers with what is held; a hint asks the origin again', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold()).end(`held ${lab.asked.length}`));
  const first = await lab.get();
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-response': { action: 'close' } });
  assert.equal((await response(first)).body, 'held 1');
  const second = await lab.get('/', 'X-Own: mine\r\n');
  await lab.subscribed('news');
  lab.answers((_, response) => response.end('fresh'));
  await lab.items({ channel: 'news', 'http-response': { action: 'hint' } });
  assert.equal((await response(second)).body, 'fresh');
  assert.equal(lab.asked[2].headers['x-own'], 'mine');
});

test('a request with a body is not made again: the held response answers', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold()).end('held'));
  const client = await lab.get('/', 'Content-Length: 0\r\n', 'POST');
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-response': { action: 'hint' } });
  assert.equal((await response(client)).body, 'held');
  assert.equal(lab.asked.length, 1);
});

test('build-id numbers a held body, and one that it cannot follow is refused', async (t) => {
  const lab = await openGripLab(t);
  const fields = {
    'Grip-Hold': 'response',
    'Grip-Channel': 'news; prev-id=7; filter=build-id',
    'Grip-Set-Meta': 'id_format="%(news)s"',
  };
  lab.answers((_, response) => response.writeHead(200, fields).end('last %I\n'));
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-response': { action: 'close' } });
  assert.equal((await response(client)).body, 'last 7\n');
  lab.answers((_, response) => response.writeHead(200, fields).end('%s'));
  assert.match((await response(await lab.get())).head, /^HTTP\/1\.1 502 /);
});
