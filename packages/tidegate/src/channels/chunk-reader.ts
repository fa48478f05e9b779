import type { ByteWriter } from '../kernel/index.ts';
import { type Log, RECORD_CONTROL, type RecordBatch } from '../log/index.ts';
import type { Chunk } from './chunk.ts';
import type { MessageView } from './message.ts';
import { cursorAround, type Place, placeCursor } from './place.ts';
import type { FrameEncoder, GapReason } from './port.ts';
import { type Source, sourceEnd } from './source.ts';

/** What reading chunks needs of the hub. */
export interface ReaderContext {
  readonly log: Log;
  readonly view: MessageView;
  readonly channelOf: (topic: string, key: string | null) => string;
  readonly flushBytesMax: number;
  /** What one reading of records of many keys may touch. */
  readonly catchUpReadBytesMax: number;
  /** What one reading of a single key through the key index may touch. */
  readonly indexedReadBytesMax: number;
}

/** Whether a reader wants every message, or of each key only the latest of what one reading finds. */
export type ReadMode = 'all' | 'latest per key';

/** A wanted record of one reading. */
interface Wanted {
  readonly batch: RecordBatch;
  readonly index: number;
}

/**
 * Reads from the log what follows a place, and encodes it: one step of catching up. A step takes at most one reading of one
 * source and one flush of bytes, so that many who catch up take turns. A gap is a chunk of its own, since some subscribers
 * end there.
 */
export class ChunkReader {
  readonly #sources: readonly Source[];
  readonly #encoder: FrameEncoder;
  readonly #context: ReaderContext;

  constructor(sources: readonly Source[], encoder: FrameEncoder, context: ReaderContext) {
    this.#sources = sources;
    this.#encoder = encoder;
    this.#context = context;
  }

  read(from: Place, mode: ReadMode, out: ByteWriter): Chunk {
    const index = this.#sources.findIndex((source, i) => from[i] < sourceEnd(source));
    if (index === -1) return { bytes: out.take(), messages: 0, end: from, gap: null, conflated: 0 };
    const source = this.#sources[index];
    const { start } = this.#context.log.bounds(source.topic.name, source.partition);
    // Retention may have overtaken the reader.
    if (start > from[index])
      return this.#gap('below_retention', from, index, Math.min(start, sourceEnd(source)), out);
    return this.#readSource(from, index, mode, out);
  }

  #readSource(from: Place, sourceIndex: number, mode: ReadMode, out: ByteWriter): Chunk {
    const source = this.#sources[sourceIndex];
    const to = sourceEnd(source);
    const result = this.#fetch(source, from[sourceIndex], to, mode);
    const damaged = result.damaged.at(0);
    if (damaged !== undefined && damaged.from <= from[sourceIndex]) {
      return this.#gap('damaged', from, sourceIndex, Math.min(to, damaged.to), out);
    }
    const readTo = Math.min(to, damaged?.from ?? result.next);
    const wanted = this.#wanted(source, result.batches, from[sourceIndex], readTo);
    const kept = mode === 'all' ? wanted : latestPerKey(wanted);
    const [before, after] = cursorAround(from, this.#sources, sourceIndex);
    const { view, channelOf, flushBytesMax } = this.#context;
    let messages = 0;
    let end = readTo;
    if (kept.length > 0) this.#encoder.begin(out);
    for (const { batch, index } of kept) {
      const keyIndex = batch.keyIndex(index);
      const channel = channelOf(source.topic.name, keyIndex === -1 ? null : batch.keyAt(keyIndex));
      view.set(batch, index, channel, source.topic.epoch, before, after);
      this.#encoder.message(view, out);
      messages++;
      if (out.length >= flushBytesMax && mode === 'all') {
        end = batch.offset(index) + 1;
        break;
      }
    }
    if (kept.length > 0) this.#encoder.end(out);
    return {
      bytes: out.take(),
      messages,
      end: from.map((offset, i) => (i === sourceIndex ? end : offset)),
      gap: null,
      conflated: wanted.length - kept.length,
    };
  }

  #fetch(source: Source, from: number, to: number, mode: ReadMode): ReturnType<Log['read']> {
    const { log, catchUpReadBytesMax, indexedReadBytesMax } = this.#context;
    const { topic, partition, selector } = source;
    const key = selector.onlyKey;
    const request = { topic: topic.name, partition, from, to, bytesMax: catchUpReadBytesMax };
    if (key === undefined) return log.read(request);
    if (mode === 'latest per key') {
      // Of a single channel only the last message is left, wherever it is.
      const last = log.offsetOfLast(topic.name, partition, 1, key, to);
      return log.read({ ...request, from: Math.max(from, last), key });
    }
    return log.read(
      topic.keyIndex ? { ...request, key, bytesMax: indexedReadBytesMax } : { ...request, key },
    );
  }

  #wanted(source: Source, batches: readonly RecordBatch[], from: number, to: number): Wanted[] {
    const wanted: Wanted[] = [];
    for (const batch of batches) {
      source.selector.forEach(batch, batch.lowerBound(from), (index) => {
        if (batch.offset(index) >= to) return false;
        if ((batch.flags(index) & RECORD_CONTROL) === 0) wanted.push({ batch, index });
        return true;
      });
    }
    return wanted;
  }

  #gap(reason: GapReason, from: Place, sourceIndex: number, to: number, out: ByteWriter): Chunk {
    const end = from.map((offset, i) => (i === sourceIndex ? to : offset));
    this.#encoder.begin(out);
    this.#encoder.gap({ reason, cursor: placeCursor(end, this.#sources) }, out);
    this.#encoder.end(out);
    return { bytes: out.take(), messages: 0, end, gap: reason, conflated: 0 };
  }
}

function latestPerKey(wanted: readonly Wanted[]): Wanted[] {
  const latest = new Map<string | null, Wanted>();
  for (const entry of wanted) {
    const keyIndex = entry.batch.keyIndex(entry.index);
    const key = keyIndex === -1 ? null : entry.batch.keyAt(keyIndex);
    // Deleted first, so that the map's order is the order of the latest.
    latest.delete(key);
    latest.set(key, entry);
  }
  return [...latest.values()];
}
