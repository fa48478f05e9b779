import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Clock,
  type Limits,
  type Logger,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  systemClock,
  type Timer,
} from '../../src/kernel/index.ts';
import type {
  AppendedTopic,
  AppendRecord,
  Log,
  LogOptions,
  LogReader,
  TopicAppend,
  TopicSpec,
} from '../../src/log/index.ts';

/** Real turns and real timers, but a wall clock that a test moves. */
export class SteppedClock implements Clock {
  #aheadMs = 0;
  readonly #repeating: (() => void)[] = [];

  advance(byMs: number): void {
    this.#aheadMs += byMs;
  }

  /** Calls what is called from time to time. */
  repeat(): void {
    for (const callback of this.#repeating) callback();
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#aheadMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return systemClock.setTimer(callback, delayMs);
  }

  setRepeatingTimer(callback: () => void, _intervalMs: number): Timer {
    this.#repeating.push(callback);
    return callback;
  }

  clearTimer(timer: Timer): void {
    systemClock.clearTimer(timer);
  }

  soon(callback: () => void): void {
    systemClock.endOfTurn(callback);
  }

  endOfTurn(callback: () => void): void {
    systemClock.endOfTurn(callback);
  }
}

export interface Settings {
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  readonly logger?: Logger;
}

export function logOptions(folder: string, settings: Settings = {}): LogOptions {
  return {
    folder,
    clock: settings.clock ?? systemClock,
    random: seededRandom(Number(process.hrtime.bigint() & 0xffff_ffffn)),
    logger: settings.logger ?? silentLogger,
    metrics: noMetrics,
    limits: resolveLimits({ diskReserveBytes: 0, ...settings.limits }),
  };
}

/** A folder of its own, removed by the returned function. */
export function scratchFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-log-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function topicSpec(name: string, overrides: Partial<TopicSpec> = {}): TopicSpec {
  return {
    name,
    partitions: 1,
    durability: 'synced',
    retentionMs: null,
    retentionBytes: null,
    compacted: false,
    tombstoneRetentionMs: 60_000,
    keyIndex: false,
    ...overrides,
  };
}

export function record(data: string | null, overrides: Partial<AppendRecord> = {}): AppendRecord {
  return {
    key: null,
    data: data === null ? null : Buffer.from(data),
    headers: null,
    flags: 0,
    identity: null,
    ...overrides,
  };
}

export function append(log: Log, appends: readonly TopicAppend[]): Promise<readonly AppendedTopic[]> {
  return new Promise((resolve, reject) => {
    log.append(appends, (error, appended) => (error === null ? resolve(appended) : reject(error)));
  });
}

export async function appendTo(
  log: Log,
  topic: string,
  records: readonly AppendRecord[],
): Promise<AppendedTopic> {
  const [appended] = await append(log, [{ topic, records }]);
  return appended;
}

export interface SeenRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly data: string | null;
  readonly flags: number;
  readonly timestampMs: number;
}

/** Everything that can be read from `from` on, and the damaged ranges met. */
export function readAll(
  log: LogReader,
  topic: string,
  partition = 0,
  options: {
    readonly from?: number;
    readonly key?: string;
    readonly bytesMax?: number;
    readonly to?: number;
  } = {},
): { readonly records: SeenRecord[]; readonly damaged: { from: number; to: number }[] } {
  const records: SeenRecord[] = [];
  const damaged: { from: number; to: number }[] = [];
  const end = Math.min(options.to ?? Number.POSITIVE_INFINITY, log.bounds(topic, partition).end);
  let from = Math.max(options.from ?? 0, log.bounds(topic, partition).start);
  while (from < end) {
    const { key, to } = options;
    const result = log.read({
      topic,
      partition,
      from,
      bytesMax: options.bytesMax ?? 64 * 1024,
      ...(key === undefined ? {} : { key }),
      ...(to === undefined ? {} : { to }),
    });
    damaged.push(...result.damaged);
    for (const batch of result.batches) {
      const wanted = key === undefined ? -1 : batch.indexOfKey(key);
      for (let i = batch.lowerBound(from); i < batch.count && batch.offset(i) < end; i++) {
        const keyIndex = batch.keyIndex(i);
        if (key !== undefined && keyIndex !== wanted) continue;
        records.push({
          offset: batch.offset(i),
          key: keyIndex === -1 ? null : batch.keyAt(keyIndex),
          data:
            (batch.flags(i) & 8) !== 0
              ? null
              : Buffer.from(batch.bytes.subarray(batch.dataStart(i), batch.dataEnd(i))).toString('utf8'),
          flags: batch.flags(i),
          timestampMs: batch.timestampMs(i),
        });
      }
    }
    if (result.next <= from) throw new Error(`Reading stands still at ${from}`);
    from = result.next;
  }
  return { records, damaged };
}

export const dataOf = (records: readonly SeenRecord[]): (string | null)[] => records.map(({ data }) => data);

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
