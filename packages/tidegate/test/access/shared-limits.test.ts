import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Gate, type GateOptions, NOTHING_REVOKED, ONE_SUBSCRIPTION } from '../../src/access/index.ts';
import type { KeyOptions, LimitOptions } from '../../src/access/options.ts';
import type { AccessChannels } from '../../src/access/port.ts';
import { resolveLimits, TidegateError } from '../../src/kernel/index.ts';
import { clock, hub, send } from '../support/hub-fixture.ts';
import type { LineEnd } from '../support/line-pair.ts';
import { event, TestSubscriber } from '../support/test-hub.ts';
import { keyOf, testGate } from './access-fixture.ts';
import { eachTestHasLimits, hits, metrics } from './limits-fixture.ts';
import { identityOf, Processes } from './processes.ts';

eachTestHasLimits();

const limitedKey = (limits: LimitOptions, allow: KeyOptions['allow'] = {}): KeyOptions => ({
  ...keyOf('key', { '#': ['publish', 'subscribe', 'history'], ...allow }),
  limits,
});

function processesWith(key: KeyOptions, others: Partial<GateOptions> = {}): Processes {
  const gate = (line: LineEnd | null): Gate =>
    testGate({ clock, channels: hub, metrics, keys: { a: key }, line, ...others });
  return new Processes(gate(null), gate);
}

const channelsOf = async (gate: Gate): Promise<AccessChannels> =>
  gate.channelsFor(await identityOf(gate, 'key'));

/** Who wants to subscribe, and what became of it once everything has arrived. */
class Candidate {
  subscriber: TestSubscriber | null = null;
  refusal: string | null = null;

  constructor(channels: AccessChannels, names: string | readonly string[] = 'a') {
    channels.admit(typeof names === 'string' ? [names] : names, () => {
      try {
        this.subscriber = new TestSubscriber(channels, names);
      } catch (error) {
        this.refusal = TidegateError.from(error).code;
      }
    });
  }

  close(): void {
    assert.ok(this.subscriber !== null);
    this.subscriber.subscription.close();
  }
}

function refusals(candidates: readonly Candidate[]): (string | null)[] {
  for (const { subscriber, refusal } of candidates) assert.notEqual(subscriber === null, refusal === null);
  return candidates.map(({ refusal }) => refusal);
}

test('connectionsMax: all processes share it, and those that ask at the same time get no more than there is', async () => {
  const processes = processesWith(limitedKey({ connectionsMax: 3 }));
  const one = await channelsOf(processes.start().gate);
  const two = await channelsOf(processes.start().gate);
  const own = await channelsOf(processes.owner);
  const all = [
    new Candidate(one),
    new Candidate(two),
    new Candidate(own),
    new Candidate(one),
    new Candidate(two),
  ];
  processes.deliver();
  // The owner knows at once; of the others, the first that it hears of.
  assert.deepEqual(refusals(all), [null, 'quota_exceeded', null, null, 'quota_exceeded']);
  assert.deepEqual(hits, { connections: 2 });
  all[0].close();
  all[2].close();
  processes.deliver();
  const next = [new Candidate(two), new Candidate(two), new Candidate(two), new Candidate(own)];
  processes.deliver();
  assert.deepEqual(refusals(next), [null, 'quota_exceeded', 'quota_exceeded', null]);
});

test('a worker that dies frees what it held', async () => {
  const processes = processesWith(limitedKey({ connectionsMax: 2, subscriptionsMax: 4 }));
  const first = processes.start();
  const one = await channelsOf(first.gate);
  const two = await channelsOf(processes.start().gate);
  const before = [new Candidate(one, ['a', 'b']), new Candidate(one, ['c', 'd']), new Candidate(two)];
  processes.deliver();
  assert.deepEqual(refusals(before), [null, null, 'quota_exceeded']);
  first.kill();
  const after = [new Candidate(two, ['a', 'b']), new Candidate(two, ['a', 'b']), new Candidate(two)];
  processes.deliver();
  assert.deepEqual(refusals(after), [null, null, 'quota_exceeded']);
  assert.throws(
    () => new TestSubscriber(one, 'x'),
    (error: unknown) => error instanceof TidegateError && error.code === 'internal',
  );
});

test('what a worker said before its end changes nothing after it', async () => {
  const processes = processesWith(limitedKey({ connectionsMax: 1 }));
  const { gate, kill } = processes.start();
  const channels = await channelsOf(gate);
  const first = new Candidate(channels);
  processes.deliver();
  // On its way when the line closes.
  first.close();
  kill();
  processes.deliver();
  const own = await channelsOf(processes.owner);
  assert.deepEqual(refusals([new Candidate(own), new Candidate(own)]), [null, 'quota_exceeded']);
});

