import { setTimeout as delay } from 'node:timers/promises';
import type { Crowd } from './crowd.ts';
import type { Origin } from './origin-server.ts';

export interface Measurement {
  readonly crowd: Crowd;
  /** How many come while the app is up; a tenth as many come while it is down. */
  readonly viewers: number;
  /** The gateway's public port. */
  readonly url: string;
  /** The app that runs. It is ended, and started again. */
  readonly origin: { running: Origin };
  readonly restart: () => Promise<Origin>;
  readonly print: (line: string) => void;
}

/** How often it is counted while all of them watch. */
const STEPS = 20;
/** How often somebody counts one more while they come. */
const COUNTING_MS = 200;

/** Lets many watch while it is counted, and says what that costs the app. */
export async function measure({ crowd, viewers, url, origin, restart, print }: Measurement): Promise<void> {
  const coming = { isOver: false };
  const counting = countUntil(url, () => coming.isOver);
  const startedMs = performance.now();
  await crowd.add(viewers);
  coming.isOver = true;
  const steps = await counting;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  await allAt(crowd, await increment(url));
  const { asked } = origin.running.figures;
  print(`${crowd.size} clients came in ${seconds} s, while it was counted ${steps + 1} times.`);
  print(`The app was asked for the count ${asked} times.`);

  const before = crowd.received;
  for (let step = 1; step < STEPS; step++) await increment(url);
  await allAt(crowd, await increment(url));
  print(
    `${STEPS} more counts reached all of them: ${crowd.received - before} events. The app was asked ${origin.running.figures.asked - asked} times.`,
  );

  await origin.running.close();
  const newcomers = Math.ceil(viewers / 10);
  await crowd.add(newcomers);
  origin.running = await restart();
  await allAt(crowd, await increment(url));
  print(
    `${newcomers} more came while the app was down, and had the count and the next one as it was up again.`,
  );
  print(`${crowd.received} events in all: ${crowd.wrong} missing or twice, ${crowd.lost} streams lost.`);
}

/** Counts one more, through the gateway like everybody. Returns the count. */
export async function increment(url: string): Promise<number> {
  const response = await fetch(`${url}/increments`, { method: 'POST' });
  if (!response.ok) throw new Error(`Counting was answered ${response.status}`);
  const { count } = (await response.json()) as { readonly count: number };
  return count;
}

async function countUntil(url: string, isOver: () => boolean): Promise<number> {
  let steps = 0;
  while (!isOver()) {
    await increment(url);
    steps++;
    await delay(COUNTING_MS);
  }
  return steps;
}

/** Waits until everybody has this count. */
async function allAt(crowd: Crowd, count: number): Promise<void> {
  while (crowd.notAt(count) > 0) await delay(20);
}
