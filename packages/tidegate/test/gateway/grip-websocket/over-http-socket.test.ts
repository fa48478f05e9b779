import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { OverHttpStage } from './over-http-stage.ts';
import { texts } from './scripted-origin.ts';

describe('A WebSocket over HTTP', () => {
  it('has one request under way, and gathers events meanwhile', () => {
    const opened = OverHttpStage.opened();
    opened.send('one');
    opened.send('two', 'three');
    assert.equal(opened.origin.count, 2);
    assert.equal(opened.origin.last.body, texts('one'));
    assert.equal(opened.origin.last.isEnded, true);
    opened.origin.last.answer({ body: texts('uno') });
    assert.deepEqual(opened.told, ['text uno']);
    assert.equal(opened.origin.count, 3);
    assert.equal(opened.origin.last.body, texts('two', 'three'));
    opened.origin.last.answer({});
    assert.equal(opened.origin.count, 3);
  });

  it('has the same id in all requests, and another signature in each', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    const [first, second] = stage.origin.requests;
    assert.equal(first.field('connection-id'), second.field('connection-id'));
    assert.notEqual(first.field('grip-sig'), second.field('grip-sig'));
  });

  it('passes all kinds of events, both ways', () => {
    const stage = OverHttpStage.opened();
    stage.socket.sendMessage('binary', Buffer.from([0, 255]));
    stage.origin.last.answer({
      body: Buffer.from('BINARY 2\r\n\x00\xff\r\nPING\r\nPONG 2\r\nok\r\nTEXT 0\r\n\r\n', 'latin1'),
    });
    stage.socket.sendPing(Buffer.from('a'));
    stage.socket.sendPong(Buffer.alloc(0));
    assert.deepEqual(stage.told, ['binary 00ff', 'ping ', 'pong ok', 'text ']);
    assert.equal(stage.origin.requests[1].body, 'BINARY 2\r\n\x00\xff\r\n');
    assert.equal(stage.origin.requests[2].body, 'PING 1\r\na\r\n');
    stage.origin.last.answer({});
    assert.equal(stage.origin.last.body, 'PONG\r\n');
  });

  it('keeps what the origin stores with it, and forgets what the origin takes away', () => {
    const stage = OverHttpStage.opened({}, ['Set-Meta-User', 'alice', 'Set-Meta-Room', '7']);
    stage.send('one');
    assert.equal(stage.origin.last.field('meta-user'), 'alice');
    assert.equal(stage.origin.last.field('meta-room'), '7');
    stage.origin.last.answer({ fields: ['Set-Meta-User', '', 'set-meta-room', '8'] });
    stage.send('two');
    assert.equal(stage.origin.last.field('meta-user'), undefined);
    assert.equal(stage.origin.last.field('meta-room'), '8');
  });

  it('ends if the origin stores more with it than the limits allow', () => {
    for (const limits of [{ gripSocketMetaMax: 1 }, { gripSocketMetaBytesMax: 64 }]) {
      const stage = OverHttpStage.opened(limits, ['Set-Meta-A', 'x'.repeat(40)]);
      stage.send('one');
      stage.origin.last.answer({ fields: ['Set-Meta-A', 'y'.repeat(40)] });
      assert.deepEqual(stage.takeTold(), []);
      stage.send('two');
      stage.origin.last.answer({ fields: ['Set-Meta-B', 'z'.repeat(40)] });
      assert.deepEqual(stage.told, ['failed grip_instruct_invalid']);
      assert.equal(stage.origin.last.body, 'DISCONNECT\r\n');
    }
  });

  it('names the session in its requests, as long as there is one', () => {
    const stage = OverHttpStage.opened();
    stage.socket.setSession('s1');
    stage.send('one');
    assert.equal(stage.origin.last.field('grip-session-id'), 's1');
    stage.socket.setSession('\u010d');
    stage.origin.last.answer({});
    stage.send('two');
    assert.equal(stage.origin.last.field('grip-session-id'), '\xc4\x8d', 'UTF-8, and no line end');
    stage.socket.setSession(null);
    stage.origin.last.answer({});
    stage.send('three');
    assert.equal(stage.origin.last.field('grip-session-id'), undefined);
  });

  it('asks a silent origin at the interval that it names, which is at least 20 seconds', () => {
    const stage = OverHttpStage.opened({}, ['Keep-Alive-Interval', '5']);
    stage.clock.advance(19_990);
    assert.equal(stage.origin.count, 1);
    stage.clock.advance(40);
    assert.equal(stage.origin.count, 2);
    assert.equal(stage.origin.last.body, '');
    assert.equal(stage.origin.last.request.bodyBytes, 0);
    stage.clock.advance(60_000);
    assert.equal(stage.origin.count, 2, 'one is under way');
    stage.origin.last.answer({ body: texts('news'), fields: ['Keep-Alive-Interval', '60'] });
    assert.deepEqual(stage.told, ['text news']);
    stage.clock.advance(59_000);
    assert.equal(stage.origin.count, 2);
    stage.clock.advance(1100);
    assert.equal(stage.origin.count, 3);
    stage.origin.last.answer({ status: 204, type: null, fields: ['Keep-Alive-Interval', '0'] });
    stage.clock.advance(600_000);
    assert.equal(stage.origin.count, 3);
  });

  it('begins the interval anew with each request', () => {
    const stage = OverHttpStage.opened({}, ['Keep-Alive-Interval', '20']);
    stage.clock.advance(15_000);
    stage.send('one');
    stage.origin.last.answer({});
    stage.clock.advance(15_000);
    assert.equal(stage.origin.count, 2);
    stage.clock.advance(5_100);
    assert.equal(stage.origin.count, 3);
  });

  it('asks at once when it is told to, and once more if it was asking', () => {
    const stage = OverHttpStage.opened();
    stage.socket.refresh();
    assert.equal(stage.origin.count, 2);
    assert.equal(stage.origin.last.body, '');
    stage.socket.refresh();
    stage.socket.refresh();
    assert.equal(stage.origin.count, 2);
    stage.origin.last.answer({});
    assert.equal(stage.origin.count, 3);
    stage.origin.last.answer({});
    assert.equal(stage.origin.count, 3);
  });

  it('asks nothing while its client does not read, and goes on when it does', () => {
    const stage = OverHttpStage.opened();
    stage.socket.pause();
    stage.send('one', 'two');
    assert.equal(stage.origin.count, 1);
    stage.socket.resume();
    assert.equal(stage.origin.last.body, texts('one', 'two'));
  });

  it('stops its client when too much waits for the origin, until that is gone', () => {
    const stage = OverHttpStage.opened({ gripSocketQueuedBytesMax: 1024 });
    stage.send('first');
    stage.send('x'.repeat(500));
    assert.deepEqual(stage.takeTold(), []);
    stage.send('y'.repeat(500));
    assert.deepEqual(stage.takeTold(), ['busy']);
    stage.send('z');
    assert.deepEqual(stage.takeTold(), []);
    stage.origin.last.answer({});
    assert.deepEqual(stage.takeTold(), []);
    assert.equal(stage.origin.last.body, texts('x'.repeat(500), 'y'.repeat(500), 'z'));
    stage.origin.last.answer({});
    assert.deepEqual(stage.takeTold(), ['ready']);
  });
});

