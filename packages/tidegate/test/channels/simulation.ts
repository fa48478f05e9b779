import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hub, PublishReceipt } from '../../src/channels/index.ts';
import {
  noMetrics,
  type Random,
  resolveLimits,
  seededRandom,
  silentLogger,
  TidegateError,
} from '../../src/kernel/index.ts';
import { type Log, openLog, openMemoryLog } from '../../src/log/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { event, testHub, topicSpec } from '../support/test-hub.ts';
import { type ClientOptions, chance, pick, SimulatedClient, type Stored } from './simulated-client.ts';

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

/** What a simulation is made of. */
export interface Plan {
  readonly seed: number;
  readonly steps: number;
  readonly backend: 'memory' | 'lmdb';
  /** How often storing fails, in percent. */
  readonly failuresPercent: number;
  /** How often a client's sink throws, in percent. */
  readonly throwsPercent: number;
  /** Whether partitions keep so little that readers are overtaken. */
  readonly retention: 'ample' | 'scarce';
}

/** What happened, so that a test can see that enough did. */
export interface Tally {
  stored: number;
  refused: number;
  gaps: number;
}

/** A log of which appends fail now and then. */
function withFailures(log: Log, random: Random, percent: number, clock: ManualClock): Log {
  return new Proxy(log, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'append') {
        const append: Log['append'] = (appends, done) => {
          if (chance(random, percent)) clock.endOfTurn(() => done(new TidegateError('log_write_failed'), []));
          else target.append(appends, done);
        };
        return append;
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** One simulated world: a log, a hub, publishers and clients. */
class World {
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #folder: string | null;
  readonly #hubLimits: Parameters<typeof testHub>[2];
  readonly #stored: Stored[] = [];
  readonly #clients: SimulatedClient[] = [];
  readonly #tally: Tally = { stored: 0, refused: 0, gaps: 0 };
  #log!: Log;
  #hub!: Hub;
  #sequence = 0;
  #publishing = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#random = seededRandom(plan.seed);
    this.#folder = plan.backend === 'lmdb' ? mkdtempSync(join(tmpdir(), 'tidegate-simulation-')) : null;
    this.#hubLimits = {
      flushBytesMax: pick(this.#random, [1024, 4096, 65_536]),
      tailBytesMax: pick(this.#random, [65_536, 1 << 20]),
      tailsBytesMax: pick(this.#random, [4096, 65_536, 1 << 20]),
      catchUpReadBytesMax: 4096,
    };
  }

  async run(): Promise<Tally> {
    try {
      await this.#open();
      for (let step = 0; step < this.#plan.steps; step++) await this.#step();
      await this.#settle();
      this.#verify();
      this.#hub.drain();
      this.#hub.close();
      await this.#clock.run(this.#log.close());
      return this.#tally;
    } finally {
      if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  async #open(): Promise<void> {
    const { retention, failuresPercent } = this.#plan;
    const options = {
      clock: this.#clock,
      random: this.#random,
      logger: silentLogger,
      metrics: noMetrics,
      limits: resolveLimits(retention === 'scarce' ? { memoryPartitionBytesMax: 65_536 } : {}),
    };
    const opened =
      this.#folder === null
        ? openMemoryLog(options)
        : await this.#clock.run(openLog({ ...options, folder: this.#folder }));
    if (opened.topics.size === 0) {
      const common = {
        durability: this.#folder === null ? 'none' : 'written',
        retentionBytes: retention === 'scarce' && this.#folder !== null ? 30_000 : null,
      } as const;
      const partitions = [1 + (this.#random.uint32() % 2), 1 + (this.#random.uint32() % 3)];
      await this.#clock.run(
        opened.createTopic(topicSpec('default', { ...common, partitions: partitions[0] })),
      );
      await this.#clock.run(
        opened.createTopic(topicSpec('orders', { ...common, partitions: partitions[1] })),
      );
      await this.#clock.run(opened.createTopic(topicSpec('stocks', common)));
    }
    this.#log =
      failuresPercent === 0 ? opened : withFailures(opened, this.#random, failuresPercent, this.#clock);
    this.#hub = this.#newHub();
  }

  #newHub(): Hub {
    // Only sinks that throw may make it log errors.
    const others = this.#plan.throwsPercent > 0 ? { logger: silentLogger } : {};
    return testHub(this.#log, this.#clock, this.#hubLimits, {}, others);
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const dice = random.uint32() % 100;
    if (dice < 45) this.#publish();
    else if (dice < 55) this.#newClient();
    else if (dice < 70) {
      for (const client of this.#clients) if (chance(random, 60)) client.deliver();
    } else if (dice < 76) {
      if (this.#clients.length === 0) return;
      const client = pick(random, this.#clients);
      client.cut();
      if (chance(random, 50)) this.#connect(client);
    } else if (dice < 78) await this.#restart();
    else if (dice < 82) this.#clock.advance(random.uint32() % 60_000);
    else {
      await this.#clock.tick();
      for (const client of this.#clients)
        if (client.subscription === null && chance(random, 50)) this.#connect(client);
    }
  }

  #publish(): void {
    const random = this.#random;
    const padding = this.#plan.retention === 'scarce' ? 'x'.repeat(random.uint32() % 1500) : '';
    const events = Array.from({ length: 1 + (random.uint32() % 20) }, () =>
      event(pick(random, CHANNELS), `m${this.#sequence++}${padding}`),
    );
    // Mostly unique; now and then a publisher that saw no answer tries again with the same id.
    const retried = chance(random, 20)
      ? events.map((one, i) => ({ ...one, clientId: `id${this.#sequence}-${i}` }))
      : null;
    const note = (outcomes: readonly (PublishReceipt | TidegateError)[]): void => {
      this.#publishing--;
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome instanceof TidegateError) {
          assert.equal(outcome.code, 'log_write_failed');
          this.#tally.refused++;
        } else if (!outcome.duplicate) {
          const [topic, , partition, end] = outcome.cursor.split('~');
          const data = Buffer.from(events[index].data as Uint8Array).toString();
          const { channel } = outcome;
          this.#stored.push({ channel, data, place: `${topic}~${partition}`, offset: Number(end) - 1 });
        }
      }
    };
    for (const batch of retried === null ? [events] : [retried, retried]) {
      this.#publishing++;
      this.#hub.publish(batch, 'test', note);
    }
  }

  #newClient(): void {
    if (this.#clients.length >= 12) return;
    const random = this.#random;
    const count = pick(random, [1, 1, 2, 3]);
    const options: ClientOptions = {
      patterns: Array.from({ length: count }, () => pick(random, PATTERNS)),
      slowPolicy: pick(random, ['resume', 'resume', 'drop', 'close']),
      gapEnds: this.#plan.retention === 'scarce' && chance(random, 25),
      throwsPercent: this.#plan.throwsPercent,
    };
    // Where a gap cannot be told, neither can conflation.
    const client = new SimulatedClient(
      random,
      options.gapEnds && options.slowPolicy === 'drop' ? { ...options, slowPolicy: 'resume' } : options,
    );
    client.connect(this.#hub, this.#log, chance(random, 50) ? 'earliest' : 'latest');
    this.#clients.push(client);
  }

  #connect(client: SimulatedClient): void {
    client.connect(this.#hub, this.#log, 'latest');
  }

  async #restart(): Promise<void> {
    this.#hub.drain();
    this.#hub.close();
    if (this.#folder === null) {
      this.#hub = this.#newHub();
      return;
    }
    await this.#clock.run(this.#log.close());
    await this.#open();
  }

  /** Lets everybody connect and everything arrive. */
  async #settle(): Promise<void> {
    for (let quiet = 0, round = 0; quiet < 3; round++) {
      assert.ok(round < 100_000, 'The world does not come to rest');
      for (const client of this.#clients) {
        if (client.subscription === null) this.#connect(client);
        client.deliver();
      }
      if (this.#clock.hasTurnWork || this.#publishing > 0) quiet = 0;
      else quiet++;
      await this.#clock.tick();
    }
  }

  #verify(): void {
    const { seed } = this.#plan;
    this.#tally.stored = this.#stored.length;
    for (const client of this.#clients) {
      const { patterns, slowPolicy } = client.options;
      this.#tally.gaps += client.verify(this.#stored, `seed ${seed}, ${patterns.join()}, ${slowPolicy}`);
    }
  }
}

/** Publishers, subscribers, full transports, cut connections and restarts in an order that a seed decides. */
export function simulate(plan: Plan): Promise<Tally> {
  return new World(plan).run();
}
