import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { beforeEach, describe, test } from 'node:test';
import { PollSession } from '../../../src/edges/poll/session.ts';
import type { TidegateError } from '../../../src/kernel/index.ts';
import type { HttpExchange } from '../../../src/listeners/port.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let closed: number;
let answers: string[];
let leave: () => void;

beforeEach(() => {
  clock = new ManualClock();
  closed = 0;
  answers = [];
});

/** A poll whose subscription stands at the cursor `here`. */
function begin(bounds: {
  readonly waitMs?: number;
  readonly messagesMax?: number;
  readonly bytesMax?: number;
}): PollSession {
  const exchange = {
    request: { headers: { get: () => undefined } },
    respond: (status: number, _headers: object, body: Buffer) => answers.push(`${status} ${body}`),
    fail: ({ code }: TidegateError) => answers.push(code),
    onAbandoned: (callback: () => void) => {
      leave = callback;
    },
  } as unknown as HttpExchange;
  const session = new PollSession(exchange, clock, {
    waitMs: 1000,
    messagesMax: 10,
    bytesMax: 1000,
    ...bounds,
  });
  session.begin({ drained() {}, cursor: () => 'here', close: () => closed++ });
  return session;
}

function elements(...names: string[]): Buffer {
  return Buffer.from(names.map((name) => `{"channel":"c","cursor":"after ${name}"},\n`).join(''));
}

const GAP = Buffer.from('{"gap":{"reason":"damaged","cursor":"after the gap"}},\n');

function page(next: string, ...names: string[]): string {
  const messages = names
    .map((name) => (name === 'gap' ? GAP : elements(name)).toString().slice(0, -2))
    .join(',\n');
  return `200 {"messages":[${messages}],"next":"${next}"}\n`;
}

describe('A poll', () => {
  test('collects over several turns while it catches up, and answers when it has', () => {
    const poll = begin({});
    assert.equal(poll.write(elements('a'), 1), true);
    clock.endTurn();
    assert.equal(poll.write(elements('b', 'c'), 2), true);
    clock.endTurn();
    assert.deepEqual(answers, []);
    poll.caughtUp();
    clock.endTurn();
    assert.deepEqual([answers, closed], [[page('here', 'a', 'b', 'c')], 1]);
  });

  test('that has caught up with nothing waits, and answers at the end of the turn that brings something', () => {
    const poll = begin({});
    poll.caughtUp();
    clock.endTurn();
    poll.write(elements('a'), 1);
    poll.write(elements('b'), 1);
    assert.deepEqual(answers, []);
    clock.endTurn();
    assert.deepEqual(answers, [page('here', 'a', 'b')]);
  });

  test('answers with nothing once it has waited', () => {
    const poll = begin({ waitMs: 500 });
    poll.caughtUp();
    clock.advance(499);
    assert.deepEqual(answers, []);
    clock.advance(1);
    assert.deepEqual([answers, closed], [[page('here')], 1]);
  });

  test('that does not wait answers when it has caught up, not before', () => {
    const poll = begin({ waitMs: 0 });
    clock.advance(10_000);
    clock.endTurn();
    assert.deepEqual(answers, []);
    poll.caughtUp();
    clock.endTurn();
    assert.deepEqual(answers, [page('here')]);
  });

  test('stops the hub once it is full, and goes on after the last message that fits', () => {
    const poll = begin({ messagesMax: 2 });
    assert.equal(poll.write(elements('a'), 1), true);
    assert.equal(poll.write(elements('b', 'c'), 2), false);
    clock.endTurn();
    assert.deepEqual(answers, [page('after b', 'a', 'b')]);
  });

  test('cuts at the border of a buffer as well', () => {
    const poll = begin({ messagesMax: 1 });
    poll.write(elements('a'), 1);
    poll.write(elements('b'), 1);
    clock.endTurn();
    assert.deepEqual(answers, [page('after a', 'a')]);
  });

  test('does not count a gap as a message, and can be cut behind one', () => {
    const poll = begin({ messagesMax: 1 });
    poll.write(elements('a'), 1);
    poll.write(GAP, 0);
    poll.write(elements('b'), 1);
    clock.endTurn();
    assert.deepEqual(answers, [page('after the gap', 'a', 'gap')]);
  });

  test('answers a gap at once when it has caught up: the client must know', () => {
    const poll = begin({});
    poll.write(GAP, 0);
    poll.caughtUp();
    clock.endTurn();
    assert.deepEqual(answers, [page('here', 'gap')]);
  });

  test('is bounded in bytes, but has one message at least', () => {
    const size = elements('a').length;
    const poll = begin({ bytesMax: size * 2 });
    assert.equal(poll.write(elements('a', 'b', 'c'), 3), false);
    clock.endTurn();
    assert.deepEqual(answers, [page('after b', 'a', 'b')]);
    const tight = begin({ bytesMax: 1 });
    tight.write(elements('a', 'b'), 2);
    clock.endTurn();
    assert.deepEqual(answers.slice(1), [page('after a', 'a')]);
  });

  test('answers with what it has when the subscription is ended', () => {
    const poll = begin({});
    poll.write(elements('a'), 1);
    poll.ended('draining');
    assert.deepEqual(answers, [page('here', 'a')]);
  });

  test('answers with what it has when reading fails, and with the failure when it has nothing', () => {
    const poll = begin({});
    poll.write(elements('a'), 1);
    poll.ended('failed');
    begin({}).ended('failed');
    assert.deepEqual([answers, closed], [[page('here', 'a'), 'internal'], 2]);
  });

  test('whose client has left, or has ended its side, waits for nothing more', () => {
    const poll = begin({});
    poll.caughtUp();
    leave();
    assert.deepEqual([answers, closed], [[page('here')], 1]);
    assert.equal(poll.write(elements('b'), 1), false);
    clock.advance(10_000);
    clock.endTurn();
    assert.equal(answers.length, 1);
  });

  test('answers once, even if its wait is over in the turn in which it answers', () => {
    const poll = begin({});
    poll.caughtUp();
    poll.write(elements('a'), 1);
    clock.advance(1000);
    clock.endTurn();
    assert.deepEqual(answers, [page('here', 'a')]);
  });
});
