import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, test } from 'node:test';
import type { FrameEncoder, Hub } from '../../src/channels/index.ts';
import {
  type MetricSpec,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
} from '../../src/kernel/index.ts';
import { type Log, openMemoryLog } from '../../src/log/index.ts';
import { lineEncoder, parseLines } from '../support/line-encoder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { event, TestSubscriber, testHub, topicSpec } from '../support/test-hub.ts';

// What one sink or encoder does wrong costs that subscriber or that message, and nobody else.

let clock: ManualClock;
let log: Log;
let hub: Hub;

beforeEach(async () => {
  clock = new ManualClock();
  log = openMemoryLog({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits({ memoryPartitionBytesMax: 65_536 }),
  });
  await clock.run(log.createTopic(topicSpec('default')));
  hub = testHub(log, clock, {}, {}, { logger: silentLogger });
});

afterEach(async () => {
  hub.drain();
  hub.close();
  await clock.run(log.close());
});

async function send(channel: string, ...data: string[]): Promise<void> {
  hub.publish(
    data.map((one) => event(channel, one)),
    'test',
    () => {},
  );
  await clock.settle();
}

/** A line encoder that throws at messages with the data `poison`. */
function pickyEncoder(): FrameEncoder {
  const lines = lineEncoder('picky');
  return {
    ...lines,
    message(message, out) {
      lines.message(message, out);
      const data = Buffer.from(message.bytes.subarray(message.dataStart, message.dataEnd)).toString();
      if (data === 'poison') throw new Error('poison');
    },
  };
}

class PickySubscriber extends TestSubscriber {
  static override readonly encoder = pickyEncoder;
}

test('a message that cannot be encoded is told as a gap, live and from the log, and holds up nobody', async () => {
  const picky = new PickySubscriber(hub, 'chat');
  const other = new TestSubscriber(hub, 'chat');
  await clock.settle();
  await send('chat', 'a', 'poison', 'b');
  await send('chat', 'c');
  assert.deepEqual(picky.data, ['a', 'b', 'c']);
  assert.deepEqual(picky.gaps, ['damaged']);
  assert.deepEqual(other.data, ['a', 'poison', 'b', 'c']);
  const late = new PickySubscriber(hub, 'chat', 'earliest');
  await clock.settle();
  assert.deepEqual(late.data, ['a', 'b', 'c']);
  assert.deepEqual(late.gaps, ['damaged']);
  assert.deepEqual(
    late.lines.map(({ cursor }) => cursor).sort(),
    picky.lines.map(({ cursor }) => cursor).sort(),
  );
});

test('a message that cannot be encoded repeats nothing that its turn brought before, and loses nothing for the slow', async () => {
  const small = testHub(log, clock, { flushBytesMax: 1024 }, {}, { logger: silentLogger });
  const quick = new PickySubscriber(small, 'chat');
  const slow = new PickySubscriber(small, 'chat');
  await clock.settle();
  const large = 'x'.repeat(2000);
  slow.room = false;
  for (const turn of [['a'], [large, 'poison', 'b'], ['c']]) {
    small.publish(
      turn.map((data) => event('chat', data)),
      'test',
      () => {},
    );
    await clock.settle();
  }
  slow.drain();
  await clock.settle();
  for (const subscriber of [quick, slow]) {
    assert.deepEqual(subscriber.data, ['a', large, 'b', 'c']);
    assert.deepEqual(subscriber.gaps, ['damaged']);
  }
  small.drain();
  small.close();
});

test('a subscriber that a gap ends is not handed the gap with what others read before it', async () => {
  await send('chat', 'a', 'poison', 'b');
  for (let i = 0; i < 2; i++) {
    new PickySubscriber(hub, 'chat', 'earliest');
    await clock.settle();
  }
  const ending = new PickySubscriber(hub, 'chat', 'earliest', 'resume', true);
  await clock.settle();
  assert.deepEqual([ending.data, ending.gaps, ending.endReason], [['a'], [], 'gap']);
  const resumed = new PickySubscriber(hub, 'chat', ending.subscription.cursor(), 'resume', true);
  await clock.settle();
  assert.deepEqual([resumed.data, resumed.endReason], [['b'], null]);
});

