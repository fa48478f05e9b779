import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { FilterRequests } from '../../../src/gateway/grip/filter-requests.ts';
import { GripSessions } from '../../../src/gateway/grip-sessions/index.ts';
import { NativeSocket } from '../../../src/gateway/grip-websocket/native-socket.ts';
import { SocketContext } from '../../../src/gateway/grip-websocket/socket-context.ts';
import {
  Deadlines,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
} from '../../../src/kernel/index.ts';
import { encodeCloseFrame, encodeFrame, PING_FRAME, TEXT_FRAME } from '../../../src/wire/websocket/index.ts';
import { FakeChannels } from '../../edges/websocket/fakes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { receive } from '../../wire/websocket/recorder.ts';

/** A socket that keeps what is written. */
class FakeSocket extends EventEmitter {
  room = true;
  destroyed = false;
  isPaused = true;
  isEnded = false;
  #written: Buffer[] = [];

  write(bytes: Buffer): boolean {
    this.#written.push(bytes);
    return this.room;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }

  /** What an origin reads of what was written since the last call. */
  frames(): readonly string[] {
    return receive(Buffer.concat(this.#written.splice(0))).told;
  }
}

function stage(sentAhead: Buffer = Buffer.alloc(0)) {
  const clock = new ManualClock();
  const socket = new FakeSocket();
  const told: string[] = [];
  const common = {
    clock,
    limits: resolveLimits({ webSocketCloseTimeoutMs: 1000, webSocketMessageBytesMax: 1024 }),
    logger: silentLogger,
    metrics: noMetrics,
    deadlines: new Deadlines(clock, 10),
  };
  const origin = new NativeSocket(
    socket as unknown as Socket,
    new SocketContext({
      ...common,
      random: seededRandom(1),
      channels: new FakeChannels(),
      filters: new FilterRequests(common),
      sessions: new GripSessions(common),
    }),
  );
  origin.open(
    {
      originMessage: (kind, content) => told.push(`${kind} ${content}`),
      originPing: (content) => told.push(`ping ${content}`),
      originPong: (content) => told.push(`pong ${content}`),
      originClosed: ({ code, reason }) => told.push(`close ${code} ${reason}`),
      originDropped: () => told.push('dropped'),
      originFailed: ({ code }) => told.push(`failed ${code}`),
      originBusy: () => told.push('busy'),
      originReady: () => told.push('ready'),
    },
    sentAhead,
  );
  return { clock, socket, origin, told };
}

const text = (content: string): Buffer => encodeFrame(TEXT_FRAME, Buffer.from(content));

describe('The WebSocket of an origin', () => {
  it('is read from the first byte, and written with masks', () => {
    const { socket, origin, told } = stage(text('early'));
    assert.equal(socket.isPaused, false);
    socket.emit('data', Buffer.concat([text('one'), encodeFrame(PING_FRAME, Buffer.from('p'))]));
    origin.sendMessage('text', Buffer.from('two'));
    origin.sendMessage('binary', Buffer.from([1]));
    origin.sendPing(Buffer.from('a'));
    origin.sendPong(Buffer.from('b'));
    assert.deepEqual(told, ['text early', 'text one', 'ping p']);
    assert.deepEqual(socket.frames(), ['text two', 'binary 01', 'ping 61', 'pong 62']);
  });

  it('says when it takes no more, and when it does again', () => {
    const { socket, origin, told } = stage();
    socket.room = false;
    origin.sendMessage('text', Buffer.from('one'));
    origin.sendMessage('text', Buffer.from('two'));
    assert.deepEqual(told, ['busy']);
    socket.emit('drain');
    assert.deepEqual(told, ['busy', 'ready']);
  });

  it('is not read while the client does not read', () => {
    const { socket, origin } = stage();
    origin.pause();
    assert.equal(socket.isPaused, true);
    origin.resume();
    assert.equal(socket.isPaused, false);
  });

  it('is read to its end once the client has closed, whoever was slow', () => {
    const { socket, origin, told } = stage();
    origin.pause();
    origin.close({ code: 4001, reason: 'bye' });
    origin.pause();
    assert.equal(socket.isPaused, false);
    socket.emit('data', text('too late'));
    socket.emit('data', encodeCloseFrame(4001));
    socket.emit('end');
    assert.equal(socket.isEnded, true);
    socket.destroy();
    assert.deepEqual(socket.frames(), ['close 4001 bye']);
    assert.deepEqual(told, []);
  });

  it('is closed without a code if the client names none', () => {
    const { socket, origin } = stage();
    origin.close({ code: null, reason: '' });
    assert.deepEqual(socket.frames(), ['close 1005 ']);
  });

  it('is sent nothing behind a close frame', () => {
    const { socket, origin } = stage();
    origin.detach();
    origin.sendMessage('text', Buffer.from('late'));
    origin.close({ code: 1000, reason: '' });
    assert.deepEqual(socket.frames(), ['close 1000 ']);
  });

  it('is dropped if it does not answer a close frame in time', () => {
    const { clock, socket, origin } = stage();
    origin.detach();
    clock.advance(900);
    assert.equal(socket.destroyed, false);
    clock.advance(200);
    assert.equal(socket.destroyed, true);
  });

  it('answers a close frame of the origin with the same code, and tells of it', () => {
    const { socket, told } = stage();
    socket.emit('data', encodeCloseFrame(4002, 'enough'));
    assert.deepEqual(told, ['close 4002 enough']);
    assert.deepEqual(socket.frames(), ['close 4002 ']);
    socket.destroy();
    assert.equal(told.length, 1);
  });

  it('is dropped at once if the client is lost', () => {
    const { socket, origin, told } = stage();
    origin.disconnect();
    assert.equal(socket.destroyed, true);
    assert.deepEqual([told, socket.frames()], [[], []]);
  });

  it('tells of a message that is too large, and of a loss', () => {
    const tooLarge = stage();
    tooLarge.socket.emit('data', text('x'.repeat(1025)));
    assert.deepEqual(tooLarge.told, ['failed upstream_malformed']);
    assert.deepEqual(tooLarge.socket.frames(), ['close 1009 message too large']);
    const lost = stage();
    lost.socket.emit('error', new Error('reset'));
    lost.socket.destroy();
    assert.deepEqual(lost.told, ['failed upstream_reset']);
  });

  it('has nothing to ask, and no requests that name a session', () => {
    const { socket, origin } = stage();
    origin.refresh();
    origin.setSession();
    assert.deepEqual(socket.frames(), []);
  });
});
