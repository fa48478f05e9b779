import { setTimeout as delay } from 'node:timers/promises';
import type { Feed } from '../feed/index.ts';
import { toEntry } from './entry.ts';
import { Publisher } from './publisher.ts';
import { type ScheduledEvent, SPAN_MS, schedule } from './schedule.ts';

/** Events that fall into one interval go out as one batch. */
const INTERVAL_MS = 50;
const REPORT_INTERVAL_MS = 2000;

export interface ReplayOptions {
  readonly feeds: readonly Feed[];
  /** The public address of the server. */
  readonly url: string;
  /** How many seconds of the week pass in one; Infinity publishes as fast as the server takes it. */
  readonly speed: number;
  /** Names this run: a run that is repeated under the same name is not stored again. */
  readonly run: string;
  /** Begin again after the end, as a run of its own, until the signal comes. */
  readonly repeat: 'once' | 'forever';
  readonly print: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Replays the feeds. Resolves when all is acknowledged, or when the signal comes. */
export async function replay(options: ReplayOptions): Promise<void> {
  const { print, url, signal } = options;
  const events = schedule(options.feeds);
  const publisher = new Publisher({
    url,
    signal,
    onRetry: (reason, waiting) => print(`Trying again: ${reason}; events that wait: ${waiting}`),
  });
  const names = options.feeds.map(({ name, events: { length } }) => `${length} ${name}`).join(', ');
  print(`Replaying ${names} to ${url} ${describePace(options.speed)}.`);
  try {
    for (let lap = 1; ; lap++) {
      const run = options.repeat === 'once' ? options.run : `${options.run}.${lap}`;
      await replayOnce(events, run, publisher, options);
      if (options.repeat === 'once') break;
      print(`The week is over; it begins again (lap ${lap + 1}).`);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  const { acknowledged, duplicates, retries } = publisher;
  const repeated = duplicates === 0 ? '' : `, ${duplicates} of them stored before`;
  print(`${acknowledged} events were acknowledged${repeated}; ${retries} retries.`);
}

async function replayOnce(
  events: readonly ScheduledEvent[],
  run: string,
  publisher: Publisher,
  { speed, print, signal }: ReplayOptions,
): Promise<void> {
  const startMs = performance.now();
  let reportMs = startMs + REPORT_INTERVAL_MS;
  let next = 0;
  while (next < events.length) {
    const first = next;
    const reachedMs = speed === Infinity ? SPAN_MS : (performance.now() - startMs) * speed;
    while (next < events.length && events[next].positionMs <= reachedMs) next++;
    if (next > first)
      await publisher.publish(events.slice(first, next).map(({ event }) => toEntry(event, run)));
    if (performance.now() >= reportMs) {
      reportMs = performance.now() + REPORT_INTERVAL_MS;
      print(
        `${describePosition(events[Math.max(0, next - 1)].positionMs)}  ${publisher.acknowledged} events`,
      );
    }
    if (next < events.length) await delay(INTERVAL_MS, undefined, { signal });
  }
}

function describePace(speed: number): string {
  if (speed === Infinity) return 'as fast as it takes them';
  const seconds = Math.round(SPAN_MS / 1000 / speed);
  return seconds < 120 ? `in ${seconds} seconds` : `in ${Math.round(seconds / 60)} minutes`;
}

function describePosition(positionMs: number): string {
  const hours = Math.floor(positionMs / 3_600_000);
  return `day ${Math.floor(hours / 24) + 1}, ${String(hours % 24).padStart(2, '0')}:00`;
}