for (const damaged of [0, 1, 2]) {
  test(`damage is told in its place, live and from the log, and ends those whom a gap ends: message ${damaged} of 3`, async () => {
    // So small that each message has a batch of its own, and all are one flush.
    const own = openMemoryLog({
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      metrics: noMetrics,
      limits: resolveLimits({ batchStoredBytesMax: 4096 }),
    });
    await clock.run(own.createTopic(topicSpec('default')));
    const { read } = own;
    own.read = (request) => {
      const result = read.call(own, request);
      const batches = result.batches.filter(({ baseOffset }) => baseOffset !== damaged);
      const isHit = request.from <= damaged && result.next > damaged;
      return { ...result, batches, damaged: isHit ? [{ from: damaged, to: damaged + 1 }] : [] };
    };
    const first = testHub(own, clock);
    const live = new TestSubscriber(first, 'chat');
    const ending = new TestSubscriber(first, 'chat', 'latest', 'resume', true);
    await clock.settle();
    const texts = ['a', 'b', 'c'].map((name) => name + 'x'.repeat(3000));
    first.publish(
      texts.map((text) => event('chat', text)),
      'test',
      () => {},
    );
    await clock.settle();
    // One that has no tail yet.
    const second = testHub(own, clock);
    const late = new TestSubscriber(second, 'chat', 'earliest');
    await clock.settle();
    for (const { lines } of [live, late]) {
      assert.deepEqual(
        lines.map((line) => (line.kind === 'message' ? line.data : line.kind)),
        texts.map((text, index) => (index === damaged ? 'gap' : text)),
      );
      assert.deepEqual(
        lines.map(({ cursor }) => cursor.split('~')[3]),
        ['1', '2', '3'],
      );
    }
    assert.deepEqual([ending.data, ending.endReason], [texts.slice(0, damaged), 'gap']);
    assert.equal(ending.subscription.cursor(), live.lines[damaged].cursor);
    for (const one of [first, second]) {
      one.drain();
      one.close();
    }
    await clock.run(own.close());
  });
}

test('batches that begin before what is read are handed over from there on', async () => {
  const { read } = log;
  log.read = (request) => read.call(log, { ...request, from: 0, bytesMax: 1 << 30 });
  const live = new TestSubscriber(hub, 'chat');
  await clock.settle();
  await send('chat', 'a', 'b');
  await send('chat', 'c');
  assert.deepEqual(live.data, ['a', 'b', 'c']);
});

test('a sink that throws is ended, and everybody else is served', async () => {
  const subscribers = Array.from({ length: 5 }, () => new TestSubscriber(hub, 'chat'));
  await clock.settle();
  subscribers[2].write = () => {
    throw new Error('broken');
  };
  const other = new TestSubscriber(hub, 'elsewhere');
  await clock.settle();
  await send('chat', 'a');
  await send('chat', 'b');
  await send('elsewhere', 'c');
  for (const index of [0, 1, 3, 4]) assert.deepEqual(subscribers[index].data, ['a', 'b']);
  assert.deepEqual(other.data, ['c']);
  assert.equal(subscribers[2].endReason, 'failed');
});

test('a sink that throws while it catches up is ended, and the others catch up', async () => {
  await send('chat', 'a');
  const broken = ['write', 'caughtUp'].map((method) => {
    const subscriber = new TestSubscriber(hub, 'chat', 'earliest');
    Object.assign(subscriber, {
      [method]: () => {
        throw new Error('broken');
      },
    });
    return subscriber;
  });
  const sound = new TestSubscriber(hub, 'chat', 'earliest');
  await clock.settle();
  assert.deepEqual(sound.data, ['a']);
  assert.deepEqual(
    broken.map(({ endReason }) => endReason),
    ['failed', 'failed'],
  );
});

test('a sink that throws at its end does not keep others from theirs', () => {
  const subscribers = Array.from({ length: 3 }, () => new TestSubscriber(hub, 'chat'));
  subscribers[0].ended = () => {
    throw new Error('broken');
  };
  hub.drain();
  assert.deepEqual(
    subscribers.slice(1).map(({ endReason }) => endReason),
    ['draining', 'draining'],
  );
});

