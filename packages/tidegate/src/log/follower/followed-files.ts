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
import type { Partition, PartitionState } from '../partition.ts';
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
  readonly #cache: BatchCache;
  readonly #environments: readonly Environment[];

  /** @throws TidegateError log_folder_unusable */
  constructor({ folder, logger, metrics, limits }: FollowedFilesOptions) {
    const cache = new BatchCache(limits.readCacheBytesMax);
    this.#cache = cache;
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

  /** Compaction has merged the batches that begin at `bases`, for the `merges`th time. */
  merged(partition: Partition, bases: readonly number[], merges: number): void {
    for (const base of bases) this.#cache.remove(partition, base);
    partition.recent = null;
    partition.merges = merges;
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
  /** The partition whose state was looked at in the reading that is under way. */
  #looked: { readonly partition: Partition; readonly merges: number } | null = null;

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
      // The owner tells of merged batches after they may be seen, and forgets nothing that is cached here.
      isOutdated: (partition) => this.#mergesOf(partition) !== partition.merges,
    });
  }

  locate(partition: Partition, offset: number): StoredBatch | Damage {
    return this.#reader.locate(partition, offset);
  }

  locateIndexed(partition: Partition, offset: number): StoredBatch | Damage {
    return this.#reader.locateIndexed(partition, offset);
  }

  baseOf(partition: Partition, offset: number): number {
    return this.#reader.baseOf(partition, offset);
  }

  basesOfKey(partition: Partition, search: KeySearch): readonly number[] | null {
    return this.#reader.basesOfKey(partition, search);
  }

  endReading(): void {
    this.#looked = null;
    this.#reader.endReading();
  }

  /** Whether the owner has dropped what is looked for; then the partition begins behind it from now on. */
  #isDropped(partition: Partition, offset: number): boolean {
    const { start } = this.#stored(partition);
    if (start <= offset || start <= partition.start) return false;
    partition.start = start;
    this.#moved();
    return true;
  }

  /**
   * How often compaction has merged batches of the partition, in the state of the file that is read. Looked up once a reading: the index says nothing of what
   * was dropped, so that the reading also learns whether the partition begins further on.
   */
  #mergesOf(partition: Partition): number {
    if (this.#looked?.partition !== partition) {
      const { start, merges } = this.#stored(partition);
      this.#looked = { partition, merges };
      if (start > partition.start) {
        partition.start = start;
        this.#moved();
      }
    }
    return this.#looked.merges;
  }

  #stored(partition: Partition): Pick<PartitionState, 'start' | 'merges'> {
    const { topic, index, end, merges } = partition;
    const bytes = readBytes(this.#environment.partitions, partitionKey(topic.topic.id, index));
    // Without a state the topic has been deleted, which the owner has told or is about to.
    return bytes === undefined ? { start: end, merges } : decodePartitionState(bytes);
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
