import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ForwardedSessions } from '../../../src/gateway/sockjs/forwarded-sessions.ts';
import { serveSessions } from '../../../src/gateway/sockjs/serve-sessions.ts';
import type { SessionAnswer, SessionAnswerOwner } from '../../../src/gateway/sockjs/session-answer.ts';
import type { SessionRequest } from '../../../src/gateway/sockjs/session-request.ts';
import { SockJsMetrics } from '../../../src/gateway/sockjs/sockjs-metrics.ts';
import { type Limits, noMetrics, resolveLimits } from '../../../src/kernel/index.ts';
import { linePair } from '../../support/line-pair.ts';

const REQUEST: SessionRequest = {
  route: 'chat',
  sessionId: 'one',
  transport: 'xhr_streaming',
  callback: null,
  messages: '',
  query: '?a=b',
  visitor: { scheme: 'http', host: 'a', remoteAddress: '::1', proxies: ['10.0.0.1'], fields: ['x', 'y'] },
};

/** An answer that writes down what it is told, and keeps pace as a test says. */
class RecordedAnswer implements SessionAnswer {
  readonly told: string[] = [];
  owner: SessionAnswerOwner | null = null;
  keepsPace = true;

  heardBy(owner: SessionAnswerOwner): void {
    this.owner = owner;
  }

  respond(status: number, _headers: object, body: string | Uint8Array): void {
    this.told.push(`respond ${status} ${String(body)}`);
  }

  open(status: number): void {
    this.told.push(`open ${status}`);
  }

  write(text: string): boolean {
    this.told.push(`write ${text}`);
    return this.keepsPace;
  }

  end(): void {
    this.told.push('end');
  }
}

/** A request that one process hands to another. */
function forwarded(others: Partial<Limits> = {}) {
  const pair = linePair();
  const asked: { request: SessionRequest; answer: SessionAnswer }[] = [];
  const limits = resolveLimits({ sockJsQueuedBytesMax: 10, ...others });
  serveSessions(pair.owner, { handle: (request, answer) => asked.push({ request, answer }) }, limits);
  const sessions = new ForwardedSessions(pair.worker, new SockJsMetrics(noMetrics), limits);
  const local = new RecordedAnswer();
  sessions.handle(REQUEST, local);
  pair.deliver();
  assert.deepEqual(asked[0].request, REQUEST);
  return { pair, local, remote: asked[0].answer, sessions, asked };
}

test('what the session says reaches the client in its order, and then nothing more', () => {
  const { pair, local, remote } = forwarded();
  remote.open(200, { a: 'b' });
  remote.write('one ü');
  remote.write('two');
  remote.end();
  remote.write('late');
  pair.deliver();
  assert.deepEqual(local.told, ['open 200', 'write one ü', 'write two', 'end']);
  const other = forwarded();
  other.remote.respond(404, {}, Buffer.from('no'));
  other.remote.respond(200, {}, 'late');
  other.pair.deliver();
  assert.deepEqual(other.local.told, ['respond 404 no']);
});

test('a client that does not keep pace stops the session, and has it go on once it has taken everything', () => {
  const { pair, local, remote } = forwarded();
  const told: string[] = [];
  remote.heardBy({ drained: () => told.push('drained'), left: () => told.push('left') });
  remote.open(200, {});
  local.keepsPace = false;
  assert.equal(remote.write('12345'), true);
  assert.equal(remote.write('67890'), false);
  pair.deliver();
  assert.deepEqual(told, []);
  local.keepsPace = true;
  local.owner?.drained();
  pair.deliver();
  assert.deepEqual(told, ['drained']);
  // One that keeps pace is waited for only as long as it is not heard of.
  assert.equal(remote.write('1234567890'), false);
  pair.deliver();
  assert.deepEqual(told, ['drained', 'drained']);
});

test('whoever leaves is gone for the session, too, and hears nothing more', () => {
  const { pair, local, remote } = forwarded();
  const told: string[] = [];
  remote.heardBy({ drained: () => told.push('drained'), left: () => told.push('left') });
  remote.open(200, {});
  pair.deliver();
  local.owner?.left();
  remote.write('on its way');
  pair.deliver();
  assert.deepEqual([told, local.told], [['left'], ['open 200']]);
});

test('when a process dies, its clients are gone; when the owner does, clients get an end or an error', () => {
  const { pair, local, remote } = forwarded();
  const told: string[] = [];
  remote.heardBy({ drained: () => told.push('drained'), left: () => told.push('left') });
  pair.close();
  assert.deepEqual(told, ['left']);
  assert.match(local.told.join(), /^respond 50\d .*worker_unavailable/);
  const open = forwarded();
  open.remote.open(200, {});
  open.pair.deliver();
  open.pair.close();
  assert.deepEqual(open.local.told, ['open 200', 'end']);
});

test('requests wait for each other beyond limits.sockJsForwardedBytesMax: they are refused until those before have arrived', () => {
  const { pair, sessions, asked } = forwarded({ sockJsForwardedBytesMax: 1024 });
  const large = { ...REQUEST, messages: 'x'.repeat(2000) };
  const [first, second, third] = [0, 1, 2].map(() => new RecordedAnswer());
  // One alone is taken, however large.
  sessions.handle(large, first);
  sessions.handle(REQUEST, second);
  assert.deepEqual(first.told, []);
  assert.match(second.told.join(), /^respond 503 .*worker_overloaded/);
  pair.deliver();
  sessions.handle(REQUEST, third);
  pair.deliver();
  assert.deepEqual([asked.length, third.told], [3, []]);
});

test('the streams of a line wait once all together have limits.sockJsForwardedBytesMax under way', () => {
  const { pair, sessions, asked, remote } = forwarded({
    sockJsForwardedBytesMax: 1024,
    sockJsQueuedBytesMax: 4096,
  });
  sessions.handle(REQUEST, new RecordedAnswer());
  pair.deliver();
  const other = asked[1].answer;
  const drained: string[] = [];
  other.heardBy({ drained: () => drained.push('other'), left() {} });
  for (const answer of [remote, other]) answer.open(200, {});
  assert.equal(remote.write('x'.repeat(600)), true);
  assert.equal(other.write('x'.repeat(600)), false);
  pair.deliver();
  assert.deepEqual(drained, ['other']);
  assert.equal(other.write('x'.repeat(600)), true);
});
