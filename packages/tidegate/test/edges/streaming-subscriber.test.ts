import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { beforeEach, describe, test } from 'node:test';
import type { Channels, FrameEncoder, Sink, SubscribeRequest } from '../../src/channels/index.ts';
import { openStream, type StreamRequest } from '../../src/edges/streaming-subscriber.ts';
import { TidegateError } from '../../src/kernel/index.ts';
import type { ByteChannelOwner, HttpExchange } from '../../src/listeners/port.ts';

/** Everything that is asked of the hub and of the connection, in order. */
let said: string[];
let keepsPace: boolean;
let refusal: TidegateError | null;
let asked: SubscribeRequest;
let sink: Sink;
let owner: ByteChannelOwner;

const channels: Channels = {
  publish: () => assert.fail('nothing is published'),
  reach: (_channels, _footing, ready) => ready(),
  subscribe(request) {
    if (refusal !== null) throw refusal;
    asked = request;
    sink = request.sink;
    return {
      drained: () => said.push('subscription drained'),
      cursor: () => '',
      close: () => said.push('subscription closed'),
    };
  },
  drain() {},
};

const exchange = {
  stream(status: number, _headers: object, channelOwner: ByteChannelOwner, framing: string) {
    said.push(`stream ${status} ${framing}`);
    owner = channelOwner;
    return {
      write(bytes: Buffer) {
        said.push(`write ${bytes}`);
        return keepsPace;
      },
      end: (last?: Buffer) => said.push(`end ${JSON.stringify(last?.toString() ?? null)}`),
      destroy: () => said.push('destroy'),
    };
  },
} as unknown as HttpExchange;

const REQUEST: StreamRequest = {
  channels: ['a'],
  from: { kind: 'latest' },
  encoder: {} as FrameEncoder,
  slowPolicy: 'drop',
  protocol: 'sse',
  framing: 'chunked',
  headers: {},
  preamble: () => Buffer.from('first'),
  end: { expiring: (expiresMs) => Buffer.from(`ends at ${expiresMs}`), last: Buffer.from('last') },
};

beforeEach(() => {
  said = [];
  keepsPace = true;
  refusal = null;
});

describe('A subscriber whose response is a stream', () => {
  test('subscribes before it answers, so that a refusal can still be an answer', () => {
    refusal = new TidegateError('channel_invalid');
    assert.throws(() => openStream(exchange, channels, REQUEST), refusal);
    assert.deepEqual(said, []);
  });

  test('passes on what was asked for, and begins with the preamble', () => {
    openStream(exchange, channels, REQUEST);
    assert.deepEqual(said, ['stream 200 chunked', 'write first']);
    assert.deepEqual(
      [asked.channels, asked.slowPolicy, asked.protocol, asked.from],
      [['a'], 'drop', 'sse', { kind: 'latest' }],
    );
  });

  test('tells the hub when the connection does not keep pace, and when it does again', () => {
    openStream(exchange, channels, { ...REQUEST, preamble: null });
    assert.equal(sink.write(Buffer.from('x'), 1), true);
    keepsPace = false;
    assert.equal(sink.write(Buffer.from('y'), 1), false);
    owner.drained();
    assert.deepEqual(said.slice(1), ['write x', 'write y', 'subscription drained']);
  });

  test('ends its subscription when the connection is gone', () => {
    openStream(exchange, channels, { ...REQUEST, preamble: null });
    owner.closed();
    assert.deepEqual(said.slice(1), ['subscription closed']);
  });

  test('ends the response politely when the server shuts down', () => {
    openStream(exchange, channels, { ...REQUEST, preamble: null });
    owner.draining();
    assert.deepEqual(said.slice(1), ['subscription closed', 'end "last"']);
    const end = { ...REQUEST.end, last: undefined };
    openStream(exchange, channels, { ...REQUEST, preamble: null, framing: 'close', end });
    sink.ended('draining');
    assert.deepEqual(said.slice(-1), ['end null']);
  });

  test('tells when its credential ends, and goes on', () => {
    openStream(exchange, channels, { ...REQUEST, preamble: null });
    sink.expiring?.(1234);
    sink.write(Buffer.from('x'), 1);
    assert.deepEqual(said.slice(1), ['write ends at 1234', 'write x']);
  });

  test('drops the connection of a client that is too slow: it would not read a polite end', () => {
    openStream(exchange, channels, { ...REQUEST, preamble: null });
    sink.ended('too_slow');
    assert.deepEqual(said.slice(1), ['destroy']);
  });
});
