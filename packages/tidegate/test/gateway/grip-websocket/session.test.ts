import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { TidegateError } from '../../../src/kernel/index.ts';
import {
  BINARY_FRAME,
  CLOSE_FRAME,
  CONTINUATION_ENDS,
  closePayload,
  PING_FRAME,
  PONG_FRAME,
  TEXT_BEGINS,
  TEXT_FRAME,
} from '../../../src/wire/websocket/index.ts';
import { clock, eachTestHasAHub } from '../../support/hub-fixture.ts';
import { publishItem, SessionStage } from './session-stage.ts';

eachTestHasAHub();

describe('What passes between a client and an origin', () => {
  it('goes to the client without its prefix, and not at all without one', () => {
    const stage = new SessionStage();
    stage.say('m:hello');
    stage.say('hello');
    stage.session.originMessage('binary', Buffer.from('m:\x01'));
    stage.session.originMessage('binary', Buffer.from('c:{"type":"detach"}'));
    assert.deepEqual(stage.frames(), ['text hello', 'binary 01']);
  });

  it('has no prefix if the origin agreed on an empty one, and control messages still count', async () => {
    const stage = new SessionStage({ messagePrefix: '' });
    stage.say('hello');
    await stage.control({ type: 'detach' });
    assert.deepEqual(stage.frames(), ['text hello']);
    assert.deepEqual(stage.origin.told, ['detach']);
  });

  it('is as it is if the origin has not accepted grip, control messages included', () => {
    const stage = new SessionStage({ messagePrefix: null });
    stage.say('m:hello');
    stage.say('c:{"type":"detach"}');
    assert.deepEqual(stage.frames(), ['text m:hello', 'text c:{"type":"detach"}']);
    assert.deepEqual(stage.origin.told, []);
  });

  it('goes to the origin in whole messages', () => {
    const stage = new SessionStage();
    stage.receive(TEXT_FRAME, 'one');
    stage.receive(TEXT_BEGINS, 'tw');
    stage.receive(CONTINUATION_ENDS, 'o');
    stage.receive(BINARY_FRAME, 'three');
    assert.deepEqual(stage.origin.told, ['text one', 'text two', 'binary three']);
  });

  it('is kept by whoever gets it, also when the bytes it came in are used again', () => {
    const stage = new SessionStage();
    const kept: Buffer[] = [];
    stage.origin.sendMessage = (_kind, content) => void kept.push(content);
    stage.origin.sendPing = (content) => void kept.push(content);
    for (const firstByte of [TEXT_FRAME, PING_FRAME]) {
      const bytes = Buffer.concat([Buffer.from([firstByte, 0x83, 0, 0, 0, 0]), Buffer.from('abc')]);
      stage.session.client.received(bytes);
      bytes.fill(0);
    }
    assert.deepEqual(kept.map(String), ['abc', 'abc']);
  });

  it('has pings and pongs of both', () => {
    const stage = new SessionStage();
    stage.session.originPing(Buffer.from('a'));
    stage.session.originPong(Buffer.from('b'));
    assert.deepEqual(stage.frames(), ['ping 61', 'pong 62']);
    stage.receive(PONG_FRAME, 'c');
    assert.deepEqual(stage.origin.told, ['pong c']);
  });

  it('has an answer of the gateway to each ping, unless the origin answers by itself', () => {
    const stage = new SessionStage();
    stage.receive(PING_FRAME, 'a');
    assert.deepEqual(stage.frames(), ['pong 61']);
    stage.origin.answersPings = true;
    stage.receive(PING_FRAME, 'b');
    assert.deepEqual(stage.frames(), []);
    assert.deepEqual(stage.origin.told, ['ping a', 'ping b']);
  });

  it('tells the origin of a ping once, although the answer had to wait', () => {
    const stage = new SessionStage();
    stage.transport.room = false;
    stage.say('m:much');
    stage.receive(PING_FRAME, 'a');
    stage.transport.room = true;
    stage.session.client.drained();
    assert.deepEqual(stage.frames(), ['text much', 'pong 61']);
    assert.deepEqual(stage.origin.take(), ['pause', 'ping a', 'resume']);
  });

  it('is held up by a client that does not read, until it does', () => {
    const stage = new SessionStage();
    stage.transport.room = false;
    stage.say('m:much');
    assert.deepEqual(stage.origin.take(), ['pause']);
    stage.transport.room = true;
    stage.session.client.drained();
    assert.deepEqual(stage.origin.take(), ['resume']);
  });

  it('is held up by an origin that takes no more, until it does', () => {
    const stage = new SessionStage();
    stage.session.originBusy();
    assert.equal(stage.transport.paused, true);
    stage.session.originReady();
    assert.equal(stage.transport.paused, false);
  });
});

