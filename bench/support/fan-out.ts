import { CpuMeter } from './process-figures.ts';
import { Publisher, type PublishResult, publishFor, type WayIn } from './publisher.ts';
import type { SubscriberReport, Subscribers } from './subscribers.ts';

/** Cores' worth of use in percent, while messages were published. */
export interface FanOutCpu {
  readonly server: number;
  readonly publisher: number;
  readonly subscribers: number;
}

/** What came of publishing for a while. */
export interface FanOutFigures {
  readonly published: PublishResult;
  readonly received: SubscriberReport;
  readonly publishesPerSecond: number;
  /** Over the whole time from the first publish to the last delivery, so that a backlog neither helps nor harms. */
  readonly deliveriesPerSecond: number;
  /** Deliveries of accepted messages that never came. */
  readonly lost: number;
  /** From the last publish to the last delivery. */
  readonly drainMs: number;
  readonly cpu: FanOutCpu;
}

/** How long nothing must arrive before what is missing counts as lost. */
const QUIET_MS = 3000;
const WARM_UP_ATTEMPTS = 10;

/** Publishes message after message until one has reached every subscriber: only then is every subscription known to be live. */
export async function warmUp(way: WayIn, subscribers: Subscribers): Promise<void> {
  for (let attempt = 0; attempt < WARM_UP_ATTEMPTS; attempt++) {
    await subscribers.reset();
    const published = await publishFor({ ...way, connections: 1 }, 0.1, 10);
    const report = await subscribers.until((now) => now.least >= published.accepted);
    if (published.accepted > 0 && report.least >= published.accepted) return;
  }
  throw new Error('the subscriptions do not get what is published');
}

/**
 * Publishes for `seconds` and waits for the deliveries.
 * @param rate messages per second, or 0 for as many as the server takes
 */
export async function fanOut(
  serverPid: number,
  way: WayIn,
  subscribers: Subscribers,
  seconds: number,
  rate = 0,
): Promise<FanOutFigures> {
  await subscribers.reset();
  const publisher = await Publisher.connect(way, seconds, rate);
  const meter = new CpuMeter({ server: serverPid, publisher: publisher.pid, subscribers: subscribers.pid });
  publisher.start();
  await publisher.stopped();
  const cpu = meter.percentages() as unknown as FanOutCpu;
  const published = await publisher.result();
  const expected = published.accepted * subscribers.count;
  const received = await subscribers.until((report) => report.messages >= expected, QUIET_MS);
  const lastUs = Math.max(received.lastUs, published.stoppedUs);
  return {
    published,
    received,
    publishesPerSecond: published.accepted / ((published.stoppedUs - published.startedUs) / 1e6),
    deliveriesPerSecond: received.messages / ((lastUs - published.startedUs) / 1e6),
    lost: Math.max(0, expected - received.messages),
    drainMs: (lastUs - published.stoppedUs) / 1000,
    cpu,
  };
}

/** Whether every subscriber got every message, each within `limitMs` of when it was due. */
export function keptUp(figures: FanOutFigures, limitMs: number): boolean {
  const { published, received, lost } = figures;
  return lost === 0 && published.accepted === published.sent && received.latencyMaximumUs <= limitMs * 1000;
}

/**
 * The highest rate at which `holds`, to about a tenth: steps away from a first guess until it is enclosed, then halves the
 * distance.
 */
export async function highestRate(guess: number, holds: (rate: number) => Promise<boolean>): Promise<number> {
  const STEP = 1.6;
  const ATTEMPTS_MAX = 12;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let rate = Math.max(1, guess);
  for (let attempt = 0; attempt < ATTEMPTS_MAX && high / low > 1.1; attempt++) {
    if (await holds(rate)) low = rate;
    else high = rate;
    if (low === 0) rate = high / STEP;
    else if (high === Number.POSITIVE_INFINITY) rate = low * STEP;
    else rate = Math.sqrt(low * high);
  }
  return low;
}
