import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { type RawClient, until } from '../../listeners/lab.ts';
import { topicSpec } from '../../support/test-hub.ts';
import { chunks, comes, type GripLab, openGripLab, response } from './lab.ts';

const hold = (fields: Record<string, string | string[]> = {}) => ({
  'Grip-Hold': 'stream',
  'Grip-Channel': 'news',
  'Content-Type': 'text/plain',
  ...fields,
});

const item = (content: string, others: Record<string, unknown> = {}) => ({
  channel: 'news',
  'http-stream': { content },
  ...others,
});

async function held(lab: GripLab, fields = hold(), body = ''): Promise<RawClient> {
  lab.answers((_, answer) => answer.writeHead(200, fields).end(body));
  const client = await lab.get();
  await lab.subscribed('news');
  return client;
}

test('a stream begins with the body of the origin, and goes on with what is published', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab, hold({ 'X-Own': 'o', 'X-Twice': ['1', '2'] }), 'hello\n');
  await comes(client, 'hello\n');
  assert.match(client.received, /^HTTP\/1.1 200 OK\r\n/);
  assert.match(client.received, /^x-own: o\r\n(?:.*\r\n)*?x-twice: 1\r\nx-twice: 2\r$/m);
  assert.doesNotMatch(client.received, /grip/i);
  await lab.items(item('a\n'), item('b\n'));
  await comes(client, 'hello\na\nb\n');
  client.socket.destroy();
  await lab.subscribed('news', 0);
  assert.equal(lab.metric('tidegate_grip_holds_ended_total{stream,client_left}'), 1);
  assert.equal(lab.metric('tidegate_grip_holds{stream}'), 0);
});

test('the body comes as it does, and messages wait for its end', async (t) => {
  const lab = await openGripLab(t);
  let finish = (): void => {};
  lab.answers((_, answer) => {
    answer.writeHead(200, hold()).write('first ');
    finish = () => answer.end('last ');
  });
  const client = await lab.get();
  await comes(client, 'first ');
  await lab.items(item('a'), item('b'));
  await lab.items(item('c'));
  await comes(client, 'first ');
  finish();
  await comes(client, 'first last abc');
});

test('a large body is not held: a client that does not read stops the origin', async (t) => {
  const lab = await openGripLab(t);
  const piece = Buffer.alloc(256 * 1024, 'x');
  let written = 0;
  let done = false;
  lab.answers((_, answer) => {
    answer.writeHead(200, hold());
    const write = (): void => {
      while (written < 400) {
        written++;
        if (!answer.write(piece)) {
          answer.once('drain', write);
          return;
        }
      }
      done = true;
      answer.end('!');
    };
    write();
  });
  const client = await lab.get();
  client.socket.pause();
  let before = -1;
  for (let still = 0; still < 200; still++) {
    if (written !== before) still = 0;
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(done, false);
  let received = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  client.socket.resume();
  await until(() => received > 400 * piece.length);
});

test('in an event stream, messages that were published otherwise are events; elsewhere they are their bytes', async (t) => {
  const lab = await openGripLab(t);
  const events = await held(lab, hold({ 'Content-Type': 'text/event-stream; charset=utf-8' }));
  lab.answers((_, answer) => answer.writeHead(200, hold()).end());
  const text = await lab.get();
  await lab.subscribed('news', 2);
  await lab.plain('news', 'one\ntwo');
  await comes(events, 'data: one\ndata: two\n\n');
  await comes(text, 'one\ntwo');
});

test('an item that is not for streams does not come', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab);
  await lab.items({ channel: 'news', 'ws-message': { content: 'x' } }, item('y'));
  await comes(client, 'y');
});

test('streams of the same form share the bytes of their messages', async (t) => {
  const lab = await openGripLab(t);
  await held(lab);
  await held(lab, hold({ 'Grip-Channel': ['news', 'other'] }));
  const audiences = lab.metric('tidegate_audiences');
  await lab.get();
  await lab.subscribed('news', 3);
  assert.equal(lab.metric('tidegate_audiences'), audiences);
});

test('a client of HTTP/1.0 gets the bytes without chunks', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, answer) => answer.writeHead(200, hold()).end('hello '));
  const client = await lab.connect();
  client.send('GET / HTTP/1.0\r\nHost: public.example\r\n\r\n');
  await lab.subscribed('news');
  await lab.items(item('a'), { channel: 'news', 'http-stream': { action: 'close' } });
  assert.match(await client.ended(), /\r\n\r\nhello a$/);
});

test('a client that asks with HEAD gets the head only', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, answer) => answer.writeHead(200, hold()).end());
  const client = await lab.get('/', '', 'HEAD');
  const { head, body } = await response(client);
  assert.match(head, /^content-type: text\/plain\r?$/m);
  await lab.subscribed('news', 0);
  assert.equal(body, '');
});

test('a channel may be a pattern', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, answer) => answer.writeHead(200, hold({ 'Grip-Channel': 'orders/+' })).end());
  const client = await lab.get();
  await lab.subscribed('orders/1');
  await lab.items(item('one ', { channel: 'orders/1' }), item('two', { channel: 'orders/2' }));
  await comes(client, 'one two');
});

