import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Told } from './fakes.ts';
import { LiveProcesses } from './live-processes.ts';

const idOf = (told: readonly Told[]): string => told.at(-1)?.id ?? '';

describe('The processes of a server with a live route', () => {
  it('ask the origin once for all who follow a value, wherever they are', () => {
    const server = new LiveProcesses(2);
    const { owner } = server;
    const streams = server.stages.flatMap((stage) => [stage.sse(), stage.socket(), stage.sse()]);
    server.deliver();
    assert.equal(owner.origin.asked.length, 1);
    owner.origin.answer({ a: 1 });
    server.deliver();
    server.next({ a: 2 });
    server.next({ a: 3 });
    assert.equal(owner.origin.asked.length, 3);
    const told = streams.map((stream) => stream.told());
    for (const one of told) assert.deepEqual(one, told[0]);
    assert.deepEqual(
      told[0].map(({ kind }) => kind),
      ['snapshot', 'patch', 'patch'],
    );
    assert.equal(owner.read('tidegate_live_polls_total{changed}'), 3);
    assert.equal(server.worker().read('tidegate_live_polls_total{changed}'), 0);
  });

  it('ask while anybody is there in any of them, and not while nobody is', () => {
    const server = new LiveProcesses(2);
    const { asked } = server.owner.origin;
    const [one, other] = [server.worker(0).sse(), server.worker(1).socket()];
    server.deliver();
    server.owner.origin.answer({ a: 1 });
    server.next({ a: 1 });
    one.owner?.closed();
    server.next({ a: 2 });
    assert.deepEqual(other.said(), ['snapshot {"a":1}', 'patch [{"op":"replace","path":"/a","value":2}]']);
    other.owner?.closed();
    server.advance(3_600_000);
    assert.equal(asked.length, 3);
    for (const stage of server.stages) assert.equal(stage.read('tidegate_live_resources{}'), 0);
  });

  it('know what the owner knows: whoever comes gets the value without another poll, also at a worker where nobody was', () => {
    const server = new LiveProcesses(2);
    server.owner.sse();
    server.owner.origin.answer({ a: 1 });
    server.next({ a: 2 });
    const late = server.worker(1).sse();
    server.deliver();
    assert.deepEqual(late.said(), ['snapshot {"a":2}']);
    assert.equal(server.owner.origin.asked.length, 2);
  });

  it('let a client resume at another one: nothing if it is current, and one patch over what it has missed', () => {
    const server = new LiveProcesses(2);
    const first = server.worker(0).sse();
    const stays = server.worker(0).socket();
    server.deliver();
    server.owner.origin.answer({ a: 1 });
    server.deliver();
    const known = idOf(first.told());
    first.owner?.closed();
    const current = server.worker(1).sse('/things', { 'last-event-id': known });
    server.deliver();
    assert.deepEqual(current.said(), []);
    current.owner?.closed();
    server.next({ a: 2 });
    server.next({ a: 2, b: 3 });
    for (const stage of [server.worker(1), server.owner, server.worker(0)]) {
      const back = stage.sse('/things', { 'last-event-id': known });
      server.deliver();
      assert.deepEqual(back.said(), [
        'patch [{"op":"replace","path":"/a","value":2},{"op":"add","path":"/b","value":3}]',
      ]);
    }
    assert.equal(stays.told().length, 3);
    assert.equal(server.owner.origin.asked.length, 3);
  });

  it('tell a worker only what it misses when somebody comes back there, and nothing of the value if it has it', () => {
    const server = new LiveProcesses(1);
    const worker = server.worker();
    const first = worker.sse();
    server.owner.sse();
    server.owner.origin.answer({ a: 1, long: 'x'.repeat(10_000) });
    server.deliver();
    first.owner?.closed();
    server.deliver();
    const said: number[] = [];
    const { ask } = server.lines().owner;
    server.lines().owner.ask = function (subject, question, done) {
      said.push(question.length);
      ask.call(this, subject, question, done);
    };
    assert.equal(worker.sse().status, 0);
    server.deliver();
    assert.equal(said.length, 1);
    assert.ok(said[0] < 100);
  });

  it('answer long-polls alike, with the tag of the origin and with that of the version', () => {
    const server = new LiveProcesses(1);
    server.owner.sse();
    server.owner.origin.answer({ a: 1 }, { etag: '"one"' });
    const waiting = server.worker().poll('"one"');
    server.deliver();
    assert.equal(waiting.status, 0);
    server.next({ a: 2 }, { etag: '"two"' });
    assert.deepEqual([waiting.status, waiting.body], [200, '{"a":2}']);
    const patch = server
      .worker()
      .poll(String(waiting.headers.etag), { accept: 'application/json-patch+json' });
    server.next({ a: 3 });
    assert.deepEqual([patch.status, patch.body], [200, '[{"op":"replace","path":"/a","value":3}]']);
  });

  it('tell of a failure and of its end in all of them, and keep to one pace with the origin', () => {
    const server = new LiveProcesses(1, {}, { liveBackoffMsMax: 60_000 });
    const streams = server.stages.map((stage) => stage.sse());
    server.owner.origin.answer({ a: 1 });
    server.advance(2000);
    server.owner.origin.answer('busy', {}, 503);
    server.advance(3999);
    assert.equal(server.owner.origin.asked.length, 2);
    server.advance(1);
    server.owner.origin.answer('busy', { 'retry-after': '30' }, 503);
    server.advance(29_999);
    assert.equal(server.owner.origin.asked.length, 3);
    server.advance(1);
    server.owner.origin.answer({ a: 1 });
    server.deliver();
    for (const stream of streams) {
      assert.deepEqual(stream.said(), ['snapshot {"a":1}', 'problem live_status', 'patch []']);
    }
  });

  it('give the first who asks the failure as the origin answered it', () => {
    for (const open of ['sse', 'socket'] as const) {
      const server = new LiveProcesses(1);
      const exchange = server.worker()[open]();
      server.deliver();
      const fields = { 'content-type': 'text/plain', 'retry-after': '9', 'set-cookie': 'a=b' };
      server.owner.origin.answer('come back \u00e4', fields, 503);
      server.deliver();
      assert.deepEqual([exchange.status, exchange.body], [503, 'come back \u00e4']);
      assert.deepEqual(exchange.headers, {
        'cache-control': 'no-store',
        'content-type': 'text/plain',
        'retry-after': '9',
      });
      server.advance(100_000);
      assert.equal(server.owner.origin.asked.length, 1);
    }
    const server = new LiveProcesses(1);
    const exchange = server.worker().sse();
    server.deliver();
    server.owner.origin.fail('upstream_unreachable');
    server.deliver();
    assert.deepEqual([exchange.status, exchange.code], [502, 'upstream_unreachable']);
  });

  it('share limits.liveResourcesMax, and what is refused may be asked for again', () => {
    const server = new LiveProcesses(1, {}, { liveResourcesMax: 1, liveIdleMs: 0 });
    const there = server.owner.sse('/one');
    server.owner.origin.answer({ a: 1 });
    const refused = server.worker().sse('/other');
    server.deliver();
    assert.deepEqual([refused.status, refused.code], [503, 'live_resources_exhausted']);
    there.owner?.closed();
    server.advance(1);
    const stream = server.worker().sse('/other');
    server.deliver();
    server.owner.origin.answer({ b: 1 });
    server.deliver();
    assert.deepEqual(stream.said(), ['snapshot {"b":1}']);
  });

  it('refuse what a route would be needed for that the owner knows nothing of', () => {
    const server = new LiveProcesses(1);
    server.owner.fetch = null;
    const exchange = server.worker().sse();
    server.deliver();
    assert.deepEqual([exchange.status, exchange.code], [503, 'upstream_unavailable']);
    assert.equal(server.owner.origin.asked.length, 0);
  });

  it('ask on the way of the newest request, as routes change, whichever of them it came to', () => {
    const server = new LiveProcesses(1);
    const worker = server.worker();
    worker.sse();
    server.deliver();
    server.owner.origin.answer({ a: 1 });
    server.deliver();
    let asked = 0;
    server.owner.fetch = (...args) => {
      asked++;
      return server.owner.origin.fetch(...args);
    };
    worker.sse();
    server.next({ a: 1 });
    assert.equal(asked, 0);
    worker.rules = {};
    worker.sse();
    server.next({ a: 1 });
    assert.equal(asked, 1);
  });

  it('do not hold for a worker what it does not read: it misses versions, and limits.liveForwardedBytesMax bounds what is under way', () => {
    const limits = { liveForwardedBytesMax: 100 * 1024, liveValueBytesMax: 1024 * 1024 };
    const server = new LiveProcesses(1, {}, limits);
    const { owner } = server;
    const stream = server.worker().sse();
    server.worker().sse('/other');
    server.deliver();
    let unread = 0;
    const { ask } = server.lines().owner;
    server.lines().owner.ask = function (subject, question, done) {
      unread += question.length - 1;
      assert.ok(unread <= limits.liveForwardedBytesMax);
      ask.call(this, subject, question, (error, answer) => {
        unread -= question.length - 1;
        done(error, answer);
      });
    };
    owner.origin.answer({ other: true });
    owner.origin.asked[0].done(null, {
      status: 200,
      headers: [],
      body: Buffer.from(JSON.stringify({ n: 0, x: 'x'.repeat(300_000) })),
    });
    assert.equal(unread, limits.liveForwardedBytesMax);
    owner.origin.script = ({ request, done }) => {
      const value = {
        n: request.target === '/things' ? owner.origin.asked.length : 0,
        x: 'x'.repeat(300_000),
      };
      done(null, { status: 200, headers: [], body: Buffer.from(JSON.stringify(value)) });
    };
    owner.clock.advance(20_000);
    assert.equal(unread, limits.liveForwardedBytesMax);
    server.deliver();
    assert.equal(unread, 0);
    const told = stream.told();
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['snapshot', 'patch'],
    );
    server.deliver();
    assert.equal(stream.told().length, 0);
  });
});