describe('The end of a GRIP WebSocket', () => {
  it('is told to the origin with the code and reason of the client', () => {
    const stage = new SessionStage();
    stage.receive(CLOSE_FRAME, closePayload(4001, 'bye'));
    stage.drop();
    assert.deepEqual(stage.frames(), ['close 4001 ']);
    assert.deepEqual(stage.origin.told, ['close 4001 bye']);
    assert.equal(stage.ended, 1);
  });

  it('is told to the origin without a code if the client names none', () => {
    const stage = new SessionStage();
    stage.receive(CLOSE_FRAME);
    stage.drop();
    assert.deepEqual(stage.origin.told, ['close null ']);
  });

  it('is told to the origin if the client is lost, or breaks the protocol', () => {
    const lost = new SessionStage();
    lost.drop();
    const broken = new SessionStage();
    broken.session.client.received(Buffer.from([0x83]));
    assert.equal(broken.transport.state, 'ended');
    broken.drop();
    assert.deepEqual([lost.origin.told, broken.origin.told], [['disconnect'], ['disconnect']]);
    assert.equal(clock.pendingTimers > 0, true);
  });

  it('comes with CLOSE of the origin, which hears no more', () => {
    const stage = new SessionStage();
    stage.session.originClosed({ code: 1001, reason: 'over' });
    assert.deepEqual(stage.frames(), ['close 1001 over']);
    stage.receive(TEXT_FRAME, 'too late');
    stage.receive(CLOSE_FRAME, closePayload(1001));
    stage.drop();
    assert.deepEqual(stage.origin.told, []);
    assert.equal(stage.ended, 1);
  });

  it('comes without a code if the origin names none', () => {
    const stage = new SessionStage();
    stage.session.originClosed({ code: null, reason: '' });
    assert.deepEqual(stage.frames(), ['close 1005 ']);
  });

  it('comes without a close frame if the origin drops the connection', () => {
    const stage = new SessionStage();
    stage.session.originDropped();
    assert.equal(stage.transport.state, 'destroyed');
    stage.drop();
    assert.deepEqual(stage.origin.told, []);
  });

  it('comes when the origin fails, with a code that says whether to come again', () => {
    for (const [error, code] of [
      ['upstream_unreachable', 1013],
      ['grip_instruct_invalid', 1011],
    ] as const) {
      const stage = new SessionStage();
      stage.session.originFailed(new TidegateError(error));
      assert.deepEqual(stage.frames(), [`close ${code} ${error}`]);
      assert.equal(stage.counts.origin_failures, 1);
      assert.deepEqual(stage.warnings, ['A WebSocket ends because of its origin']);
    }
  });

  it('comes when the server shuts down', () => {
    const stage = new SessionStage();
    stage.session.client.draining();
    assert.deepEqual(stage.frames(), ['close 1012 ']);
    stage.receive(CLOSE_FRAME, closePayload(1012));
    assert.deepEqual(stage.origin.told, ['close 1012 ']);
  });

  it('is not waited for longer than the limit', () => {
    const stage = new SessionStage({ limits: { webSocketCloseTimeoutMs: 1000 } });
    stage.session.originClosed({ code: 1000, reason: '' });
    clock.advance(990);
    assert.equal(stage.transport.state, 'open');
    clock.advance(40);
    assert.equal(stage.transport.state, 'destroyed');
  });

  it('is answered although the client was not being read', () => {
    const stage = new SessionStage();
    stage.session.originBusy();
    stage.session.originClosed({ code: 1000, reason: '' });
    assert.equal(stage.transport.paused, false);
    stage.session.originBusy();
    assert.equal(stage.transport.paused, false);
  });

  it('comes when a client is silent and does not answer', () => {
    const limits = { keepAliveIntervalMs: 10_000, webSocketPongTimeoutMs: 5000 };
    const stage = new SessionStage({ limits });
    clock.advance(9_990);
    assert.deepEqual(stage.frames(), []);
    clock.advance(40);
    assert.deepEqual(stage.frames(), ['ping 7469646567617465']);
    clock.advance(5_100);
    assert.equal(stage.transport.state, 'destroyed');
  });

  it('does not come as long as the client answers, of which the origin hears nothing', () => {
    const limits = { keepAliveIntervalMs: 10_000, webSocketPongTimeoutMs: 5000 };
    const stage = new SessionStage({ limits });
    clock.advance(10_030);
    stage.receive(PONG_FRAME, 'tidegate');
    clock.advance(5_100);
    assert.equal(stage.transport.state, 'open');
    clock.advance(10_100);
    assert.deepEqual(stage.frames(), ['ping 7469646567617465', 'ping 7469646567617465']);
    assert.deepEqual(stage.origin.told, []);
  });

  it('does not come while it is the origin that keeps the client from being read', () => {
    const limits = { keepAliveIntervalMs: 10_000, webSocketPongTimeoutMs: 5000 };
    const stage = new SessionStage({ limits });
    stage.session.originBusy();
    clock.advance(60_000);
    assert.equal(stage.transport.state, 'open');
    assert.deepEqual(stage.frames(), []);
  });
});

/** A gateway that does not ask whether the client is there. */
const PATIENT = { limits: { keepAliveIntervalMs: 600_000 } };

