import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { TidegateError } from '../../../src/kernel/index.ts';
import {
  BINARY_FRAME,
  CLOSE_FRAME,
  CONTINUATION_ENDS,
  closePayload,
  encodeFrame,
  PING_FRAME,
  PONG_FRAME,
  TEXT_BEGINS,
  TEXT_FRAME,
} from '../../../src/wire/websocket/index.ts';
import { clientFrame } from '../../wire/websocket/recorder.ts';
import { SessionStage } from './fakes.ts';

const text = (message: string): Buffer => clientFrame(TEXT_FRAME, message);
const close = (code: number): Buffer => clientFrame(CLOSE_FRAME, closePayload(code));

describe('A WebSocket session publishes', () => {
  it('what the client sends, the messages of one read together and in order', () => {
    const { session, channels } = new SessionStage();
    session.received(
      Buffer.concat([text('one'), clientFrame(BINARY_FRAME, Buffer.of(0xff)), text('{"a":1}')]),
    );
    assert.equal(channels.published.length, 1);
    assert.deepEqual(
      channels.published[0].events.map(({ channel, data, dataKind, attributes, clientId }) => ({
        channel,
        data: String(data),
        dataKind,
        attributes,
        clientId,
      })),
      [
        { channel: 'orders/42', data: 'one', dataKind: 'text', attributes: [], clientId: null },
        {
          channel: 'orders/42',
          data: '\ufffd',
          dataKind: 'binary',
          attributes: [['datacontenttype', 'application/octet-stream']],
          clientId: null,
        },
        { channel: 'orders/42', data: '{"a":1}', dataKind: 'json', attributes: [], clientId: null },
      ],
    );
  });

  it('objects and arrays as JSON, and every other text as text', () => {
    for (const [message, dataKind] of [
      ['[]', 'json'],
      ['{}', 'json'],
      ['42', 'text'],
      ['true', 'text'],
      ['"a"', 'text'],
      ['', 'text'],
      ['[hello]', 'text'],
      ['{', 'text'],
    ]) {
      const { session, channels } = new SessionStage();
      session.received(text(message));
      assert.equal(channels.published[0].events[0].dataKind, dataKind, message);
    }
  });

  it('bytes of its own, as those of the connection are used again', () => {
    const { session, channels } = new SessionStage();
    const slice = text('mine');
    session.received(slice);
    slice.fill(0);
    assert.deepEqual(channels.texts, ['mine']);
  });

  it('what came before the close frame, and nothing after it', () => {
    const { session, channels, transport } = new SessionStage();
    session.received(Buffer.concat([text('before'), close(1001), text('after')]));
    assert.deepEqual(channels.texts, ['before']);
    assert.deepEqual(transport.frames(), ['close 1001 ']);
    assert.equal(transport.state, 'ended');
  });

  it('what was under way when the server began to close', () => {
    const { session, channels, transport } = new SessionStage();
    session.draining();
    session.received(text('sent before the close frame arrived'));
    assert.equal(channels.texts.length, 1);
    session.received(close(1012));
    assert.deepEqual(transport.frames(), ['close 1012 ']);
    assert.equal(transport.state, 'ended');
  });
});

describe('A WebSocket session holds the client back', () => {
  it('while as many messages as allowed wait for the log', () => {
    const { session, channels, transport } = new SessionStage('frame', { webSocketPublishesPendingMax: 3 });
    session.received(text('1'));
    session.received(text('2'));
    assert.equal(transport.paused, false);
    session.received(text('3'));
    assert.equal(transport.paused, true);
    channels.answer();
    assert.equal(transport.paused, false);
  });

  it('while as many bytes as allowed wait for the log', () => {
    const { session, channels, transport } = new SessionStage('frame', {
      webSocketPublishBytesPendingMax: 1024,
    });
    session.received(text('x'.repeat(1024)));
    assert.equal(transport.paused, true);
    channels.answer();
    assert.equal(transport.paused, false);
  });

  it('while it does not read what it is told about its errors', () => {
    const { session, channels, transport } = new SessionStage();
    transport.room = false;
    session.received(text('1'));
    channels.answer(new TidegateError('log_disk_full'));
    assert.equal(transport.paused, true);
    transport.room = true;
    session.drained();
    assert.equal(transport.paused, false);
  });
});

