import { CpuMeter, memoryOf, PeakMemory } from './process-figures.ts';
import { type SubscriberReport, Subscribers, type SubscribersOptions } from './subscribers.ts';

/** The storm has failed when nothing arrives any more for so long. */
const QUIET_MS = 20_000;
/** More at a time would overflow the system's queue (net.core.somaxconn, 4,096), and those wait a second to try again. */
const OPENING_MAX = 4000;

/** What many subscribers that come back at once are to find. */
export interface StormOptions {
  readonly serverPid: number;
  readonly subscribers: Omit<SubscribersOptions, 'opening'>;
  /** How many messages each has missed, which is also the sequence of the next one. */
  readonly missed: number;
  /** Publishes one more to each; resolves when it is answered. */
  readonly publishNext: (sequence: number) => Promise<void>;
}

export interface StormFigures {
  /** From the first connection until the last subscriber has had all that it missed. */
  readonly caughtUpMs: number;
  /** That, and the time of one message that was published after it. */
  readonly liveMs: number;
  readonly deliveriesPerSecond: number;
  /** What the subscribers had counted at the end. */
  readonly report: SubscriberReport;
  readonly lost: number;
  readonly outOfOrder: number;
  /** Anonymous memory of the server, in whole MiB. */
  readonly beforeMebibytes: number;
  readonly peakMebibytes: number;
  /** While they caught up, in percent of one core. */
  readonly cpu: { readonly server: number; readonly subscribers: number };
}

/** Lets all subscribers connect as fast as the system lets them, and follows them until they are live. */
export async function storm({
  serverPid,
  subscribers: who,
  missed,
  publishNext,
}: StormOptions): Promise<StormFigures> {
  const count = who.connections;
  const before = memoryOf(serverPid).anonymous;
  const peak = new PeakMemory(serverPid);
  const subscribers = Subscribers.start({ ...who, opening: Math.min(count, OPENING_MAX) });
  const meter = new CpuMeter({ server: serverPid, subscribers: subscribers.pid });
  const all = (report: SubscriberReport): boolean => report.targetReached === count;
  await subscribers.setTarget(missed);
  const caughtUp = await subscribers.until(all, QUIET_MS);
  const { server = 0, subscribers: theirs = 0 } = meter.percentages();
  await subscribers.setTarget(missed + 1);
  const publishedMs = performance.now();
  await publishNext(missed);
  const report = await subscribers.until(all, QUIET_MS);
  const tookMs = performance.now() - publishedMs;
  await subscribers.close();
  const caughtUpMs = (caughtUp.targetReachedUs - caughtUp.openingUs) / 1000;
  return {
    caughtUpMs: Math.round(caughtUpMs),
    liveMs: Math.round(caughtUpMs + tookMs),
    deliveriesPerSecond: Math.round((count * missed) / (caughtUpMs / 1000)),
    report,
    lost: count * (missed + 1) - report.messages,
    outOfOrder: report.missing + report.repeated,
    beforeMebibytes: Math.round(before / 2 ** 20),
    peakMebibytes: Math.round(peak.stop() / 2 ** 20),
    cpu: { server, subscribers: theirs },
  };
}
