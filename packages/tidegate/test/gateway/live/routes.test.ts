import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liveFields } from '../../../src/gateway/live/index.ts';
import { FakeExchange, LiveStage } from './fakes.ts';

const SSE = { accept: 'text/event-stream' };

describe('A request to a live route', () => {
  it('is left to the proxy unless it asks for something live', () => {
    const stage = new LiveStage();
    for (const [headers, method, target] of [
      [{}, 'GET', '/things'],
      [{ accept: '*/*' }, 'GET', '/things'],
      [{ accept: 'text/html, application/json;q=0.9, */*;q=0.8' }, 'GET', '/things?live-like=1'],
      [{ accept: 'application/json, text/event-stream' }, 'GET', '/things'],
      [{ 'if-none-match': '"a"' }, 'GET', '/things'],
      [{ upgrade: 'h2c' }, 'GET', '/things'],
      [{ prefer: 'return=minimal, wait-not=3' }, 'GET', '/things'],
      [SSE, 'HEAD', '/things'],
      [{ ...SSE, prefer: 'wait=3' }, 'POST', '/things?live-wait=3'],
    ] as [Record<string, string>, string, string][]) {
      const exchange = new FakeExchange(target, headers, method);
      assert.equal(stage.handle(exchange), 'not_live');
      assert.equal(exchange.status, 0);
    }
    assert.equal(stage.origin.asked.length, 0);
  });

  it('is live if an event stream is what it likes best', () => {
    const stage = new LiveStage();
    for (const accept of [
      'text/event-stream',
      'text/event-stream, */*',
      'application/json;q=0.5, text/event-stream',
    ]) {
      stage.open('/things', { accept });
    }
    assert.equal(stage.origin.asked.length, 1);
  });
});

