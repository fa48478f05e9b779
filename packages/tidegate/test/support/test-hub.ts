import { Buffer } from 'node:buffer';
import {
  type Channels,
  type EndReason,
  type FrameEncoder,
  Hub,
  type HubOptions,
  type PublishedEvent,
  type PublishReceipt,
  parsePosition,
  type Sink,
  type SlowPolicy,
  type StartPosition,
  type SubscribeRequest,
  type Subscription,
} from '../../src/channels/index.ts';
import {
  type Clock,
  type Limits,
  type Logger,
  noMetrics,
  resolveLimits,
  silentLogger,
  type TidegateError,
} from '../../src/kernel/index.ts';
import type { Log, TopicSpec } from '../../src/log/index.ts';
import { type Line, lineEncoder, parseLines } from './line-encoder.ts';

/** A topic with the settings that most tests want. */
export function topicSpec(name: string, changes: Partial<TopicSpec> = {}): TopicSpec {
  return {
    name,
    partitions: 1,
    durability: 'none',
    retentionMs: null,
    retentionBytes: null,
    compacted: false,
    tombstoneRetentionMs: 86_400_000,
    keyIndex: name === 'default',
    ...changes,
  };
}

/** What the hub contains so that it costs nobody else is an error all the same. */
const failingLogger: Logger = {
  ...silentLogger,
  error(fields, message) {
    throw new Error(message, { cause: fields });
  },
};

/** A hub that throws where another would log an error, unless it is given a logger. */
export function testHub(
  log: Log,
  clock: Clock,
  limits: Partial<Limits> = {},
  prefixes: Record<string, string[]> = {},
  others: Partial<Pick<HubOptions, 'logger' | 'metrics'>> = {},
): Hub {
  return new Hub({
    log,
    clock,
    logger: failingLogger,
    metrics: noMetrics,
    limits: resolveLimits(limits),
    prefixes: new Map(Object.entries(prefixes)),
    ...others,
  });
}

export function event(channel: string, data: string, clientId: string | null = null): PublishedEvent {
  return {
    channel,
    data: Buffer.from(data),
    dataKind: 'text',
    attributes: clientId === null ? [] : [['id', clientId]],
    clientId,
    identitySource: 'test',
  };
}

/** Publishes and resolves with the outcomes. */
export function publish(
  hub: Channels,
  ...events: PublishedEvent[]
): Promise<readonly (PublishReceipt | TidegateError)[]> {
  return new Promise((resolve) => hub.publish(events, 'test', resolve));
}

/** A subscriber that keeps what it gets. `room` false makes its transport full after the next write. */
export class TestSubscriber implements Sink {
  static readonly encoder: () => FrameEncoder = lineEncoder;
  readonly lines: Line[] = [];
  readonly subscription: Subscription;
  room = true;
  writes = 0;
  caughtUpCalls = 0;
  endReason: EndReason | null = null;

  constructor(
    hub: Channels,
    channels: string | readonly string[],
    from: string | StartPosition = 'latest',
    slowPolicy: SlowPolicy = 'resume',
    { gapEnds = false, controlsFrom }: Pick<SubscribeRequest, 'gapEnds' | 'controlsFrom'> = {},
  ) {
    this.subscription = hub.subscribe({
      channels: typeof channels === 'string' ? [channels] : channels,
      from: typeof from === 'string' ? parsePosition(from) : from,
      encoder: new.target.encoder(),
      sink: this,
      slowPolicy,
      protocol: 'test',
      gapEnds,
      ...(controlsFrom !== undefined && { controlsFrom }),
    });
  }

  write(bytes: Buffer): boolean {
    this.writes++;
    this.lines.push(...parseLines(bytes));
    return this.room;
  }

  caughtUp(): void {
    this.caughtUpCalls++;
  }

  ended(reason: EndReason): void {
    this.endReason = reason;
  }

  drain(): void {
    this.room = true;
    this.subscription.drained();
  }

  /** The data of the messages. */
  get data(): string[] {
    return this.lines.flatMap((line) => (line.kind === 'message' ? [line.data] : []));
  }

  get gaps(): string[] {
    return this.lines.flatMap((line) => (line.kind === 'gap' ? [line.reason] : []));
  }
}