describe('An origin that accepts a part of what it is sent', () => {
  const ACCEPTED = 'Content-Bytes-Accepted';

  it('is sent the rest again, and told how much of it that is', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    stage.send('two', 'three');
    stage.origin.last.answer({});
    stage.send('four');
    stage.origin.last.answer({ fields: [ACCEPTED, '3'] });
    assert.equal(stage.origin.last.body, texts('three', 'four'));
    assert.equal(stage.origin.last.field('content-bytes-replayed'), '5');
    stage.origin.last.answer({});
    stage.send('five');
    assert.equal(stage.origin.last.body, texts('five'));
    assert.equal(stage.origin.last.field('content-bytes-replayed'), undefined);
  });

  it('accepts whole messages only', () => {
    const stage = OverHttpStage.opened();
    stage.socket.pause();
    stage.send('one', 'three');
    stage.socket.resume();
    stage.origin.last.answer({ fields: [ACCEPTED, '7'] });
    assert.equal(stage.origin.last.body, texts('three'));
  });

  it('is asked again when there is more, if it accepts nothing', () => {
    const stage = OverHttpStage.opened();
    stage.send('hel');
    stage.origin.last.answer({ fields: [ACCEPTED, '0'] });
    assert.equal(stage.origin.count, 2);
    stage.send('lo');
    assert.equal(stage.origin.count, 3);
    assert.equal(stage.origin.last.body, texts('hel', 'lo'));
    assert.equal(stage.origin.last.field('content-bytes-replayed'), '3');
    stage.origin.last.answer({ fields: [ACCEPTED, '0'] });
    stage.socket.refresh();
    assert.equal(stage.origin.last.field('content-bytes-replayed'), '5');
    stage.origin.last.answer({ fields: [ACCEPTED, '5'] });
    assert.deepEqual(stage.told, []);
    assert.equal(stage.origin.count, 4);
  });

  it('is asked again at once if there is more already', () => {
    const stage = OverHttpStage.opened();
    stage.send('hel');
    stage.send('lo');
    stage.origin.last.answer({ fields: [ACCEPTED, '0'] });
    assert.equal(stage.origin.last.body, texts('hel', 'lo'));
  });

  it('ends the connection if it accepts nothing while there is no room for more', () => {
    const stage = OverHttpStage.opened({ gripSocketQueuedBytesMax: 1024 });
    stage.send('x'.repeat(2000));
    stage.origin.last.answer({ fields: [ACCEPTED, '0'] });
    assert.deepEqual(stage.told, ['busy', 'failed grip_instruct_invalid']);
  });

  it('accepts at most what it was sent', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    stage.send('two');
    stage.origin.last.answer({ fields: [ACCEPTED, '999999'] });
    assert.equal(stage.origin.last.body, texts('two'));
  });

  it('is told of the end also if it accepts nothing any more', () => {
    const stage = OverHttpStage.opened();
    stage.send('hel');
    stage.origin.last.answer({ fields: [ACCEPTED, '0'] });
    stage.socket.disconnect();
    assert.equal(stage.origin.last.body, `${texts('hel')}DISCONNECT\r\n`);
    stage.origin.last.answer({ fields: [ACCEPTED, '0'] });
    assert.equal(stage.origin.count, 3);
  });
});