test('an audience whose last member leaves while it is served is given up', async () => {
  const gauges = new Map<string, () => number>();
  const metrics = {
    ...noMetrics,
    observedGauge: ({ name }: MetricSpec, read: () => number) => {
      gauges.set(name, read);
    },
  };
  const observed = testHub(log, clock, {}, {}, { metrics });
  const subscriber = new TestSubscriber(observed, 'chat');
  const { write } = subscriber;
  subscriber.write = (bytes) => {
    subscriber.subscription.close();
    return write.call(subscriber, bytes);
  };
  await clock.settle();
  assert.equal(gauges.get('tidegate_audiences')?.(), 1);
  await send('chat', 'a');
  assert.equal(gauges.get('tidegate_audiences')?.(), 0);
  observed.drain();
  observed.close();
});

test('one who leaves while others are served keeps the position after what it was handed', async () => {
  const small = testHub(log, clock, { flushBytesMax: 1024 });
  const one = new TestSubscriber(small, 'chat');
  const other = new TestSubscriber(small, 'other');
  await clock.settle();
  // Each ends the other when both were served some of the run, and itself a little later.
  for (const [subscriber, victim] of [
    [one, other],
    [other, one],
  ]) {
    const { write } = subscriber;
    subscriber.write = (bytes) => {
      const full = write.call(subscriber, bytes);
      if (subscriber.writes === 2) victim.subscription.close();
      if (subscriber.writes === 3) subscriber.subscription.close();
      return full;
    };
  }
  small.publish(
    Array.from({ length: 40 }, (_, i) => event(i % 2 === 0 ? 'chat' : 'other', `m${i}${'x'.repeat(300)}`)),
    'test',
    () => {},
  );
  await clock.settle();
  for (const [subscriber, channel] of [
    [one, 'chat'],
    [other, 'other'],
  ] as const) {
    const resumed = new TestSubscriber(small, channel, subscriber.subscription.cursor());
    await clock.settle();
    assert.equal(new Set([...subscriber.data, ...resumed.data]).size, 20, channel);
    assert.equal(subscriber.data.length + resumed.data.length, 20, channel);
  }
  small.drain();
  small.close();
});

test('of those who are ended while one of them is served, each keeps the position after what it was handed', async () => {
  for (let killer = 0; killer < 6; killer++) {
    const channel = `chat${killer}`;
    const subscribers = Array.from({ length: 6 }, () => new TestSubscriber(hub, channel));
    await clock.settle();
    const { write } = subscribers[killer];
    subscribers[killer].write = (bytes) => {
      const full = write.call(subscribers[killer], bytes);
      for (const subscriber of subscribers) subscriber.subscription.close();
      return full;
    };
    await send(channel, 'a', 'b');
    await send(channel, 'c');
    for (const subscriber of subscribers) {
      const resumed = new TestSubscriber(hub, channel, subscriber.subscription.cursor());
      await clock.settle();
      assert.deepEqual([...subscriber.data, ...resumed.data], ['a', 'b', 'c']);
      resumed.subscription.close();
    }
  }
});

test('what retention takes before it was handed over is told to those who keep pace', async () => {
  const subscriber = new TestSubscriber(hub, 'chat');
  await clock.settle();
  // More in one turn than the partition keeps.
  await send('chat', ...Array.from({ length: 300 }, (_, i) => `m${i}${'x'.repeat(1000)}`));
  assert.ok(subscriber.data.length < 300);
  assert.deepEqual(subscriber.gaps, ['below_retention']);
  assert.equal(subscriber.lines[0].kind, 'gap');
});

for (const policy of ['close', 'drop'] as const) {
  test(`policy ${policy} does nothing to a subscriber that missed nothing while its transport was full`, async () => {
    const subscriber = new TestSubscriber(hub, 'chat', 'latest', policy);
    await clock.settle();
    subscriber.room = false;
    await send('chat', 'a');
    await send('noise', 'x');
    await send('noise', 'y');
    subscriber.drain();
    await send('chat', 'b');
    assert.equal(subscriber.endReason, null);
    assert.deepEqual([subscriber.data, subscriber.gaps], [['a', 'b'], []]);
  });
}

