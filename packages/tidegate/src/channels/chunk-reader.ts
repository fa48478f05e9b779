import { EMPTY, type Logger } from '../kernel/index.ts';
import { type LogReader, RECORD_CONTROL, type RecordBatch } from '../log/index.ts';
import { type Chunk, controlChunk } from './chunk.ts';
import type { FlushWriter } from './flush-writer.ts';
import type { MessageView } from './message.ts';
import { cursorAround, type Place, placeCursor } from './place.ts';
import type { FrameEncoder, GapReason } from './port.ts';
import { type Source, sourceEnd } from './source.ts';

/** What reading chunks needs of the hub. */
export interface ReaderContext {
  readonly log: LogReader;
  readonly logger: Logger;
  /** For whatever is begun and ended in one call. */
  readonly writer: FlushWriter;
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

  read(from: Place, mode: ReadMode): Chunk {
    const index = this.#sources.findIndex((source, i) => from[i] < sourceEnd(source));
    if (index === -1) return { bytes: EMPTY, messages: 0, end: from, gap: null, conflated: 0 };
    return this.#readSource(from, index, mode);
  }

  #readSource(from: Place, sourceIndex: number, mode: ReadMode): Chunk {
    const source = this.#sources[sourceIndex];
    const offset = from[sourceIndex];
    const to = sourceEnd(source);
    const result = this.#fetch(source, offset, to, mode);
    const { start } = this.#context.log.bounds(source.topic.name, source.partition);
    // Retention may have overtaken the reader; of a log that another process owns, it is reading that tells.
    if (start > offset) return this.#gap('below_retention', from, sourceIndex, Math.min(start, to));
    const damaged = result.damaged.at(0);
    if (damaged !== undefined && damaged.from <= offset)
      return this.#gap('damaged', from, sourceIndex, Math.min(to, damaged.to));
    const range = { from: offset, to: Math.min(to, damaged?.from ?? result.next) };
    const reading = new Reading(source, cursorAround(from, this.#sources, sourceIndex), range);
    this.#context.writer.reset();
    const conflated =
      mode === 'all'
        ? this.#encodeAll(reading, result.batches, range)
        : this.#encodeLatest(reading, result.batches, range);
    if (reading.failed) return this.#gap('damaged', from, sourceIndex, offset + 1);
    const end = from.map((other, i) => (i === sourceIndex ? reading.end : other));
    if (reading.control !== null) return controlChunk(...reading.control, end);
    const { messages } = this.#context.writer;
    return {
      bytes: this.#context.writer.take(this.#encoder),
      messages,
      end,
      gap: null,
      conflated,
    };
  }

  /** Encodes every wanted message, until it is a flush. */
  #encodeAll(reading: Reading, batches: readonly RecordBatch[], range: Range): number {
    const { writer, flushBytesMax } = this.#context;
    const controls = this.#encoder.controls ?? 'skipped';
    forEachWanted(reading.source, batches, range, controls, (batch, index) => {
      if ((batch.flags(index) & RECORD_CONTROL) !== 0) {
        reading.meetControl(batch, index, writer.messages);
        return false;
      }
      if (!this.#encode(reading, batch, index)) return false;
      if (writer.bytes < flushBytesMax) return true;
      reading.end = batch.offset(index) + 1;
      return false;
    });
    return 0;
  }

  /** Encodes the latest wanted message of each key. Returns how many that left out. */
  #encodeLatest(reading: Reading, batches: readonly RecordBatch[], range: Range): number {
    const latest = new Map<string | null, { readonly batch: RecordBatch; readonly index: number }>();
    let wanted = 0;
    forEachWanted(reading.source, batches, range, 'skipped', (batch, index) => {
      const keyIndex = batch.keyIndex(index);
      const key = keyIndex === -1 ? null : batch.keyAt(keyIndex);
      // Deleted first, so that the map's order is the order of the latest.
      latest.delete(key);
      latest.set(key, { batch, index });
      wanted++;
      return true;
    });
    for (const { batch, index } of latest.values()) {
      if (!this.#encode(reading, batch, index)) break;
    }
    return wanted - latest.size;
  }

  /** Adds a message to the flush; or ends it where the message is, if it cannot be encoded, so that a gap can tell of that. */
  #encode(reading: Reading, batch: RecordBatch, index: number): boolean {
    const { view, channelOf, writer } = this.#context;
    const { source, cursorAfter, cursorBefore } = reading;
    const keyIndex = batch.keyIndex(index);
    const channel = channelOf(source.topic.name, keyIndex === -1 ? null : batch.keyAt(keyIndex));
    view.set(batch, index, channel, source.topic.epoch, cursorBefore, cursorAfter);
    try {
      writer.message(view, this.#encoder);
      return true;
    } catch (error) {
      reading.end = batch.offset(index);
      if (reading.end === reading.start) {
        reading.failed = true;
        this.#context.logger.error({ error, channel, cursor: view.cursor }, 'A message cannot be encoded');
      }
      return false;
    }
  }

  #fetch(source: Source, from: number, to: number, mode: ReadMode): ReturnType<LogReader['read']> {
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

  #gap(reason: GapReason, from: Place, sourceIndex: number, to: number): Chunk {
    const end = from.map((offset, i) => (i === sourceIndex ? to : offset));
    const gap = { reason, cursor: placeCursor(end, this.#sources) };
    return {
      bytes: this.#context.writer.gap(gap, this.#encoder),
      messages: 0,
      end,
      gap: reason,
      conflated: 0,
    };
  }
}

/** Offsets, `to` exclusive. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** How far the reading of one source has come. */
class Reading {
  readonly source: Source;
  readonly cursorBefore: string;
  readonly cursorAfter: string;
  readonly start: number;
  /** The offset to read on from. */
  end: number;
  /** The message at the start cannot be encoded. */
  failed = false;
  /** The control record at which the reading stopped before it had found any message. */
  control: readonly [batch: RecordBatch, index: number] | null = null;

  constructor(source: Source, [cursorBefore, cursorAfter]: readonly [string, string], range: Range) {
    this.source = source;
    this.cursorBefore = cursorBefore;
    this.cursorAfter = cursorAfter;
    this.start = range.from;
    this.end = range.to;
  }

  /** A control record is a chunk of its own: it ends the one with the messages before it. */
  meetControl(batch: RecordBatch, index: number, messagesBefore: number): void {
    if (messagesBefore === 0) this.control = [batch, index];
    this.end = messagesBefore === 0 ? batch.offset(index) + 1 : batch.offset(index);
  }
}

/**
 * Calls `found` for each record of the range that the source wants, in order, until it returns false. Control records are among them if
 * they are taken.
 */
function forEachWanted(
  source: Source,
  batches: readonly RecordBatch[],
  range: Range,
  controls: 'taken' | 'skipped',
  found: (batch: RecordBatch, index: number) => boolean,
): void {
  for (const batch of batches) {
    let goesOn = true;
    source.selector.forEach(batch, batch.lowerBound(range.from), (index) => {
      if (batch.offset(index) >= range.to) goesOn = false;
      else if (controls === 'taken' || (batch.flags(index) & RECORD_CONTROL) === 0)
        goesOn = found(batch, index);
      return goesOn;
    });
    if (!goesOn) return;
  }
}
