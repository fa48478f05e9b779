import assert from 'node:assert/strict';
import { afterEach, beforeEach } from 'node:test';
import type { Hub, PublishReceipt } from '../../src/channels/index.ts';
import {
  type Limits,
  type Logger,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  TidegateError,
} from '../../src/kernel/index.ts';
import { type Log, openMemoryLog } from '../../src/log/index.ts';
import { ManualClock } from './manual-clock.ts';
import { event, publish, testHub, topicSpec } from './test-hub.ts';

/** What the test that is running has, after `eachTestHasAHub`. */
export let clock: ManualClock;
export let log: Log;
export let hub: Hub;

interface HubSettings {
  readonly limits?: Partial<Limits>;
  /** Unless one is given, what the hub would log as an error fails the test. */
  readonly logger?: Logger;
}

/** Gives each test of the file a hub on a log in memory, with the topics `default`, `orders` and, of 4 partitions, `wide`. */
export function eachTestHasAHub({ limits = {}, logger }: HubSettings = {}): void {
  beforeEach(async () => {
    clock = new ManualClock();
    log = openMemoryLog({
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      metrics: noMetrics,
      limits: resolveLimits(limits),
    });
    await clock.run(log.createTopic(topicSpec('default')));
    await clock.run(log.createTopic(topicSpec('orders')));
    await clock.run(log.createTopic(topicSpec('wide', { partitions: 4 })));
    hub = testHub(log, clock, {}, {}, logger === undefined ? {} : { logger });
  });
  afterEach(async () => {
    hub.drain();
    hub.close();
    await clock.run(log.close());
  });
}

/** Ends the hub and starts another on the same log, as a restart of the server would. */
export function startHubAnew(): void {
  hub.drain();
  hub.close();
  hub = testHub(log, clock);
}

/** Publishes texts to a channel, lets the turn end, and returns the receipts. */
export async function send(channel: string, ...data: string[]): Promise<PublishReceipt[]> {
  const answer = publish(hub, ...data.map((one) => event(channel, one)));
  await clock.settle();
  return (await answer).map((outcome) => {
    assert.ok(!(outcome instanceof TidegateError), String(outcome));
    return outcome;
  });
}
