import { join } from 'node:path';
import type { Clock, Limits, Logger, Metrics, Random } from '../kernel/index.ts';
import { BatchCache } from './batch-cache.ts';
import { DiskSpace } from './disk-space.ts';
import { EventLog, TailListeners } from './event-log.ts';
import { LogFeed } from './feed.ts';
import { type Environment, openEnvironment } from './lmdb/environment.ts';
import { type ClaimedFolder, claimFolder } from './lmdb/folder.ts';
import { LmdbStore } from './lmdb/store.ts';
import { type LogMetrics, logMetrics } from './log-metrics.ts';
import { MemoryStore } from './memory/store.ts';
import type { Durability, Log } from './port.ts';
import { Shard } from './shard.ts';
import type { Store } from './store.ts';
import { TailCache } from './tail-cache.ts';
import { Topics } from './topics.ts';

export interface MemoryLogOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: Limits;
}

export interface LogOptions extends MemoryLogOptions {
  /** The data folder; created if it is missing. One process at a time may have it open. */
  readonly folder: string;
}

const DURABILITIES: readonly Durability[] = ['none', 'written', 'synced'];

/** A log that keeps everything in memory, whatever a topic's durability says; for tests. */
export function openMemoryLog(options: MemoryLogOptions): Log {
  const parts = new Parts(options);
  const shard = parts.shard('none', new MemoryStore(), null);
  const shards = new Map(DURABILITIES.map((durability) => [durability, shard]));
  let nextTopicId = 1;
  return parts.log(
    shards,
    async () => nextTopicId++,
    () => {},
  );
}

/**
 * Opens the log in a folder. Topics of durability `none` live in memory, for as long as the log is open; the
 * others each in the LMDB file of their durability.
 * @throws TidegateError log_folder_unusable, log_format_unsupported, log_locked
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const claimed = claimFolder(options.folder);
  try {
    return openClaimed(options, claimed);
  } catch (error) {
    await claimed.release();
    throw error;
  }
}

function openClaimed(options: LogOptions, { synced, disown }: ClaimedFolder): Log {
  const { folder, limits, clock, logger } = options;
  const parts = new Parts(options);
  const tail = new TailCache(limits.tailCacheBytesMax);
  const cache = new BatchCache(limits.readCacheBytesMax);
  const diskSpace = new DiskSpace(folder, limits.diskReserveBytes, clock);
  const storeOf = (durability: Durability, environment: Environment): LmdbStore =>
    new LmdbStore({ environment, tail, cache, clock, logger, metrics: parts.metrics(durability), diskSpace });
  const syncedStore = storeOf('synced', synced);
  const writtenStore = storeOf('written', openEnvironment(join(folder, 'written.mdb'), 'written'));
  const syncedShard = parts.shard('synced', syncedStore, diskSpace);
  const shards = new Map([
    ['none', parts.shard('none', new MemoryStore(), null)],
    ['written', parts.shard('written', writtenStore, diskSpace)],
    ['synced', syncedShard],
  ] as const);
  let nextTopicId = syncedStore.nextTopicId();
  const allocateId = async (): Promise<number> => {
    const id = nextTopicId++;
    await syncedShard.transact(() => ({ nextTopicId }));
    return id;
  };
  return parts.log(shards, allocateId, disown);
}

/** What all shards of a log share. */
class Parts {
  readonly #options: MemoryLogOptions;
  readonly #tailListeners = new TailListeners();
  readonly #feed = new LogFeed();
  readonly #metrics = new Map<Durability, LogMetrics>();

  constructor(options: MemoryLogOptions) {
    this.#options = options;
    for (const durability of DURABILITIES)
      this.#metrics.set(durability, logMetrics(options.metrics, durability));
  }

  metrics(durability: Durability): LogMetrics {
    return this.#metrics.get(durability)!;
  }

  shard(durability: Durability, store: Store, diskSpace: DiskSpace | null): Shard {
    const { clock, limits, logger } = this.#options;
    return new Shard({
      store,
      clock,
      limits,
      logger,
      metrics: this.metrics(durability),
      diskSpace,
      partitionBytesMax: diskSpace === null ? limits.memoryPartitionBytesMax : null,
      announce: (state, partition, end) => this.#tailListeners.announce(state.topic, partition, end),
      committed: (changes) => this.#feed.committed(changes),
    });
  }

  log(shards: ReadonlyMap<Durability, Shard>, allocateId: () => Promise<number>, release: () => void): Log {
    const { clock, limits, random, metrics } = this.#options;
    const feed = this.#feed;
    const changed = (): void => feed.topicsChanged();
    const topics = new Topics({ shards, metrics: this.#metrics, clock, random, limits, allocateId, changed });
    feed.follow(topics);
    for (const shard of new Set(shards.values())) {
      for (const { stored, partitions } of shard.store.load()) topics.restore(stored, partitions, shard);
      shard.preload([...topics.states].filter((state) => topics.shardOf(state) === shard));
      shard.store.check();
    }
    return new EventLog({
      topics,
      shards,
      tailListeners: this.#tailListeners,
      feed,
      clock,
      limits,
      metrics,
      release,
    });
  }
}