test('whoever asks a worker whose owner is gone is told so', async () => {
  const processes = processesWith(limitedKey({ connectionsMax: 2, publishesPerSecondMax: 5 }));
  const { gate, kill } = processes.start();
  const channels = await channelsOf(gate);
  const candidate = new Candidate(channels);
  kill();
  processes.deliver();
  assert.deepEqual(refusals([candidate]), ['worker_unavailable']);
  const outcomes: (string | undefined)[] = [];
  channels.publish([event('a', '1')], 'test', (all) =>
    outcomes.push(...all.map((outcome) => TidegateError.from(outcome).code)),
  );
  processes.deliver();
  assert.deepEqual(outcomes, ['worker_unavailable']);
});

test('what is admitted and not used is given back', async () => {
  const processes = processesWith(limitedKey({ connectionsMax: 1, subscriptionsMax: 2 }));
  const { gate } = processes.start();
  const channels = await channelsOf(gate);
  channels.admit(['a'], () => {});
  processes.deliver();
  const reserved = new Candidate(channels, '_resources');
  processes.deliver();
  assert.equal(reserved.refusal, 'channel_reserved');
  const both = [new Candidate(channels, ['a', 'b']), new Candidate(channels)];
  processes.deliver();
  assert.deepEqual(refusals(both), [null, 'quota_exceeded']);
});

test('what is not allowed is refused without asking', async () => {
  const key = { ...limitedKey({ connectionsMax: 1 }), allow: { b: ['subscribe'] } } satisfies KeyOptions;
  const processes = processesWith(key);
  const channels = await channelsOf(processes.start().gate);
  // Nothing has been delivered yet.
  assert.equal(new Candidate(channels).refusal, 'access_denied');
});

test('subscriptionsMax: one stream has all its channels or none', async () => {
  const processes = processesWith(limitedKey({ subscriptionsMax: 3 }));
  const one = await channelsOf(processes.start().gate);
  const two = await channelsOf(processes.start().gate);
  const all = [new Candidate(one, ['a', 'b']), new Candidate(two, ['c', 'd/+']), new Candidate(two, 'c')];
  processes.deliver();
  assert.deepEqual(refusals(all), [null, 'quota_exceeded', null]);
  assert.deepEqual(hits, { subscriptions: 1 });
});

test('of several subscriptions of a connection, as many are admitted as there are', async () => {
  const processes = processesWith(limitedKey({ connectionsMax: 1, subscriptionsMax: 3 }));
  const { gate } = processes.start();
  const identity = await identityOf(gate, 'key');
  const channels = gate.limitedChannelsFor(identity);
  const subscribe = (names: readonly string[]): string[] => {
    const outcomes: string[] = [];
    gate.admit(identity, ONE_SUBSCRIPTION, names.length, () => {
      for (const name of names) {
        try {
          // As an edge does that finds out by subscribing that it wants another form.
          new TestSubscriber(channels, name).subscription.close();
          new TestSubscriber(channels, name);
          outcomes.push('subscribed');
        } catch (error) {
          outcomes.push(TidegateError.from(error).code);
        }
      }
    });
    processes.deliver();
    return outcomes;
  };
  assert.deepEqual(subscribe(['a', 'b']), ['subscribed', 'subscribed']);
  assert.deepEqual(subscribe(['c', 'd']), ['subscribed', 'quota_exceeded']);
  assert.deepEqual(subscribe([]), []);
});

test('connections that an edge counts are counted with those of other processes', async () => {
  const processes = processesWith(limitedKey({ connectionsMax: 1 }));
  const { gate } = processes.start();
  const share = { connections: 1, subscriptions: 0 };
  const identity = await identityOf(gate, 'key');
  const own = await identityOf(processes.owner, 'key');
  const disconnect = processes.owner.connect(own);
  let outcome = '';
  const connect = (): void => {
    gate.admit(identity, share, 1, () => {
      try {
        gate.connect(identity);
        outcome = 'connected';
      } catch (error) {
        outcome = TidegateError.from(error).code;
      }
    });
    processes.deliver();
  };
  connect();
  assert.equal(outcome, 'quota_exceeded');
  disconnect();
  connect();
  assert.equal(outcome, 'connected');
});

test('publishesPerSecondMax: all processes share it, and what was taken keeps its order', async () => {
  const processes = processesWith(limitedKey({ publishesPerSecondMax: 4, messageBytesMax: 3 }));
  const one = await channelsOf(processes.start().gate);
  const two = await channelsOf(processes.start().gate);
  const told: Record<string, string[]> = { one: [], two: [], own: [] };
  const publish = (name: string, channels: AccessChannels, ...data: string[]): void => {
    // The bytes are the caller's again after the call.
    const events = data.map((text) => event('a', text));
    channels.publish(events, 'test', (outcomes) => {
      for (const outcome of outcomes)
        told[name].push(
          outcome instanceof TidegateError ? `${outcome.code} ${outcome.retryAfterMs ?? ''}` : 'stored',
        );
    });
    for (const { data: bytes } of events) bytes?.fill(0);
  };
  publish('one', one, '1', 'large', '2');
  publish('one', one, '3');
  publish('two', two, '4', '5');
  processes.deliver();
  await clock.settle();
  processes.deliver();
  assert.deepEqual(told, {
    one: ['stored', 'body_too_large ', 'stored', 'stored'],
    two: ['stored', 'rate_exceeded 250'],
    own: [],
  });
  assert.deepEqual(hits, { message_bytes: 1, publish_rate: 1 });
  const reader = new TestSubscriber(hub, 'a', 'earliest');
  await clock.settle();
  assert.deepEqual(reader.data, ['1', '2', '3', '4']);
  clock.advance(250);
  const own = await channelsOf(processes.owner);
  publish('own', own, '6', '7');
  await clock.settle();
  assert.deepEqual(told.own, ['stored', 'rate_exceeded 250']);
});

