import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idOf } from '../../../src/gateway/live/live-value.ts';
import { CLOSE } from '../../../src/wire/websocket/index.ts';
import { LiveStage } from './fakes.ts';

const idFor = (value: unknown): string => idOf(JSON.stringify(value));

describe('An event stream of a live route', () => {
  it('brings a snapshot first, then patches, each with the id of its version', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    assert.equal(stream.status, 0, 'nothing is answered before there is a value');
    stage.origin.answer({ a: 1, b: 2 });
    assert.equal(stream.status, 200);
    assert.equal(stream.headers['content-type'], 'text/event-stream');
    stage.next({ a: 1, b: 3 });
    stage.next({ a: 1 });
    assert.deepEqual(stream.told(), [
      { kind: 'snapshot', id: idFor({ a: 1, b: 2 }), data: { a: 1, b: 2 } },
      { kind: 'patch', id: idFor({ a: 1, b: 3 }), data: [{ op: 'replace', path: '/b', value: 3 }] },
      { kind: 'patch', id: idFor({ a: 1 }), data: [{ op: 'remove', path: '/b' }] },
    ]);
  });

  it('brings whole values where the route says so', () => {
    const stage = new LiveStage({ mode: 'value' });
    const stream = stage.sse();
    stage.origin.answer({ a: 1 });
    stage.next({ a: 2 });
    stage.next({ a: 2 });
    assert.deepEqual(stream.said(), ['snapshot {"a":1}', 'value {"a":2}']);
  });

  it('brings the value as the origin wrote it, in one line', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer('\ufeff{\r\n "n": 1.0,\n "big": 12345678901234567890 }\n');
    const text = stream.channel.unread().toString();
    assert.match(text, /data: \{ {2}"n": 1\.0, {2}"big": 12345678901234567890 \}\n\n$/);
  });

  it('brings the whole value if the patch would be longer', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    const long = (letter: string) => ({ [letter]: letter.repeat(1200) });
    stage.origin.answer(long('a'));
    stage.next(long('b'));
    assert.deepEqual(stream.said(), [
      `snapshot ${JSON.stringify(long('a'))}`,
      `snapshot ${JSON.stringify(long('b'))}`,
    ]);
  });

  it('brings the whole value where integers are beyond what JavaScript can compare', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    const rest = '"rest":0';
    stage.origin.answer(`{"id":9007199254740993,${rest}}`);
    stage.next(`{"id":9007199254740992,${rest}}`);
    stage.next(`{"id":1234567890123456,${rest}}`);
    stage.next(`{"id":1234567890123457,${rest}}`);
    assert.deepEqual(
      stream.told().map(({ kind }) => kind),
      ['snapshot', 'snapshot', 'snapshot', 'patch'],
    );
  });

  it('says nothing of white space and the order of members', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer('{"a":1,"b":2}');
    stage.next('{ "b": 2, "a": 1 }');
    stage.next('{ "b": 2, "a": 1 }');
    stage.next('{"a":1,"b":2}');
    assert.deepEqual(stream.said(), ['snapshot {"a":1,"b":2}']);
    assert.equal(stage.read('tidegate_live_polls_total{unchanged}'), 3);
  });

  it('gives a newcomer the value at once if others follow it, and all the same bytes for a change', () => {
    const stage = new LiveStage();
    const first = stage.sse();
    stage.origin.answer({ a: 1 });
    const second = stage.sse();
    assert.deepEqual(second.said(), ['snapshot {"a":1}']);
    assert.equal(stage.origin.asked.length, 1);
    stage.next({ a: 1, b: 2 });
    assert.equal(first.channel.writes.at(-1), second.channel.writes.at(-1));
    assert.deepEqual(second.said(), ['patch [{"op":"add","path":"/b","value":2}]']);
  });

  it('keeps a silent stream alive with comments', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer({ a: 1 }, { etag: '"1"' });
    stage.origin.script = () => stage.origin.unmodified();
    stream.told();
    stage.clock.advance(stage.limits.keepAliveIntervalMs + 1000);
    assert.equal(stream.channel.unread().toString(), ':\n');
  });

  it('ends when the server is drained, and later ones are refused', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer({ a: 1 });
    const arriving = stage.sse('/others');
    stage.routes.drain();
    assert.equal(stream.channel.state, 'ended');
    assert.equal(arriving.code, 'draining');
    assert.equal(stage.sse().code, 'draining');
    stream.owner?.closed();
    stage.clock.advance(60_000);
    assert.equal(stage.origin.asked.length, 2);
    assert.equal(stage.subscribers(), 0);
  });
});