test('a close ends the stream, behind what came before it', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab);
  await lab.items(item('bye'), { channel: 'news', 'http-stream': { action: 'close' } }, item('late'));
  await comes(client, 'bye<end>');
  await lab.subscribed('news', 0);
  await client.ended();
  await until(() => lab.ended.length === 1);
  assert.deepEqual(lab.ended, [200]);
  assert.equal(lab.metric('tidegate_grip_holds_ended_total{stream,closed}'), 1);
});

test('a close that comes during the body ends the stream behind it', async (t) => {
  const lab = await openGripLab(t);
  let finish = (): void => {};
  lab.answers((_, answer) => {
    answer.writeHead(200, hold()).write('first ');
    finish = () => answer.end('last');
  });
  const client = await lab.get();
  await comes(client, 'first ');
  await lab.items({ channel: 'news', 'http-stream': { action: 'close' } });
  await lab.subscribed('news');
  finish();
  await comes(client, 'first last<end>');
});

test('a close for WebSockets is nothing to a stream', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab);
  await lab.items({ channel: 'news', 'ws-message': { action: 'close' } }, item('on'));
  await comes(client, 'on');
});

test('when the server drains, the stream ends', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab);
  lab.hub.drain();
  await comes(client, '<end>');
  await client.ended();
});

test('a body that breaks off is not made to look complete', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, answer) => {
    answer.writeHead(200, hold()).write('begun');
    setTimeout(() => answer.destroy(), 5);
  });
  const client = await lab.get();
  await client.ended();
  assert.equal(chunks(client), 'begun');
});

test('a client that does not keep pace loses nothing', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab);
  client.socket.pause();
  const content = 'x'.repeat(100_000);
  for (let count = 0; count < 100; count++) await lab.items(item(`${content}\n`));
  assert.equal(lab.metric('tidegate_subscriptions_behind'), 1);
  client.socket.resume();
  await until(() => chunks(client).length === 100 * (content.length + 1));
});

for (const [format, data] of [
  ['raw', 'tick'],
  ['cstring', '\\x74ick'],
  ['base64', 'dGljaw=='],
] as const) {
  test(`a keep-alive in the format ${format} is sent when nothing else was for its interval`, async (t) => {
    const lab = await openGripLab(t);
    const client = await held(lab, hold({ 'Grip-Keep-Alive': `${data}; format=${format}; timeout=20` }));
    await lab.items(item('a '));
    await comes(client, 'a ');
    lab.clock.advance(15_000);
    await lab.items(item('b '));
    await comes(client, 'a b ');
    lab.clock.advance(15_000);
    await comes(client, 'a b ');
    lab.clock.advance(6_000);
    await comes(client, 'a b tick');
    lab.clock.advance(21_000);
    await comes(client, 'a b ticktick');
  });
}

test('a keep-alive in the mode interval is sent whatever else is', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab, hold({ 'Grip-Keep-Alive': 't; timeout=20; mode=interval' }));
  lab.clock.advance(15_000);
  await lab.items(item('b '));
  await comes(client, 'b ');
  lab.clock.advance(6_000);
  await comes(client, 'b t');
});

test('a keep-alive does not come in the midst of a body, of the first answer or of one behind a link', async (t) => {
  const lab = await openGripLab(t);
  let finish = (): void => {};
  lab.answers((_, answer) => {
    answer
      .writeHead(
        200,
        hold({ 'Grip-Keep-Alive': 't; timeout=5; mode=interval', 'Grip-Link': '</next>; rel=next' }),
      )
      .write('first ');
    finish = () => answer.end('last ');
  });
  const client = await lab.get();
  await comes(client, 'first ');
  lab.clock.advance(20_000);
  finish();
  await comes(client, 'first last ');
  lab.clock.advance(6_000);
  await comes(client, 'first last t');
  lab.answers((_, answer) => {
    answer.writeHead(200, hold()).write(' more ');
    finish = () => answer.end('done ');
  });
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  await comes(client, 'first last t more ');
  lab.clock.advance(20_000);
  finish();
  await comes(client, 'first last t more done ');
});

test('filters change what each client gets, and keep from it what is not meant for it', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((request, answer) =>
    answer
      .writeHead(200, {
        ...hold(),
        'Grip-Channel': 'news; filter=skip-users; filter=build-id; filter=var-subst',
        'Grip-Set-Meta': `user="${request.headers['x-user']}", id_format="%(news)s"`,
      })
      .end(),
  );
  const [ann, bob] = [await lab.get('/', 'X-User: ann\r\n'), await lab.get('/', 'X-User: bob\r\n')];
  await lab.subscribed('news', 2);
  await lab.items(item('plain ', { id: '1', meta: { skip_users: 'bob, eve' } }));
  await comes(ann, 'plain ');
  await lab.items({
    channel: 'news',
    id: '2',
    'http-stream': { content: '%I ', 'content-filters': ['build-id', 'var-subst'] },
  });
  await comes(ann, 'plain 2 ');
  await comes(bob, '2 ');
  // Written for other filters than theirs.
  await lab.items({
    channel: 'news',
    id: '3',
    'http-stream': { content: 'x', 'content-filters': ['var-subst'] },
  });
  await lab.items(item('end', { id: '4' }));
  await comes(bob, '2 end');
});