describe('A WebSocket session tells of a message that could not be published', () => {
  it('in a frame, if messages have an envelope', () => {
    const { session, channels, transport } = new SessionStage('frame');
    session.received(text('1'));
    channels.answer(new TidegateError('channel_not_publishable', 'A wildcard'));
    assert.deepEqual(transport.frames(), [
      'text {"error":{"code":"channel_not_publishable","title":"The channel cannot be published to","detail":"A wildcard"}}',
    ]);
    session.received(text('2'));
    assert.deepEqual(channels.texts, ['2']);
  });

  for (const [error, told] of [
    [
      new TidegateError('channel_not_publishable', 'A wildcard'),
      'close 4400 channel_not_publishable: A wildcard',
    ],
    [new TidegateError('log_disk_full'), 'close 1013 log_disk_full'],
    [new TidegateError('log_closed'), 'close 1012 log_closed'],
    [new TidegateError('internal'), 'close 1011 internal'],
  ] as const) {
    it(`by the close code, if messages are bare: ${told}`, () => {
      const { session, channels, transport, subscription } = new SessionStage('close');
      session.received(text('1'));
      session.received(text('2'));
      channels.answer(error);
      channels.answer(error);
      assert.deepEqual(transport.frames(), [told]);
      assert.equal(subscription.isClosed, true);
      session.received(text('3, which must not be published without the first'));
      assert.deepEqual(channels.texts, []);
    });
  }

  it('not at all, if the client has left', () => {
    const { session, channels, transport } = new SessionStage('frame');
    session.received(text('1'));
    session.closed();
    channels.answer(new TidegateError('log_disk_full'));
    assert.deepEqual(transport.frames(), []);
  });
});

describe('A WebSocket session delivers', () => {
  const frame = encodeFrame(TEXT_FRAME, Buffer.from('m'));

  it('what the subscription hands over, and passes its backpressure on', () => {
    const { session, transport, subscription } = new SessionStage();
    assert.equal(session.write(frame), true);
    transport.room = false;
    assert.equal(session.write(frame), false);
    session.drained();
    assert.equal(subscription.drainedCalls, 1);
    assert.deepEqual(transport.frames(), ['text m', 'text m']);
  });

  it('nothing after a close frame', () => {
    const { session, transport } = new SessionStage();
    session.ended('too_slow');
    assert.equal(session.write(frame), false);
    assert.deepEqual(transport.frames(), ['close 4408 ']);
  });

  it('nothing more once the client has gone, and ends its subscription', () => {
    const { session, subscription } = new SessionStage();
    session.closed();
    assert.equal(subscription.isClosed, true);
    assert.equal(session.write(frame), false);
  });

  it('the end of the subscription as a close code, a gap with where to go on', () => {
    for (const [reason, told] of [
      ['draining', 'close 1012 '],
      ['too_slow', 'close 4408 '],
      ['gap', 'close 4410 orders~Q3kZ8fTn1xYb~0~18'],
      ['topics_changed', 'close 1012 '],
      ['failed', 'close 1011 '],
    ] as const) {
      const { session, transport } = new SessionStage('close');
      session.ended(reason);
      session.draining();
      assert.deepEqual(transport.frames(), [told]);
    }
  });
});

