import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import {
  type Hub,
  type PublishReceipt,
  parsePosition,
  type Sink,
  type Subscription,
} from '../../src/channels/index.ts';
import { matchesPattern } from '../../src/channels/pattern.ts';
import {
  noMetrics,
  type Random,
  resolveLimits,
  seededRandom,
  silentLogger,
  TidegateError,
} from '../../src/kernel/index.ts';
import { type Log, openMemoryLog } from '../../src/log/index.ts';
import { lineEncoder, parseLines } from '../support/line-encoder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { event, testHub, topicSpec } from '../support/test-hub.ts';

// Publishers, subscribers, full transports, cut connections and restarted hubs in an order that a seed decides. Every client
// resumes from the last message that reached it, and in the end must have each message of its channels exactly once, in order per
// channel.

const CHANNELS = [
  'orders/1/status',
  'orders/2/status',
  'orders/2/items',
  'orders',
  'chat',
  'user:1',
  'user:2',
  'stocks/AAPL',
];
const PATTERNS = [...CHANNELS, 'orders/+/status', 'orders/#', '#', '+', 'stocks/#', 'user:1'];

const pick = <Value>(random: Random, values: readonly Value[]): Value =>
  values[random.uint32() % values.length];
const chance = (random: Random, percent: number): boolean => random.uint32() % 100 < percent;

interface Stored {
  readonly channel: string;
  readonly data: string;
}

class Client implements Sink {
  readonly pattern: string;
  readonly received: Stored[] = [];
  readonly expectedFrom: number;
  cursor: string | null = null;
  subscription: Subscription | null = null;
  readonly #random: Random;
  #full = false;
  /** Bytes that were handed over, but did not reach the client yet. */
  #underWay: Buffer[] = [];

  constructor(random: Random, pattern: string, expectedFrom: number) {
    this.#random = random;
    this.pattern = pattern;
    this.expectedFrom = expectedFrom;
  }

  connect(hub: Hub, from: string): void {
    this.#full = false;
    this.#underWay = [];
    this.subscription = hub.subscribe({
      channels: [this.pattern],
      from: parsePosition(this.cursor ?? from),
      encoder: lineEncoder(),
      sink: this,
      slowPolicy: 'resume',
      protocol: 'test',
    });
    // A client holds the position that it began at, as real ones do that were told none yet.
    this.cursor ??= this.subscription.cursor();
  }

  write(bytes: Buffer): boolean {
    assert.equal(this.#full, false, 'nothing may be written to a full transport');
    this.#underWay.push(Buffer.from(bytes));
    this.#full = chance(this.#random, 30);
    return !this.#full;
  }

  ended(): void {
    this.subscription = null;
    this.cut();
  }

  /** The network delivers what is under way. */
  deliver(): void {
    for (const bytes of this.#underWay) {
      for (const line of parseLines(bytes)) {
        assert.notEqual(line.kind, 'gap');
        if (line.kind === 'message') this.received.push({ channel: line.channel, data: line.data });
        if (line.cursor !== '') this.cursor = line.cursor;
      }
    }
    this.#underWay = [];
    if (this.#full) {
      this.#full = false;
      this.subscription?.drained();
    }
  }

  /** The connection breaks: what is under way never arrives. */
  cut(): void {
    this.#underWay = [];
    this.subscription?.close();
    this.subscription = null;
  }
}

async function simulate(seed: number, steps: number): Promise<void> {
  const random = seededRandom(seed);
  const clock = new ManualClock();
  const limits = {
    flushBytesMax: pick(random, [1024, 4096, 65_536]),
    tailBytesMax: pick(random, [65_536, 1 << 20]),
    catchUpReadBytesMax: 4096,
  };
  const log: Log = openMemoryLog({
    clock,
    random,
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits(),
  });
  await clock.run(log.createTopic(topicSpec('default', { partitions: 1 + (random.uint32() % 2) })));
  await clock.run(log.createTopic(topicSpec('orders', { partitions: 1 + (random.uint32() % 3) })));
  await clock.run(log.createTopic(topicSpec('stocks')));
  let hub = testHub(log, clock, limits);
  const stored: Stored[] = [];
  const clients: Client[] = [];
  let sequence = 0;
  for (let step = 0; step < steps; step++) {
    const dice = random.uint32() % 100;
    if (dice < 45) {
      const events = Array.from({ length: 1 + (random.uint32() % 20) }, () =>
        event(pick(random, CHANNELS), `m${sequence++}`),
      );
      // Mostly unique; now and then a publisher that saw no answer tries again with the same id.
      const retried = chance(random, 20)
        ? events.map((one, i) => ({ ...one, clientId: `id${sequence}-${i}` }))
        : null;
      const note = (outcomes: readonly (PublishReceipt | TidegateError)[]): void => {
        for (const [index, outcome] of outcomes.entries()) {
          assert.ok(!(outcome instanceof TidegateError), String(outcome));
          const data = Buffer.from(events[index].data as Uint8Array).toString();
          if (!outcome.duplicate) stored.push({ channel: outcome.channel, data });
        }
      };
      hub.publish(retried ?? events, 'test', note);
      if (retried !== null) hub.publish(retried, 'test', note);
    } else if (dice < 55 && clients.length < 12) {
      const earliest = chance(random, 50);
      const client = new Client(random, pick(random, PATTERNS), earliest ? 0 : stored.length);
      client.connect(hub, earliest ? 'earliest' : 'latest');
      clients.push(client);
    } else if (dice < 70) {
      for (const client of clients) if (chance(random, 60)) client.deliver();
    } else if (dice < 76 && clients.length > 0) {
      const client = pick(random, clients);
      client.cut();
      if (chance(random, 50)) client.connect(hub, 'latest');
    } else if (dice < 78) {
      hub.drain();
      hub.close();
      hub = testHub(log, clock, limits);
    } else if (dice < 82) {
      clock.advance(random.uint32() % 60_000);
    } else {
      await clock.tick();
      for (const client of clients)
        if (client.subscription === null && chance(random, 50)) client.connect(hub, 'latest');
    }
  }
  for (let round = 0; round < 10_000; round++) {
    for (const client of clients) {
      if (client.subscription === null) client.connect(hub, 'latest');
      client.deliver();
    }
    if (!clock.hasTurnWork && round > 2) break;
    await clock.tick();
  }
  for (const client of clients) client.deliver();
  for (const client of clients) {
    for (const channel of CHANNELS) {
      const expected = stored
        .slice(client.expectedFrom)
        .filter((one) => one.channel === channel && matchesPattern(client.pattern, channel));
      const received = client.received.filter((one) => one.channel === channel);
      assert.deepEqual(
        received.map((one) => one.data),
        expected.map((one) => one.data),
        `seed ${seed}: ${client.pattern} on ${channel}`,
      );
    }
  }
  hub.drain();
  hub.close();
  await clock.run(log.close());
}

test('through full transports, cuts and restarts, each client gets each message once and in order (seeds 1 to 150)', async () => {
  for (let seed = 1; seed <= 150; seed++) await simulate(seed, 300);
});