/** Hands out and counts messages of one size for some seconds of the clock, and lets all that is said arrive. */
async function messagesIn(
  seconds: number,
  processes: Processes,
  subscribers: readonly TestSubscriber[],
): Promise<number> {
  const before = subscribers.reduce((sum, { data }) => sum + data.length, 0);
  for (let i = 0; i < seconds * 100; i++) {
    await send('a', `${i % 10}`);
    clock.advance(10);
    processes.deliver();
    await clock.settle();
  }
  return subscribers.reduce((sum, { data }) => sum + data.length, 0) - before;
}

test('bytesOutPerSecondMax: in the long run all processes together keep to it', async () => {
  const sizes: number[] = [];
  const probe = hub.subscribe({
    channels: ['p'],
    from: { kind: 'latest' },
    encoder: TestSubscriber.encoder(),
    sink: { write: (bytes: Buffer) => sizes.push(bytes.length) > 0, ended() {} },
    slowPolicy: 'resume',
    protocol: 'x',
  });
  await clock.settle();
  await send('p', '0');
  probe.close();
  // Thirty messages a second, of the three hundred that three subscribers would get.
  const processes = processesWith(limitedKey({ bytesOutPerSecondMax: sizes[0] * 30 }));
  const gates = [processes.owner, processes.start().gate, processes.start().gate];
  const views = await Promise.all(gates.map(channelsOf));
  const subscribers = views.map((channels) => new TestSubscriber(channels, 'a', 'latest', 'drop'));
  processes.deliver();
  await clock.settle();
  // The bursts of the first second, of each process.
  await messagesIn(10, processes, subscribers);
  const before = subscribers.map(({ data }) => data.length);
  const messages = await messagesIn(60, processes, subscribers);
  assert.ok(messages > 60 * 30 * 0.8 && messages < 60 * 30 * 1.2, `${messages}`);
  assert.ok(hits.bytes_out > 0);
  // None of the processes is passed over.
  const parts = subscribers.map(({ data }, index) => data.length - before[index]);
  assert.ok(Math.min(...parts) > messages / 6, `${parts}`);
});

test('usageReportIntervalMs: a worker says what was sent no more often, and not when nothing was', async () => {
  let told = 0;
  const limits = resolveLimits({ usageReportIntervalMs: 200 });
  const key = limitedKey({ bytesOutPerSecondMax: 1_000_000 });
  const owner = testGate({ clock, channels: hub, limits, keys: { a: key } });
  const processes = new Processes(owner, (line) => {
    const ask = line.ask.bind(line);
    line.ask = (...question) => {
      told++;
      ask(...question);
    };
    return testGate({ clock, channels: hub, limits, keys: { a: key }, line });
  });
  const channels = await channelsOf(processes.start().gate);
  new TestSubscriber(channels, 'a');
  await clock.settle();
  told = 0;
  await send('a', '1');
  assert.equal(told, 1);
  for (const text of ['2', '3']) await send('a', text);
  clock.advance(199);
  assert.equal(told, 1);
  clock.advance(1);
  assert.equal(told, 2);
  clock.advance(10_000);
  assert.equal(told, 2);
  await send('a', '4');
  assert.equal(told, 3);
});

test('a key that is given other limits begins anew, and leaves nothing behind', async () => {
  const processes = processesWith(limitedKey({ connectionsMax: 1 }));
  const { gate } = processes.start();
  const first = new Candidate(await channelsOf(gate));
  processes.deliver();
  const keys = new Map([['a', limitedKey({ connectionsMax: 2 })]]);
  for (const each of [gate, processes.owner]) each.adopt({ keys, revoked: NOTHING_REVOKED });
  assert.equal(first.subscriber?.endReason, 'revoked');
  const next = await channelsOf(gate);
  const all = [new Candidate(next), new Candidate(next), new Candidate(next)];
  processes.deliver();
  assert.deepEqual(refusals(all), [null, null, 'quota_exceeded']);
});

test('whoever has no limits is not asked about', async () => {
  const processes = processesWith(keyOf('key', { '#': ['subscribe'] }));
  const { gate, kill } = processes.start();
  kill();
  const candidate = new Candidate(await channelsOf(gate));
  assert.notEqual(candidate.subscriber, null);
  assert.equal(gate.limitedChannelsFor(await identityOf(gate, 'key')), hub);
});