describe('A value of a live route', () => {
  it('is shared by those who ask the same host for the same target, and by nobody else', () => {
    const stage = new LiveStage();
    stage.sse('/things?a=1');
    stage.sse('/things?a=1');
    stage.sse('/things?a=2');
    stage.sse('/things?a=1', { host: 'other.example' });
    assert.deepEqual(
      stage.origin.asked.map(({ request }) => [request.target, request.headers[0][1]]),
      [
        ['/things?a=1', 'api.example'],
        ['/things?a=2', 'api.example'],
        ['/things?a=1', 'other.example'],
      ],
    );
    assert.equal(stage.read('tidegate_live_resources{}'), 3);
  });

  it('is seen only by those who show the same credentials, which its polls show the origin', () => {
    const stage = new LiveStage();
    const alice = stage.sse('/me', { authorization: 'Bearer alice' });
    stage.origin.answer({ name: 'alice' });
    const bob = stage.sse('/me', { authorization: 'Bearer bob' });
    const nobody = stage.sse('/me');
    const visitor = stage.sse('/me', { cookie: 'authorization=Bearer alice' });
    assert.deepEqual([bob.status, nobody.status, visitor.status], [0, 0, 0]);
    assert.deepEqual(stage.sse('/me', { authorization: 'Bearer alice' }).said(), [
      'snapshot {"name":"alice"}',
    ]);
    assert.deepEqual(alice.said(), ['snapshot {"name":"alice"}']);
    assert.deepEqual(
      stage.origin.asked.map(({ request }) => request.headers.slice(3)),
      [
        [['authorization', 'Bearer alice']],
        [['authorization', 'Bearer bob']],
        [],
        [['cookie', 'authorization=Bearer alice']],
      ],
    );
  });

  it('depends on the fields that the route names, instead', () => {
    const stage = new LiveStage({ varyBy: ['accept-language', 'accept'] });
    stage.sse('/things', { 'accept-language': 'de', cookie: 'a' });
    stage.sse('/things', { 'accept-language': 'de', cookie: 'b' });
    stage.sse('/things', { 'accept-language': 'en' });
    assert.deepEqual(
      stage.origin.asked.map(({ request }) => request.headers.slice(1)),
      ['de', 'en'].map((language) => [
        ['accept', 'application/json'],
        ['accept-encoding', 'identity'],
        ['accept-language', language],
      ]),
    );
  });

  it('is asked for on the way of the newest request, as routes change', () => {
    const stage = new LiveStage();
    stage.sse();
    stage.origin.answer({ a: 1 });
    let asked = 0;
    stage.rules = {};
    stage.fetch = (...args) => {
      asked++;
      return stage.origin.fetch(...args);
    };
    stage.handle(new FakeExchange('/things', SSE));
    stage.clock.advance(2000);
    assert.equal(asked, 1);
  });

  it('is begun anew by a route whose interval or mode has changed; streams that are open go on as they are', () => {
    const stage = new LiveStage();
    const before = stage.sse();
    stage.origin.answer({ a: 1 });
    stage.route = { ...stage.route, mode: 'value' };
    const after = stage.sse();
    stage.origin.script = () => stage.origin.answer({ a: 2 });
    stage.origin.answer({ a: 1 });
    stage.clock.advance(2000);
    assert.deepEqual(before.said(), ['snapshot {"a":1}', 'patch [{"op":"replace","path":"/a","value":2}]']);
    assert.deepEqual(after.said(), ['snapshot {"a":1}', 'value {"a":2}']);
  });

  it('is kept for limits.liveIdleMs after the last one has left', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer({ a: 1 });
    stage.clock.advance(1000);
    stream.owner?.closed();
    stage.clock.advance(stage.limits.liveIdleMs - 1);
    assert.equal(stage.read('tidegate_live_resources{}'), 1);
    stage.clock.advance(1);
    assert.equal(stage.read('tidegate_live_resources{}'), 0);
  });

  it('is not let go of while somebody is there again', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer({ a: 1 }, { etag: '"1"' });
    stream.owner?.closed();
    stage.origin.script = () => stage.origin.unmodified();
    const again = stage.sse();
    stage.clock.advance(2 * stage.limits.liveIdleMs);
    stage.origin.script = null;
    stage.next({ a: 2 });
    assert.equal(again.said().length, 2);
  });

  it('gives way to others, the one left longest first, beyond limits.liveIdleResourcesMax', () => {
    const stage = new LiveStage({}, { liveIdleResourcesMax: 2 });
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    for (const name of ['a', 'b', 'c']) stage.sse(`/${name}`).owner?.closed();
    assert.equal(stage.read('tidegate_live_resources{}'), 2);
    for (const name of ['c', 'b', 'a']) stage.sse(`/${name}`);
    assert.deepEqual(
      stage.origin.asked.map(({ request }) => request.target),
      ['/a', '/b', '/c', '/a'],
    );
  });

  it('is there for all who came together, though the first of them leaves at once and nothing is kept', () => {
    const stage = new LiveStage({}, { liveIdleResourcesMax: 0 });
    const poll = stage.poll(null);
    const stream = stage.sse();
    stage.origin.answer({ a: 1 });
    assert.equal(poll.status, 200);
    stage.next({ a: 2 });
    assert.deepEqual(stream.said(), ['snapshot {"a":1}', 'patch [{"op":"replace","path":"/a","value":2}]']);
    stream.owner?.closed();
    assert.equal(stage.read('tidegate_live_resources{}'), 0);
  });

  it('is refused beyond limits.liveResourcesMax, unless an idle one can give way', () => {
    const stage = new LiveStage({}, { liveResourcesMax: 2 });
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    const first = stage.sse('/a');
    stage.sse('/b');
    const refused = stage.sse('/c');
    assert.deepEqual([refused.status, refused.code], [503, 'live_resources_exhausted']);
    first.owner?.closed();
    assert.equal(stage.sse('/c').status, 200);
  });

  it('is refused beyond limits.liveValuesBytesMax, unless idle ones can give way', () => {
    const stage = new LiveStage({}, { liveValuesBytesMax: 1000 });
    stage.origin.script = () => stage.origin.answer(JSON.stringify('x'.repeat(598)));
    const first = stage.sse('/a');
    stage.sse('/b');
    assert.equal(stage.sse('/c').code, 'live_resources_exhausted');
    first.owner?.closed();
    assert.equal(stage.sse('/c').status, 200);
    assert.equal(stage.read('tidegate_live_resources{}'), 2);
  });

  it('leaves nothing behind when all is closed', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer({ a: 1 });
    stage.sse('/others');
    stage.routes.close();
    assert.ok(stage.origin.last.isAborted);
    stage.clock.advance(3_600_000);
    assert.equal(stage.origin.asked.length, 2);
    assert.equal(stage.read('tidegate_live_resources{}'), 0);
    stream.owner?.closed();
    assert.equal(stage.subscribers(), 0);
    assert.equal(stage.clock.pendingTimers, 0);
  });

  it('counts who follows it and what they were sent', () => {
    const stage = new LiveStage();
    const [stream, socket] = [stage.sse(), stage.socket()];
    stage.poll('*');
    stage.origin.answer({ a: 1 });
    assert.equal(stage.read('tidegate_live_subscribers{poll}'), 1);
    stage.next({ a: 2 });
    assert.equal(stage.read('tidegate_live_frames_total{snapshot}'), 2);
    assert.equal(stage.read('tidegate_live_frames_total{patch}'), 2);
    assert.equal(stage.read('tidegate_live_polls_total{changed}'), 2);
    assert.equal(stage.read('tidegate_live_subscribers{sse}'), 1);
    assert.equal(stage.read('tidegate_live_subscribers{websocket}'), 1);
    stream.owner?.closed();
    socket.owner?.closed();
    assert.equal(stage.subscribers(), 0);
  });
});

describe('A plain answer of a live route', () => {
  it('names the live variants as LiveResource does', () => {
    const address = { target: '/things?a=1', scheme: 'https', host: 'api.example' } as const;
    assert.deepEqual(liveFields({ ...address, mode: 'value' }), [
      ['link', '</things?a=1>; rel="value-wait"'],
      ['link', '</things?a=1>; rel="alternate value-stream"; type="text/event-stream"'],
      ['link', '<wss://api.example/things?a=1>; rel="alternate"'],
      ['liveresource-property', 'wait'],
    ]);
    assert.deepEqual(liveFields({ target: '/', scheme: 'http', mode: 'patch' }), [
      ['link', '</>; rel="value-wait"'],
      ['link', '</>; rel="alternate changes-stream"; type="text/event-stream"'],
      ['liveresource-property', 'wait'],
    ]);
  });

  it('cannot be made to name others', () => {
    const [[, link]] = liveFields({ target: '/a>;rel="x",<"b', scheme: 'http', mode: 'patch' });
    assert.equal(link, '</a%3E;rel=%22x%22,%3C%22b>; rel="value-wait"');
  });
});