test('policy close leaves alone who is behind by what the tail holds, whatever else the partition holds', async () => {
  const small = testHub(log, clock, { flushBytesMax: 1024 });
  const subscriber = new TestSubscriber(small, 'chat', 'latest', 'close');
  await clock.settle();
  const large = 'x'.repeat(2000);
  for (const later of [[], ['b'], ['c', large, 'd']]) {
    subscriber.room = false;
    // A message that is a flush by itself, and one that is of no interest behind it, in one turn.
    small.publish([event('chat', large), event('noise', 'x')], 'test', () => {});
    await clock.settle();
    for (const data of later) {
      small.publish([event('noise', 'x')], 'test', () => {});
      await clock.settle();
      small.publish([event('chat', data)], 'test', () => {});
      await clock.settle();
    }
    subscriber.drain();
    await clock.settle();
    assert.equal(subscriber.endReason, null);
    assert.deepEqual(subscriber.data.splice(-later.length, later.length), later);
  }
  small.drain();
  small.close();
});

test('a channel that is silent for long keeps no tail, if nobody waits for it', async () => {
  const slow = new TestSubscriber(hub, 'chat');
  new TestSubscriber(hub, 'chat');
  await clock.settle();
  let reads = 0;
  const { read } = log;
  log.read = (request) => {
    reads++;
    return read.call(log, request);
  };
  const readsOfNewcomer = async (): Promise<number> => {
    const before = reads;
    const newcomer = new TestSubscriber(hub, 'chat', 'earliest');
    await clock.settle();
    assert.deepEqual(newcomer.data, ['a']);
    newcomer.subscription.close();
    return reads - before;
  };
  slow.room = false;
  await send('chat', 'a');
  assert.equal(await readsOfNewcomer(), 0);
  clock.advance(100_000);
  assert.equal(await readsOfNewcomer(), 0, 'somebody waits');
  slow.subscription.close();
  clock.advance(100_000);
  assert.equal(await readsOfNewcomer(), 1);
});

test('a transport that drains although it was not full changes nothing', async () => {
  const subscriber = new TestSubscriber(hub, 'chat', 'earliest', 'drop');
  subscriber.drain();
  await send('chat', 'a');
  subscriber.drain();
  await send('chat', 'b');
  subscriber.subscription.close();
  subscriber.drain();
  await send('chat', 'c');
  assert.deepEqual([subscriber.data, subscriber.gaps], [['a', 'b'], []]);
});

test('whoever falls behind again with the policy drop is told again', async () => {
  const subscriber = new TestSubscriber(hub, 'chat', 'latest', 'drop');
  await clock.settle();
  for (const turn of [1, 2]) {
    subscriber.room = false;
    for (const data of ['a', 'b', 'c']) await send('chat', `${data}${turn}`);
    subscriber.drain();
    await clock.settle();
  }
  assert.deepEqual(subscriber.data, ['a1', 'c1', 'a2', 'c2']);
  assert.deepEqual(subscriber.gaps, ['conflated', 'conflated']);
});

test('whoever joins a silent channel with an older cursor is told the present one', async () => {
  const first = new TestSubscriber(hub, 'chat');
  const cursor = first.subscription.cursor();
  await clock.settle();
  await send('noise', 'x');
  clock.advance(100_000);
  assert.ok(first.lines[0].cursor.endsWith('~1'));
  const second = new TestSubscriber(hub, 'chat', cursor);
  await clock.settle();
  clock.advance(100_000);
  assert.ok(second.lines[0].cursor.endsWith('~1'));
});