describe('A worker that dies', () => {
  it('is nobody any more: what only its clients followed is not asked for', () => {
    const server = new LiveProcesses(2);
    server.worker(0).sse();
    server.deliver();
    server.owner.origin.answer({ a: 1 });
    server.deliver();
    server.replace(0);
    server.advance(3_600_000);
    assert.equal(server.owner.origin.asked.length, 1);
    assert.equal(server.owner.read('tidegate_live_resources{}'), 0);
  });

  it('leaves the polls to those who follow the value elsewhere, and its clients resume at the one in its place', () => {
    const server = new LiveProcesses(2);
    const [lost, stays] = [server.worker(0).sse(), server.worker(1).sse()];
    server.deliver();
    server.owner.origin.answer({ a: 1 });
    server.deliver();
    const known = idOf(lost.told());
    server.replace(0);
    server.next({ a: 2 });
    const back = server.worker(0).sse('/things', { 'last-event-id': known });
    server.deliver();
    const patch = 'patch [{"op":"replace","path":"/a","value":2}]';
    assert.deepEqual(back.said(), [patch]);
    assert.deepEqual(stays.said(), ['snapshot {"a":1}', patch]);
    assert.equal(server.owner.origin.asked.length, 2);
  });

  it('while the first poll is under way, has it given up', () => {
    const server = new LiveProcesses(1);
    server.worker().sse();
    server.deliver();
    server.replace();
    assert.ok(server.owner.origin.last.isAborted);
  });
});

describe('A server with workers that is drained', () => {
  it('refuses newcomers and ends streams in each process, whichever is told first', () => {
    const server = new LiveProcesses(1);
    const [here, there] = [server.owner.sse(), server.worker().sse()];
    server.owner.origin.answer({ a: 1 });
    server.deliver();
    server.owner.routes.drain();
    server.deliver();
    const late = server.worker().sse('/other');
    server.deliver();
    assert.deepEqual([late.status, late.code], [503, 'draining']);
    server.worker().routes.drain();
    server.deliver();
    assert.deepEqual([here.channel.state, there.channel.state], ['ended', 'ended']);
    assert.deepEqual(there.said(), ['snapshot {"a":1}']);
    server.advance(100_000);
    assert.equal(server.owner.origin.asked.length, 1);
  });
});