describe('A stream that is resumed', () => {
  const versions = [1, 2, 3].map((n) => ({ n, rest: 'rest' }));

  /** A stage with three versions and somebody who follows them. */
  function stageOfThree(limits = {}): LiveStage {
    const stage = new LiveStage({}, limits);
    stage.sse();
    stage.origin.answer(versions[0]);
    stage.next(versions[1]);
    stage.next(versions[2]);
    return stage;
  }

  it('gets nothing if it has the current version', () => {
    const stage = stageOfThree();
    const stream = stage.sse('/things', { 'last-event-id': idFor(versions[2]) });
    assert.deepEqual(stream.said(), []);
    stage.next({ ...versions[2], n: 4 });
    assert.deepEqual(stream.said(), ['patch [{"op":"replace","path":"/n","value":4}]']);
  });

  it('gets one patch over all versions that it has missed', () => {
    const stage = stageOfThree();
    const stream = stage.sse('/things', { 'last-event-id': idFor(versions[0]) });
    assert.deepEqual(stream.told(), [
      {
        kind: 'patch',
        id: idFor(versions[2]),
        data: [
          { op: 'replace', path: '/n', value: 2 },
          { op: 'replace', path: '/n', value: 3 },
        ],
      },
    ]);
  });

  it('gets the whole value if its version is unknown, or too long ago', () => {
    const stage = stageOfThree({ liveVersionsMax: 2 });
    for (const id of ['nonsense', idFor(versions[0])]) {
      const stream = stage.sse('/things', { 'last-event-id': id });
      assert.deepEqual(stream.said(), [`snapshot ${JSON.stringify(versions[2])}`]);
    }
    const stream = stage.sse('/things', { 'last-event-id': idFor(versions[1]) });
    assert.deepEqual(stream.said(), ['patch [{"op":"replace","path":"/n","value":3}]']);
  });

  it('goes on from the newest version of its id, as values return', () => {
    const stage = stageOfThree();
    stage.next(versions[0]);
    stage.next(versions[1]);
    const stream = stage.sse('/things', { 'last-event-id': idFor(versions[0]) });
    assert.deepEqual(stream.said(), ['patch [{"op":"replace","path":"/n","value":2}]']);
  });

  it('is known to another process by the same id', () => {
    const other = new LiveStage();
    const stream = other.sse('/things', { 'last-event-id': idFor(versions[2]) });
    other.origin.answer(versions[2]);
    assert.equal(stream.status, 200);
    assert.deepEqual(stream.said(), []);
  });

  it('may name its version in the address, of which the origin sees nothing', () => {
    const stage = new LiveStage();
    const stream = stage.sse(`/things?a=%31&live-from=${idFor(versions[0])}&b`);
    assert.equal(stage.origin.last.request.target, '/things?a=%31&b');
    stage.origin.answer(versions[0]);
    assert.deepEqual(stream.said(), []);
  });
});

describe('A slow subscriber', () => {
  const value = (n: number) => ({ n, rest: 'rest' });

  for (const form of ['sse', 'socket'] as const) {
    it(`over ${form} misses what changes meanwhile, and gets one patch over it`, () => {
      const stage = new LiveStage();
      const slow = stage[form]();
      slow.channel.isFull = true;
      stage.origin.answer(value(1));
      const writes = slow.channel.writes.length;
      stage.next(value(2));
      stage.next(value(3));
      assert.equal(slow.channel.writes.length, writes, 'nothing is queued for it');
      slow.channel.isFull = false;
      slow.owner?.drained();
      if (form === 'sse') assert.match(slow.said()[0], /^snapshot .*"n":3/);
      else {
        assert.deepEqual(slow.said(), [
          `snapshot ${JSON.stringify(value(1))}`,
          'patch [{"op":"replace","path":"/n","value":2},{"op":"replace","path":"/n","value":3}]',
        ]);
      }
    });
  }

  it('gets the whole value if too much has changed', () => {
    const stage = new LiveStage({}, { liveVersionsMax: 2 });
    const slow = stage.socket();
    slow.channel.isFull = true;
    stage.origin.answer(value(1));
    for (let n = 2; n <= 4; n++) stage.next(value(n));
    slow.told();
    slow.channel.isFull = false;
    slow.owner?.drained();
    assert.deepEqual(slow.said(), [`snapshot ${JSON.stringify(value(4))}`]);
  });

  it('gets nothing if the value has returned to what it has', () => {
    const stage = new LiveStage();
    const slow = stage.socket();
    slow.channel.isFull = true;
    stage.origin.answer(value(1));
    stage.next(value(2));
    stage.next(value(1));
    slow.told();
    slow.channel.isFull = false;
    slow.owner?.drained();
    assert.deepEqual(slow.said(), []);
  });
});

describe('A WebSocket of a live route', () => {
  it('brings the same as an event stream, in JSON objects', () => {
    const stage = new LiveStage();
    const socket = stage.socket();
    stage.origin.answer({ a: 1, b: 'b' });
    stage.next({ a: 2, b: 'b' });
    assert.equal(socket.status, 101);
    const [snapshot, patch] = socket.told();
    assert.deepEqual(snapshot, {
      kind: 'snapshot',
      id: idFor({ a: 1, b: 'b' }),
      data: { a: 1, b: 'b' },
    });
    assert.deepEqual([patch.kind, patch.data], ['patch', [{ op: 'replace', path: '/a', value: 2 }]]);
  });

  it('is refused with the version that there is if its handshake is of another, and nothing is polled', () => {
    const stage = new LiveStage();
    const socket = stage.socket('/things', { 'sec-websocket-version': '8' });
    assert.equal(socket.code, 'upgrade_invalid');
    assert.equal(socket.headers['sec-websocket-version'], '13');
    assert.equal(stage.origin.asked.length, 0);
  });

  it('is asked whether it is still there, and dropped if it does not say', () => {
    const stage = new LiveStage();
    const socket = stage.socket();
    stage.origin.answer({ a: 1 }, { etag: '"1"' });
    stage.origin.script = () => stage.origin.unmodified();
    const { keepAliveIntervalMs, webSocketPongTimeoutMs } = stage.limits;
    stage.clock.advance(2 * keepAliveIntervalMs + webSocketPongTimeoutMs + 1000);
    assert.equal(socket.channel.state, 'destroyed');
  });

  it('is closed as for a restart when the server is drained', () => {
    const stage = new LiveStage();
    const socket = stage.socket();
    stage.origin.answer({ a: 1 });
    stage.routes.drain();
    const frame = socket.channel.writes.at(-1)!;
    assert.equal(frame.readUInt16BE(2), CLOSE.serviceRestart);
    stage.clock.advance(stage.limits.webSocketCloseTimeoutMs + stage.limits.keepAliveIntervalMs);
    assert.equal(socket.channel.state, 'destroyed');
  });
});