test('many quiet tails do not take the room of a busy one', async () => {
  const tight = testHub(log, clock, { tailBytesMax: 65_536, tailsBytesMax: 65_536, flushBytesMax: 1024 });
  for (let i = 0; i < 30; i++) {
    new TestSubscriber(tight, `quiet${i}`);
    await clock.settle();
    tight.publish([event(`quiet${i}`, 'x'.repeat(3000))], 'test', () => {});
    await clock.settle();
  }
  const slow = new TestSubscriber(tight, 'busy', 'latest', 'close');
  await clock.settle();
  slow.room = false;
  for (let i = 0; i < 20; i++) {
    tight.publish([event('busy', `m${i}`)], 'test', () => {});
    await clock.settle();
  }
  slow.drain();
  await clock.settle();
  assert.equal(slow.endReason, null);
  assert.equal(slow.data.length, 20);
  tight.drain();
  tight.close();
});

test('a silent subscriber is kept alive once in each interval, and half an interval late at most', async () => {
  for (const count of [1, 3, 700]) {
    const limits = { keepAliveIntervalMs: 25_000 };
    const own = testHub(log, clock, limits);
    const timesOf: number[][] = [];
    for (let i = 0; i < count; i++) {
      const subscriber = new TestSubscriber(own, `quiet${i % 350}`);
      if (i % 50 !== 0) continue;
      const times: number[] = [];
      timesOf.push(times);
      subscriber.write = (bytes) => {
        assert.equal(parseLines(bytes)[0].kind, 'keep-alive');
        times.push(clock.nowMs());
        return true;
      };
    }
    await clock.settle();
    clock.advance(400_000);
    for (const times of timesOf) {
      const pauses = times.slice(1).map((time, i) => time - times[i]);
      assert.ok(pauses.length > 8, `${count} subscribers: ${times.length} keep-alives`);
      for (const pause of pauses) assert.ok(pause >= 25_000 && pause <= 38_000, `${count}: ${pause} ms`);
    }
    own.drain();
    own.close();
  }
});

test('a keep-alive never takes a client back behind a message that came while others were kept alive', async () => {
  const subscribers = Array.from({ length: 200 }, () => new TestSubscriber(hub, 'chat'));
  await clock.settle();
  await send('noise', 'x');
  while (subscribers.every(({ lines }) => lines.length === 0)) clock.advance(100);
  assert.ok(
    subscribers.some(({ lines }) => lines.length === 0),
    'all were kept alive at once',
  );
  await send('chat', 'a');
  clock.advance(60_000);
  for (const { lines } of subscribers) {
    const offsets = lines.flatMap(({ cursor }) => (cursor === '' ? [] : [Number(cursor.split('~')[3])]));
    assert.deepEqual(
      offsets,
      [...offsets].sort((one, other) => one - other),
    );
  }
});

test('a subscription of several channels reads what default holds of one that got its own topic later', async () => {
  await send('games/1', 'a');
  await send('chat', 'b');
  await clock.run(log.createTopic(topicSpec('games')));
  hub.drain();
  hub.close();
  hub = testHub(log, clock);
  await send('games/1', 'c');
  await send('chat', 'd');
  for (const channels of [
    ['chat', 'games/1'],
    ['chat', 'games/+'],
    ['chat', '+', 'games/#'],
  ]) {
    const subscriber = new TestSubscriber(hub, channels, 'earliest');
    await clock.settle();
    assert.deepEqual(subscriber.data.sort(), ['a', 'b', 'c', 'd'], channels.join());
    subscriber.subscription.close();
  }
});

test('catching up goes on in the next turn when the time of one is used', async () => {
  const small = testHub(log, clock, { flushBytesMax: 1024, catchUpTurnMs: 10 });
  await send('chat', ...Array.from({ length: 30 }, (_, i) => `m${i}${'x'.repeat(1100)}`));
  const subscriber = new TestSubscriber(small, 'chat', 'earliest');
  const { write } = subscriber;
  subscriber.write = (bytes) => {
    clock.advance(5);
    return write.call(subscriber, bytes);
  };
  await clock.settle();
  assert.equal(subscriber.data.length, 30);
  small.drain();
  small.close();
});