test('streams without filters get nothing that was written for filters', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab);
  await lab.items(
    { channel: 'news', 'http-stream': { content: '%I', 'content-filters': ['build-id'] } },
    item('end'),
  );
  await comes(client, 'end');
});

test('an instruction in JSON opens a stream', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, answer) =>
    answer.writeHead(200, { 'Content-Type': 'application/grip-instruct' }).end(
      JSON.stringify({
        hold: {
          mode: 'stream',
          channels: [{ name: 'news' }],
          'keep-alive': { 'content-bin': 'dA==', timeout: 5 },
        },
        response: { headers: [['Content-Type', 'text/x']], body: 'hello ' },
      }),
    ),
  );
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items(item('a '));
  await comes(client, 'hello a ');
  assert.match(client.received, /^content-type: text\/x\r$/m);
  lab.clock.advance(6_000);
  await comes(client, 'hello a t');
});

test('if the channel is stored elsewhere from now on, the stream goes on', async (t) => {
  const lab = await openGripLab(t);
  const client = await held(lab);
  await lab.items(item('a '));
  await lab.log.createTopic(topicSpec('news'));
  await lab.items(item('b '));
  await comes(client, 'a b ');
});

test('when the log has dropped what a client was still to get, its stream ends', async (t) => {
  const lab = await openGripLab(t, { memoryPartitionBytesMax: 65_536, tailBytesMax: 65_536 });
  const client = await held(lab);
  client.socket.pause();
  for (let count = 0; count < 200; count++) await lab.items(item('x'.repeat(50_000)));
  client.socket.resume();
  await client.ended();
  assert.equal(lab.metric('tidegate_grip_holds_ended_total{stream,failed}'), 1);
});

test('a close that is published while the body still comes ends the stream behind what was published before it', async (t) => {
  const lab = await openGripLab(t);
  const bodies: ServerResponse[] = [];
  lab.answers((_, response) => {
    response.writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Channel': 'news; prev-id=1' }).write('body ');
    bodies.push(response);
  });
  const item = (id: string) => ({ channel: 'news', id, 'http-stream': { content: `${id} ` } });
  await lab.items(item('1'), { channel: 'news', 'http-stream': { action: 'close' } }, item('2'));
  const client = await lab.get();
  await comes(client, 'body ');
  await lab.subscribed('news');
  await lab.items(item('3'), { channel: 'news', 'http-stream': { action: 'close' } }, item('4'));
  bodies[0].end();
  await comes(client, 'body 2 3 <end>');
});

const BUILDS_ID = {
  'Grip-Channel': 'news; prev-id=1; filter=build-id',
  'Grip-Set-Meta': 'id_format="%(news)s"',
  'Grip-Link': '</next>; rel=next',
};

test('build-id numbers the body of the origin as it numbers what is published, and that of next links', async (t) => {
  const lab = await openGripLab(t);
  const filtered = (id: string, content: string) =>
    item(content, { id, 'http-stream': { content, 'content-filters': ['build-id'] } });
  lab.answers((request, response) => {
    if (request.url === '/next') {
      response.writeHead(200, hold({ 'Grip-Channel': 'news; prev-id=2; filter=build-id' })).end('(%I) ');
      return;
    }
    response.writeHead(200, hold(BUILDS_ID)).write('[%');
    setImmediate(() => response.end('I, 100 %%] '));
  });
  await lab.items(filtered('1', 'one'));
  const client = await lab.get();
  await lab.subscribed('news');
  await comes(client, '[1, 100 %] ');
  await lab.items(filtered('2', '<%I> '));
  await comes(client, '[1, 100 %] <2> ');
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  await comes(client, '[1, 100 %] <2> (2) ');
});

test('a body that build-id cannot follow cuts the stream off, and an instruction that it cannot is refused', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((_, response) => response.writeHead(200, hold(BUILDS_ID)).end('50 % off'));
  const client = await lab.get();
  await client.ended();
  assert.doesNotMatch(client.received, /off|\r\n0\r\n/);
  lab.answers((_, response) => response.writeHead(200, hold(BUILDS_ID)).end('50 %'));
  assert.doesNotMatch(await (await lab.get()).ended(), /\r\n0\r\n/);
  lab.answers((_, response) =>
    response.writeHead(200, hold({ ...BUILDS_ID, 'Grip-Set-Meta': 'a="b"' })).end('x'),
  );
  assert.match((await response(await lab.get())).head, /^HTTP\/1\.1 502 /);
  assert.equal(lab.metric('tidegate_grip_instructions_invalid_total'), 3);
});
