import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { FEED_NAMES } from '../../../../examples/earthquakes/feed/index.ts';
import { SPAN_MS } from '../../../../examples/earthquakes/replay/index.ts';
import { freePorts } from '../support/ports.ts';
import { ServerProcess } from '../support/server-process.ts';
import { childrenOf } from '../support/worker-processes.ts';
import { startChromiumSubscribers } from './browser/chromium-subscribers.ts';
import { findChromium } from './browser/find-chromium.ts';
import type { RunningClient, Subscription } from './clients/index.ts';
import { readHistory } from './history.ts';
import { CLIENTS, planSubscribers } from './plan.ts';
import { matching, publicationsOf } from './publication.ts';
import { startReplay } from './replay-process.ts';
import { Subscriber } from './subscriber.ts';

/** Quakes and flights have one order, each in one partition; the stocks are spread over three. */
const PARTITIONS = { quakes: 1, flights: 1, stocks: 3 };
const PROGRESS_INTERVAL_MS = 20;
const DOWN_MS = 200;

export interface ReplayScenario {
  /** How long the replay would take without kills. */
  readonly replayMs: number;
  /** What is killed: the whole server, or each time one of its two workers, which is not the owner of the log. */
  readonly victim: 'server' | 'worker';
  /** How often, evenly spread over what is delivered. */
  readonly kills: number;
  /** Fail if the subscribers are not complete this long after the last publication. */
  readonly completeTimeoutMs: number;
}

/**
 * Replays the example's feeds into a real server, for a hundred subscribers that others wrote, and kills the server
 * meanwhile. Each subscriber must receive exactly what was published.
 */
export async function runReplayScenario(t: TestContext, scenario: ReplayScenario): Promise<void> {
  const [originPort] = await freePorts(1);
  const workers = scenario.victim === 'worker' ? ['--workers', '2'] : [];
  const config = configFor(`http://127.0.0.1:${originPort}`);
  const server = await ServerProcess.start({ config, args: workers });
  t.after(() => server.remove());
  const publications = await publicationsOf(FEED_NAMES);
  const chromium = findChromium();
  if (chromium === null)
    t.diagnostic('There is no Chromium on PATH: its subscribers are npm eventsource and ws');
  const subscribers = planSubscribers(chromium === null ? 'without' : 'with').map(
    (plan) => new Subscriber(plan, publications),
  );
  assert.equal(subscribers.length, 100);

  const clients: RunningClient[] = [];
  t.after(async () => {
    await Promise.all(clients.map((client) => client.close()));
  });
  const toSubscription = ({ plan, record }: Subscriber): Subscription => ({
    url: server.url,
    pattern: plan.pattern,
    record,
  });
  const startThose = (joins: 'before' | 'half-way'): void => {
    for (const subscriber of subscribers) {
      const { client } = subscriber.plan;
      if (
        subscriber.plan.joins !== joins ||
        client === 'Chromium EventSource' ||
        client === 'Chromium WebSocket'
      )
        continue;
      clients.push(CLIENTS[client](toSubscription(subscriber)));
    }
  };
  startThose('before');
  if (chromium !== null) {
    const of = (client: string): Subscription[] =>
      subscribers.filter(({ plan }) => plan.client === client).map(toSubscription);
    const [eventSources, webSockets] = [of('Chromium EventSource'), of('Chromium WebSocket')];
    clients.push(
      await startChromiumSubscribers({ executablePath: chromium, originPort, eventSources, webSockets }),
    );
  }

  const run = { url: server.url, feeds: FEED_NAMES, run: 'acceptance' };
  const replay = startReplay({ ...run, speed: SPAN_MS / scenario.replayMs });
  t.after(() => replay.kill());
  // Awaited below; a failure meanwhile shows there.
  replay.done.catch(() => {});
  for (let kill = 1; kill <= scenario.kills; kill++) {
    await progress(subscribers, kill / (scenario.kills + 1), replay.done);
    if (scenario.victim === 'server') await server.kill();
    else process.kill(await workerOf(server), 'SIGKILL');
    if (kill === Math.ceil(scenario.kills / 2)) startThose('half-way');
    await delay(DOWN_MS);
    if (scenario.victim === 'server') await server.start();
  }
  const output = await replay.done;
  await complete(subscribers, scenario.completeTimeoutMs);

  // Of several processes, the publisher may have been connected to another than was killed.
  if (scenario.victim === 'server')
    assert.match(output, /[1-9]\d* retries/, 'the publisher felt no kill, so that nothing was tried');
  assertReconnected(subscribers, scenario);

  // A publisher that lost every acknowledgement sends everything again: the server knows it all, and nobody hears of it.
  const again = startReplay({ ...run, speed: 'max' });
  t.after(() => again.kill());
  const { length: count } = publications;
  assert.match(
    await again.done,
    new RegExp(`${count} events were acknowledged, ${count} of them stored before`),
  );
  for (const topic of Object.keys(PARTITIONS)) {
    const stored = await readHistory(server.url, `${topic}/#`);
    assert.equal(stored.length, matching(publications, `${topic}/#`).length);
  }

  const faults = subscribers
    .map((subscriber) => {
      const spread = subscriber.plan.pattern.startsWith('stocks/');
      return subscriber.findFault(spread ? 'of each channel' : 'of the topic');
    })
    .filter((fault) => fault !== null);
  assert.deepEqual(faults, []);
  const deliveries = subscribers.reduce((sum, { record }) => sum + record.deliveries.length, 0);
  t.diagnostic(
    `${publications.length} events, ${deliveries} deliveries, ${output.trim().split('\n').at(-1)}`,
  );
}