test('what nobody needs any more is let go of: audiences, their place in the dispatch, and who was behind', async () => {
  const gauges = new Map<string, () => number>();
  const metrics = {
    ...noMetrics,
    observedGauge: ({ name }: MetricSpec, read: () => number) => {
      gauges.set(name, read);
    },
  };
  const observed = testHub(log, clock, {}, {}, { metrics });
  const gauge = (name: string): number | undefined => gauges.get(`tidegate_${name}`)?.();
  assert.throws(() => new TestSubscriber(observed, 'chat', 'default~x~0~999999999999999999'));
  assert.equal(gauge('audiences'), 0);
  const one = new TestSubscriber(observed, ['chat', '+']);
  const other = new TestSubscriber(observed, ['+', 'chat', 'chat']);
  assert.equal(gauge('audiences'), 1);
  await clock.settle();
  one.room = false;
  await send('chat', 'a');
  assert.equal(gauge('subscriptions_behind'), 1);
  one.subscription.close();
  assert.equal(gauge('subscriptions_behind'), 0);
  other.subscription.close();
  assert.equal(gauge('audiences'), 0);
  const { read } = log;
  log.read = () => assert.fail('nobody wants what is read');
  await send('chat', 'b');
  log.read = read;
  observed.drain();
  observed.close();
});

test('whoever subscribes right after a topic came reads it', async () => {
  new TestSubscriber(hub, 'games/1');
  await clock.settle();
  await clock.run(log.createTopic(topicSpec('games')));
  const next = new TestSubscriber(hub, 'games/1');
  await send('games/1', 'a');
  assert.deepEqual([next.data, next.endReason], [['a'], null]);
});

test('when a topic comes, whoever reads its channels is ended and resumes there; others are left alone', async () => {
  const games = new TestSubscriber(hub, 'games/1');
  const all = new TestSubscriber(hub, '#');
  const chat = new TestSubscriber(hub, 'chat');
  await clock.settle();
  await send('games/1', 'a');
  await clock.run(log.createTopic(topicSpec('games')));
  await send('games/1', 'b');
  await send('chat', 'c');
  assert.deepEqual(
    [games.endReason, all.endReason, chat.endReason],
    ['topics_changed', 'topics_changed', null],
  );
  for (const [before, channel, expected] of [
    [games, 'games/1', ['a', 'b']],
    [all, '#', ['a', 'b', 'c']],
  ] as const) {
    const resumed = new TestSubscriber(hub, channel, before.subscription.cursor());
    await clock.settle();
    assert.deepEqual([[...before.data, ...resumed.data].sort(), resumed.gaps], [expected, []], channel);
  }
  assert.deepEqual(chat.data, ['c']);
});

test('when a topic is deleted and created anew, its subscribers are ended, and those who come back get what is new', async () => {
  await clock.run(log.createTopic(topicSpec('games')));
  hub.drain();
  hub.close();
  hub = testHub(log, clock);
  const slow = new TestSubscriber(hub, 'games/1');
  const live = new TestSubscriber(hub, 'games/1');
  await clock.settle();
  slow.room = false;
  await send('games/1', 'a');
  await clock.run(log.deleteTopic('games'));
  await clock.run(log.createTopic(topicSpec('games')));
  slow.drain();
  await send('games/1', 'b');
  assert.deepEqual([slow.endReason, live.endReason], ['topics_changed', 'topics_changed']);
  assert.deepEqual([slow.data, live.data], [['a'], ['a']]);
  const resumed = new TestSubscriber(hub, 'games/1', live.subscription.cursor());
  const fresh = new TestSubscriber(hub, 'games/1');
  await clock.settle();
  await send('games/1', 'c');
  assert.deepEqual([resumed.gaps, resumed.data, fresh.data], [['other_epoch'], ['b', 'c'], ['c']]);
});

test('from=latest during a delivery is after it', async () => {
  const first = new TestSubscriber(hub, 'chat');
  await clock.settle();
  const { write } = first;
  const late: TestSubscriber[] = [];
  first.write = (bytes) => {
    if (late.length === 0) late.push(new TestSubscriber(hub, 'chat'));
    return write.call(first, bytes);
  };
  await send('chat', 'a');
  await send('chat', 'b');
  assert.deepEqual(late[0].data, ['b']);
});
