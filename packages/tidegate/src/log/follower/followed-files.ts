import { join } from 'node:path';
import { type Limits, type Logger, type Metrics, TidegateError } from '../../kernel/index.ts';
import { BatchCache } from '../batch-cache.ts';
import { BatchReader } from '../lmdb/batch-reader.ts';
import { type Environment, openEnvironmentToRead } from '../lmdb/environment.ts';
import { partitionKey } from '../lmdb/keys.ts';
import { readBytes } from '../lmdb/read-bytes.ts';
import { decodePartitionState } from '../lmdb/state-codec.ts';
import { stretchBytesOf } from '../lmdb/store.ts';
import { logMetrics } from '../log-metrics.ts';
import type { Partition } from '../partition.ts';
import type { Durability } from '../port.ts';
import type { BatchSource, Damage, KeySearch } from '../store.ts';
import type { StoredBatch } from '../stored-batch.ts';

export interface FollowedFilesOptions {
  readonly folder: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: Limits;
}

/** The files of a log that another process writes to, open for reading. */
export class FollowedFiles {
  /** How often a partition was found to begin further on than the owner had told by then. */
  movedStarts = 0;
  readonly #written: FileReader;
  readonly #synced: FileReader;
  readonly #environments: readonly Environment[];

  /** @throws TidegateError log_folder_unusable */
  constructor({ folder, logger, metrics, limits }: FollowedFilesOptions) {
    const cache = new BatchCache(limits.readCacheBytesMax);
    const open = (durability: Exclude<Durability, 'none'>): [Environment, FileReader] => {
      const environment = opened(join(folder, `${durability}.mdb`));
      const reader = new FileReader(environment, {
        cache,
        logger,
        metrics: logMetrics(metrics, durability),
        moved: () => this.movedStarts++,
      });
      return [environment, reader];
    };
    const [synced, syncedReader] = open('synced');
    const [written, writtenReader] = open('written');
    this.#environments = [synced, written];
    this.#synced = syncedReader;
    this.#written = writtenReader;
  }

  of(durability: Exclude<Durability, 'none'>): BatchSource {
    return durability === 'synced' ? this.#synced : this.#written;
  }

  async close(): Promise<void> {
    for (const { root } of this.#environments) await root.close();
  }
}

interface FileReaderOptions {
  readonly cache: BatchCache;
  readonly logger: Logger;
  readonly metrics: ReturnType<typeof logMetrics>;
  readonly moved: () => void;
}

/** One file. */
class FileReader implements BatchSource {
  readonly sharedStretchBytes: number;
  readonly #environment: Environment;
  readonly #reader: BatchReader;
  readonly #moved: () => void;

  constructor(environment: Environment, { cache, logger, metrics, moved }: FileReaderOptions) {
    this.sharedStretchBytes = stretchBytesOf(cache);
    this.#environment = environment;
    this.#moved = moved;
    this.#reader = new BatchReader({
      environment,
      cache,
      logger,
      metrics,
      isDropped: (partition, offset) => this.#isDropped(partition, offset),
    });
  }

  locate(partition: Partition, offset: number): StoredBatch | Damage {
    return this.#reader.locate(partition, offset);
  }

  baseOf(partition: Partition, offset: number): number {
    return this.#reader.baseOf(partition, offset);
  }

  basesOfKey(partition: Partition, search: KeySearch): readonly number[] | null {
    return this.#reader.basesOfKey(partition, search);
  }

  /** Whether the owner has dropped what is looked for; then the partition begins behind it from now on. */
  #isDropped(partition: Partition, offset: number): boolean {
    const { topic, index } = partition;
    const bytes = readBytes(
      this.#environment,
      this.#environment.partitions,
      partitionKey(topic.topic.id, index),
    );
    // Without a state the topic has been deleted, which the owner has told or is about to.
    const start = bytes === undefined ? partition.end : decodePartitionState(bytes).start;
    if (start <= offset || start <= partition.start) return false;
    partition.start = start;
    this.#moved();
    return true;
  }
}

function opened(path: string): Environment {
  try {
    return openEnvironmentToRead(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TidegateError('log_folder_unusable', `${path}: ${reason}`, { cause: error });
  }
}