describe('The end of a WebSocket over HTTP', () => {
  it('is told with the code and reason of the client', () => {
    const stage = OverHttpStage.opened();
    stage.socket.close({ code: 4001, reason: 'bye' });
    assert.equal(stage.origin.last.body, 'CLOSE 5\r\n\x0f\xa1bye\r\n');
    stage.origin.last.answer({ body: texts('too late') });
    assert.deepEqual(stage.told, []);
    assert.equal(stage.origin.count, 2);
    assert.equal(stage.clock.pendingTimers, 0);
  });

  it('is told as DISCONNECT if the client was lost, behind all that it sent, once what is under way is done', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    stage.send('two');
    stage.socket.disconnect();
    assert.equal(stage.origin.count, 2);
    stage.origin.last.answer({ body: texts('ignored') });
    assert.equal(stage.origin.last.body, `${texts('two')}DISCONNECT\r\n`);
    stage.origin.last.answer({});
    assert.equal(stage.origin.count, 3);
    assert.deepEqual(stage.told, []);
  });

  it('has nothing behind it', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    stage.socket.disconnect();
    stage.send('late');
    stage.socket.close({ code: 1000, reason: '' });
    stage.origin.last.answer({});
    assert.equal(stage.origin.last.body, 'DISCONNECT\r\n');
  });

  it('is not brought nearer by attempts for earlier requests', () => {
    const stage = OverHttpStage.opened({ gripSocketRetriesMax: 1, gripSocketRetryDelayMs: 100 });
    for (const text of ['one', 'two']) {
      stage.send(text);
      stage.origin.last.fail('upstream_unreachable', 'nothing');
      stage.clock.advance(200);
      assert.equal(stage.origin.last.body, texts(text));
      stage.origin.last.answer({});
    }
    assert.deepEqual(stage.told, []);
  });

  it('is told also to an origin that has to be tried several times', () => {
    const stage = OverHttpStage.opened();
    stage.socket.disconnect();
    stage.origin.last.fail('upstream_unreachable', 'nothing');
    stage.clock.advance(1000);
    assert.equal(stage.origin.count, 3);
    assert.equal(stage.origin.last.body, 'DISCONNECT\r\n');
    stage.origin.last.answer({ status: 500, type: null });
    assert.equal(stage.origin.count, 3);
  });

  it('is told while a client that does not read kept the origin waiting', () => {
    const stage = OverHttpStage.opened();
    stage.socket.pause();
    stage.socket.disconnect();
    assert.equal(stage.origin.last.body, 'DISCONNECT\r\n');
  });

  it('comes from the origin with CLOSE, after which nothing is asked or told', () => {
    const stage = OverHttpStage.opened({}, ['Keep-Alive-Interval', '20']);
    stage.send('one');
    const events = `${texts('last')}CLOSE 5\r\n\x03\xe8bye\r\n${texts('never')}`;
    stage.origin.last.answer({ body: Buffer.from(events, 'latin1') });
    assert.deepEqual(stage.told, ['text last', 'close 1000 bye']);
    stage.send('two');
    stage.socket.disconnect();
    stage.clock.advance(60_000);
    assert.equal(stage.origin.count, 2);
  });

  it('comes from the origin with a code that may be sent, whatever the origin says', () => {
    for (const [sent, code] of [
      ['CLOSE 2\r\n\x00\x00\r\n', 1000],
      ['CLOSE 2\r\n\x03\xee\r\n', 1000],
      ['CLOSE\r\n', null],
    ] as const) {
      const stage = OverHttpStage.opened();
      stage.send('one');
      stage.origin.last.answer({ body: Buffer.from(sent, 'latin1') });
      assert.deepEqual(stage.told, [`close ${code} `]);
    }
  });

  it('comes from the origin with DISCONNECT', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    stage.origin.last.answer({ body: 'DISCONNECT\r\n' });
    assert.deepEqual(stage.told, ['dropped']);
    assert.equal(stage.origin.count, 2);
  });

  it('comes with detaching, which the origin is not told of', () => {
    const stage = OverHttpStage.opened({}, ['Keep-Alive-Interval', '20']);
    stage.send('one');
    stage.socket.detach();
    assert.equal(stage.origin.last.isAborted, true);
    stage.clock.advance(60_000);
    assert.equal(stage.origin.count, 2);
  });

  it('comes behind what else the answer says by which the origin detaches', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    stage.onTold = () => stage.socket.detach();
    stage.origin.last.answer({ body: `${texts('detach', 'goodbye')}DISCONNECT\r\n${texts('unheard')}` });
    assert.deepEqual(stage.told, ['text detach', 'text goodbye', 'dropped']);
    stage.send('two');
    assert.equal(stage.origin.count, 2);
  });

  it('comes with whatever the origin says that cannot be followed, of which it is told once', () => {
    for (const [answer, code] of [
      [{ status: 500 }, 'upstream_malformed'],
      [{ type: 'text/html', body: '<p>' }, 'upstream_malformed'],
      [{ body: 'NONSENSE' }, 'grip_instruct_invalid'],
      [{ body: 'OPEN\r\n' }, 'grip_instruct_invalid'],
      [{ fields: ['Content-Bytes-Accepted', 'all'] }, 'grip_instruct_invalid'],
    ] as const) {
      const stage = OverHttpStage.opened({}, ['Keep-Alive-Interval', '20']);
      stage.send('one');
      stage.origin.last.answer(answer);
      assert.deepEqual(stage.told, [`failed ${code}`], JSON.stringify(answer));
      assert.equal(stage.origin.last.body, 'DISCONNECT\r\n');
      stage.origin.last.fail('upstream_unreachable', 'nothing');
      stage.clock.advance(60_000);
      assert.equal(stage.origin.count, 3);
      assert.equal(stage.clock.pendingTimers, 0);
    }
  });

  it('comes when the origin is lost after it may have acted', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    stage.origin.last.fail('upstream_reset', 'idle_connection');
    assert.deepEqual(stage.told, ['failed upstream_reset']);
    assert.equal(stage.origin.last.body, 'DISCONNECT\r\n');
  });

  it('does not come when asking without events has to be repeated', () => {
    const stage = OverHttpStage.opened();
    stage.socket.refresh();
    stage.origin.last.fail('upstream_reset', 'origin');
    stage.clock.advance(1000);
    assert.equal(stage.origin.count, 3);
    assert.deepEqual(stage.told, []);
  });

  it('may come from the client in the midst of what the origin says', () => {
    const stage = OverHttpStage.opened();
    stage.send('one');
    stage.onTold = () => stage.socket.disconnect();
    stage.origin.last.answer({ body: texts('a', 'b') });
    assert.deepEqual(stage.told, ['text a']);
    assert.equal(stage.origin.last.body, 'DISCONNECT\r\n');
    assert.equal(stage.origin.count, 3);
  });
});