describe('A WebSocket session, as RFC 6455 has it,', () => {
  it('answers pings, of those that pile up only the latest (5.5.3)', () => {
    const { session, transport } = new SessionStage();
    transport.room = false;
    const ping = (payload: string): Buffer => clientFrame(PING_FRAME, payload);
    session.received(ping('a'));
    session.received(Buffer.concat([ping('b'), ping('c')]));
    assert.deepEqual(transport.frames(), ['pong 61']);
    transport.room = true;
    session.drained();
    assert.deepEqual(transport.frames(), ['pong 63']);
  });

  it('fails the connection upon a violation (7.1.7), and hears no more', () => {
    const { session, transport, channels } = new SessionStage();
    session.received(Buffer.of(0x81, 0x01, 0x61));
    session.received(text('late'));
    assert.deepEqual(transport.frames(), ['close 1002 frame without mask']);
    assert.equal(transport.state, 'ended');
    assert.deepEqual(channels.texts, []);
  });

  it('ends the transport when the client ends it without a close frame', () => {
    const { session, transport } = new SessionStage();
    session.received(clientFrame(TEXT_BEGINS, 'never finished'));
    session.receivedEnd();
    assert.deepEqual(transport.frames(), []);
    assert.equal(transport.state, 'ended');
  });

  it('drops a client that does not answer the close frame in time', () => {
    const { session, transport, clock } = new SessionStage('frame', { webSocketCloseTimeoutMs: 5000 });
    session.draining();
    clock.advance(4000);
    assert.equal(transport.state, 'open');
    clock.advance(2000);
    assert.equal(transport.state, 'destroyed');
  });

  it('keeps a message under way apart from those of other clients', () => {
    const first = new SessionStage();
    const second = new SessionStage();
    first.session.received(clientFrame(TEXT_BEGINS, 'a'));
    second.session.received(text('x'));
    first.session.received(clientFrame(CONTINUATION_ENDS, 'b'));
    assert.deepEqual([first.channels.texts, second.channels.texts], [['ab'], ['x']]);
  });
});

describe('A WebSocket session asks for a sign of life', () => {
  const limits = { keepAliveIntervalMs: 25_000, webSocketPongTimeoutMs: 60_000 };

  it('once per interval, and is content with any byte', () => {
    const { session, transport, clock } = new SessionStage('frame', limits);
    for (let round = 0; round < 10; round++) {
      clock.advance(25_100);
      assert.deepEqual(transport.frames(), ['ping '], `round ${round}`);
      session.received(clientFrame(PONG_FRAME).subarray(0, 1));
      session.received(clientFrame(PONG_FRAME).subarray(1));
    }
    assert.equal(transport.state, 'open');
  });

  it('and drops the client when none came for the timeout', () => {
    const { transport, clock } = new SessionStage('frame', limits);
    clock.advance(26_000 + 59_000);
    assert.equal(transport.state, 'open');
    clock.advance(26_000);
    assert.equal(transport.state, 'destroyed');
  });

  it('even if the interval is longer than the timeout, only after a ping', () => {
    const { transport, clock } = new SessionStage('frame', {
      keepAliveIntervalMs: 25_000,
      webSocketPongTimeoutMs: 1000,
    });
    clock.advance(25_100);
    assert.equal(transport.state, 'open');
    clock.advance(25_100);
    assert.equal(transport.state, 'destroyed');
  });

  it('not from a client that it does not read itself', () => {
    const { session, channels, transport, clock } = new SessionStage('frame', {
      ...limits,
      webSocketPublishesPendingMax: 1,
    });
    session.received(text('1'));
    clock.advance(300_000);
    assert.equal(transport.state, 'open');
    channels.answer();
    clock.advance(300_000);
    assert.equal(transport.state, 'destroyed');
  });

  it('and takes a drained socket for one', () => {
    const { session, transport, clock } = new SessionStage('frame', limits);
    transport.room = false;
    for (let round = 0; round < 10; round++) {
      session.write(encodeFrame(TEXT_FRAME, Buffer.from('m')));
      clock.advance(25_000);
      session.drained();
    }
    assert.equal(transport.state, 'open');
    session.write(encodeFrame(TEXT_FRAME, Buffer.from('m')));
    clock.advance(120_000);
    assert.equal(transport.state, 'destroyed');
  });

  it('no more once it has gone, and then no timer runs', () => {
    const { session, transport, clock } = new SessionStage('frame', limits);
    session.closed();
    clock.advance(300_000);
    assert.deepEqual(transport.frames(), []);
  });
});