/** A worker of the server; the one that was killed before may not have been replaced yet. */
async function workerOf(server: ServerProcess): Promise<number> {
  for (;;) {
    const [worker] = childrenOf(server.pid);
    if (worker !== undefined) return worker;
    await delay(PROGRESS_INTERVAL_MS);
  }
}

function configFor(origin: string): string {
  const topics = Object.entries(PARTITIONS).map(
    ([topic, partitions]) => `  ${topic}: { partitions: ${partitions} }`,
  );
  return ['topics:', ...topics, 'cors:', `  origins: ['${origin}']`, ''].join('\n');
}

/** Waits until the subscribers that are there have received a share of all that they will. */
async function progress(
  subscribers: readonly Subscriber[],
  share: number,
  replayDone: Promise<unknown>,
): Promise<void> {
  const present = subscribers.filter(({ plan }) => plan.joins === 'before');
  const whole = present.reduce((sum, { expected }) => sum + expected.length, 0);
  let over = false;
  replayDone.then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  for (;;) {
    const received = present.reduce((sum, { record }) => sum + record.deliveries.length, 0);
    if (received >= whole * share) return;
    assert.ok(!over, 'the replay ended before the server could be killed in its middle');
    await delay(PROGRESS_INTERVAL_MS);
  }
}

async function complete(subscribers: readonly Subscriber[], timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMs && !subscribers.every(({ isComplete }) => isComplete)) {
    await delay(PROGRESS_INTERVAL_MS);
  }
}

/**
 * Those that hold one connection must have lost it; a long-poll may have been between two requests. With one of several processes, some have
 * lost theirs.
 */
function assertReconnected(subscribers: readonly Subscriber[], { victim, kills }: ReplayScenario): void {
  const held = subscribers.filter(({ plan }) => plan.joins === 'before' && plan.client !== 'fetch long-poll');
  const kept = held.filter(({ record }) => record.connections === 1);
  assert.ok(kills > 0);
  if (victim === 'server') assert.deepEqual(kept.map(String), [], 'were connected all the time');
  else assert.ok(kept.length < held.length, 'nobody felt the death of a worker');
}