describe('Control messages', () => {
  it('that cannot be read have no effect, and are counted and logged', async () => {
    const stage = new SessionStage();
    stage.say('c:{');
    await stage.control({ type: 'levitate' }, { type: 'subscribe' });
    stage.say('m:still here');
    assert.deepEqual(stage.frames(), ['text still here']);
    assert.equal(stage.counts.control_errors, 3);
    assert.equal(stage.warnings.length, 3);
  });

  it('detach the origin: the client stays subscribed, and what it sends is discarded', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    stage.session.originBusy();
    await stage.control({ type: 'detach' });
    assert.deepEqual(stage.origin.take(), ['detach']);
    assert.equal(stage.transport.paused, false);
    stage.receive(TEXT_FRAME, 'anybody?');
    stage.receive(PING_FRAME, 'a');
    await publishItem('news', 'hello');
    await publishItem('news', { action: 'refresh' });
    assert.deepEqual(stage.frames(), ['pong 61', 'text hello']);
    assert.equal(stage.counts.discarded_frames, 1);
    stage.receive(CLOSE_FRAME);
    stage.drop();
    assert.deepEqual(stage.origin.told, []);
    assert.equal(stage.ended, 1);
  });

  it('name the session', async () => {
    const stage = new SessionStage();
    await stage.control({ type: 'session', id: 's1' }, { type: 'session' });
    assert.deepEqual(stage.origin.told, ['session s1', 'session null']);
  });

  it('send a keep-alive when nothing else was sent for the interval', async () => {
    const stage = new SessionStage(PATIENT);
    await stage.control({ type: 'keep-alive', content: 'ka', timeout: 10, mode: 'idle' });
    clock.advance(8000);
    stage.say('m:hello');
    clock.advance(8000);
    assert.deepEqual(stage.frames(), ['text hello']);
    clock.advance(2050);
    assert.deepEqual(stage.frames(), ['text ka']);
    clock.advance(10_050);
    assert.deepEqual(stage.frames(), ['text ka']);
  });

  it('send a keep-alive in each interval', async () => {
    const stage = new SessionStage(PATIENT);
    await stage.control({ type: 'keep-alive', content: 'ka', timeout: 10, mode: 'interval' });
    clock.advance(8000);
    stage.say('m:hello');
    clock.advance(2050);
    assert.deepEqual(stage.frames(), ['text hello', 'text ka']);
  });

  it('send a keep-alive of any type, until it is turned off', async () => {
    const stage = new SessionStage(PATIENT);
    await stage.control({ type: 'keep-alive', content: 'ka', 'message-type': 'ping', timeout: 10 });
    clock.advance(10_050);
    assert.deepEqual(stage.frames(), ['ping 6b61']);
    await stage.control({ type: 'keep-alive' });
    clock.advance(60_000);
    assert.deepEqual(stage.frames(), []);
  });

  it('send no keep-alive to a client that does not read', async () => {
    const stage = new SessionStage();
    await stage.control({ type: 'keep-alive', content: 'ka', timeout: 10, mode: 'interval' });
    stage.transport.room = false;
    stage.say('m:much');
    clock.advance(10_050);
    assert.deepEqual(stage.frames(), ['text much']);
  });

  it('delay a message', async () => {
    const stage = new SessionStage();
    await stage.control(
      { type: 'send-delayed', content: 'later', timeout: 2 },
      { type: 'send-delayed', content: 'sooner' },
    );
    clock.advance(990);
    assert.deepEqual(stage.frames(), []);
    clock.advance(40);
    assert.deepEqual(stage.frames(), ['text sooner']);
    clock.advance(1000);
    assert.deepEqual(stage.frames(), ['text later']);
  });

  it('send what is delayed at once', async () => {
    const stage = new SessionStage(PATIENT);
    await stage.control(
      { type: 'send-delayed', content: 'b', timeout: 20 },
      { type: 'send-delayed', content: 'a', timeout: 10 },
      { type: 'flush-delayed' },
    );
    assert.deepEqual(stage.frames(), ['text a', 'text b']);
    clock.advance(30_000);
    assert.deepEqual(stage.frames(), []);
  });

  it('send the oldest that is delayed at once when there is no room for one more', async () => {
    const stage = new SessionStage({ limits: { gripSocketDelayedMax: 1 } });
    await stage.control(
      { type: 'send-delayed', content: 'a', timeout: 10 },
      { type: 'send-delayed', content: 'b', timeout: 20 },
    );
    assert.deepEqual(stage.frames(), ['text a']);
  });

  it('end the connection if they store more than the limits allow', async () => {
    const stage = new SessionStage({ limits: { gripSocketMetaMax: 1 } });
    await stage.control(
      { type: 'set-meta', name: 'a', value: '1' },
      { type: 'set-meta', name: 'a' },
      { type: 'set-meta', name: 'b', value: '1' },
    );
    assert.deepEqual(stage.frames(), []);
    await stage.control({ type: 'set-meta', name: 'c', value: '1' });
    assert.deepEqual(stage.frames(), ['close 1011 grip_instruct_invalid']);
    assert.deepEqual(stage.origin.told, ['disconnect']);
  });
});
