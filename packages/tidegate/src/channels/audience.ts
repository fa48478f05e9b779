import { Buffer } from 'node:buffer';
import type { Counter } from '../kernel/index.ts';
import type { RecordBatch } from '../log/index.ts';
import { type Chunk, controlChunk, EncodedTail } from './chunk.ts';
import { ChunkReader, type ReaderContext } from './chunk-reader.ts';
import { FlushWriter } from './flush-writer.ts';
import { LiveMembers } from './live-members.ts';
import type { Member } from './member.ts';
import { cursorAround, isLive, livePlace, type Place, placeCursor, placeKey } from './place.ts';
import type { FrameEncoder, GapReason } from './port.ts';
import type { Run } from './run.ts';
import type { PartitionProgress, Source } from './source.ts';
import type { TailBudget } from './tail-budget.ts';

/** What an audience needs of its hub. */
export interface AudienceContext extends ReaderContext {
  readonly tailBytesMax: number;
  readonly tailBudget: TailBudget;
  readonly monotonicMs: () => number;
  /** Writers that no run is using. */
  readonly spareWriters: FlushWriter[];
}

/** Writers that are kept for runs to come: as many as channels are under way at once on a busy server. */
const SPARE_WRITERS_MAX = 8192;

/** The counters of one protocol. */
export interface DeliveryCounters {
  readonly messages: Counter;
  readonly bytes: Counter;
  readonly gaps: Counter;
  readonly conflated: Counter;
}

/**
 * All subscribers that want the same messages in the same bytes. What arrives is encoded once, in chunks that all of them are handed.
 * Those that keep pace are `live`; the others stand at a place of their own and are led back by `chunkAt`.
 */
export class Audience {
  readonly key: string;
  readonly sources: readonly Source[];
  readonly encoder: FrameEncoder;
  readonly counters: DeliveryCounters;
  readonly live = new LiveMembers();
  /** How many members wait for their transport to drain. They take chunks from the tail soon. */
  waiting = 0;
  /** All members, whatever their state. */
  size = 0;
  /** When live members were last sent anything, on the monotonic clock. */
  lastSentMs: number;
  /** A mark of the dispatcher's, so that an audience takes a record once although several of its patterns match. */
  mark = 0;
  readonly #context: AudienceContext;
  readonly #tail: EncodedTail;
  readonly #reader: ChunkReader;
  /** Where the newest chunk ended, if what lies between it and the live place is of no interest to this audience. */
  #newestEnd: Place | null = null;
  #run: Run | null = null;
  #cursorTold = '';
  #cursorToTell = '';

  constructor(
    key: string,
    sources: readonly Source[],
    encoder: FrameEncoder,
    counters: DeliveryCounters,
    context: AudienceContext,
  ) {
    this.key = key;
    this.sources = sources;
    this.encoder = encoder;
    this.counters = counters;
    this.#context = context;
    this.#tail = new EncodedTail(context.tailBytesMax, context.tailBudget);
    this.#reader = new ChunkReader(sources, encoder, context);
    this.lastSentMs = context.monotonicMs();
  }

  /** Whether new records are worth encoding: who catches up from further behind reads them from the log. */
  get attentive(): boolean {
    return this.live.count > 0 || this.waiting > 0;
  }

  get protocol(): string {
    return this.key.slice(0, this.key.indexOf('\n'));
  }

  /** The channels and patterns, as in the key. */
  get channels(): readonly string[] {
    return this.key.split('\n').slice(2);
  }

  /** The place after what a live member was handed. */
  placeOf(member: Member): Place {
    return this.live.placeInDelivery(member) ?? this.#run?.handed ?? livePlace(this.sources);
  }

  isLive(place: Place): boolean {
    return isLive(place, this.sources);
  }

  /** Whether nothing that this audience wants has come since a place. */
  isCurrent(place: Place): boolean {
    return this.isLive(place) || (this.#newestEnd !== null && placeKey(this.#newestEnd) === placeKey(place));
  }

  cursor(place: Place): string {
    return placeCursor(place, this.sources);
  }

  /** Whether the dispatcher is handing over records of a partition. */
  get inRun(): boolean {
    return this.#run !== null;
  }

  /** Begins to take new records of one partition, whose progress still tells where the last run ended. */
  beginRun(progress: PartitionProgress): void {
    const place = livePlace(this.sources);
    const index = this.sources.findIndex((source) => source.progress === progress && source.barrier === null);
    const [cursorBefore, cursorAfter] = cursorAround(place, this.sources, index);
    const { topic } = this.sources[index];
    this.#run = {
      start: this.#newestEnd ?? place,
      handed: place,
      index,
      epoch: topic.epoch,
      cursorBefore,
      cursorAfter,
      next: 0,
      writer: this.#context.spareWriters.pop() ?? new FlushWriter(),
    };
  }

  /** Encodes the record that the batch has at `index`. */
  record(batch: RecordBatch, index: number, channel: string): void {
    const run = this.#run as Run;
    const { view, flushBytesMax } = this.#context;
    view.set(batch, index, channel, run.epoch, run.cursorBefore, run.cursorAfter);
    run.writer.message(view, this.encoder);
    run.next = batch.offset(index) + 1;
    if (run.writer.bytes >= flushBytesMax) this.#seal(run, this.#placeInRun(run));
  }

  /** Tells of the control record that the batch has at `index`, if the encoder's subscribers take those. */
  control(batch: RecordBatch, index: number): void {
    if (this.encoder.controls !== 'taken') return;
    const run = this.#run as Run;
    if (run.writer.messages > 0) this.#seal(run, this.#placeInRun(run));
    run.next = batch.offset(index) + 1;
    this.#add(run, controlChunk(batch, index, this.#placeInRun(run)));
  }

  /** Tells that the partition's records before `next` are not there. */
  gap(reason: GapReason, next: number): void {
    const run = this.#run as Run;
    if (run.writer.messages > 0) this.#seal(run, this.#placeInRun(run));
    run.next = next;
    const end = this.#placeInRun(run);
    this.#add(run, { bytes: this.encodeGap(reason, end), messages: 0, end, gap: reason, conflated: 0 });
  }

  /** The partition's progress has been moved on: hands over what is left. */
  endRun(): void {
    const run = this.#run as Run;
    if (run.writer.messages > 0) this.#seal(run, livePlace(this.sources));
    this.#newestEnd = run.start;
    this.#leaveRun(run);
  }

  /** New records were not encoded, so that the tail has a hole. */
  skipRun(): void {
    this.#newestEnd = null;
  }

  /**
   * Something failed in the midst of a run, or of beginning one: the live members go on from what they were handed, by reading the
   * log. To be called before the partition's progress is moved on.
   */
  fallBack(): void {
    const run = this.#run;
    const place = run?.handed ?? livePlace(this.sources);
    if (run !== null) {
      run.writer.reset();
      this.#leaveRun(run);
    }
    this.skipRun();
    for (const member of this.live.takeAll()) member.fallBack(place);
  }

  #leaveRun(run: Run): void {
    const { spareWriters } = this.#context;
    if (spareWriters.length < SPARE_WRITERS_MAX) spareWriters.push(run.writer);
    this.#run = null;
  }

  #placeInRun(run: Run): Place {
    return livePlace(this.sources).map((offset, i) => (i === run.index ? run.next : offset));
  }

  #seal(run: Run, end: Place): void {
    const { messages } = run.writer;
    this.#add(run, { bytes: run.writer.take(this.encoder), messages, end, gap: null, conflated: 0 });
  }

  #add(run: Run, chunk: Chunk): void {
    // Whoever is behind finds a control record in the log.
    if (chunk.control === undefined) this.#tail.add(placeKey(run.start), chunk);
    run.start = chunk.end;
    this.#deliver(chunk, 0, this.live.count);
    run.handed = chunk.end;
    this.lastSentMs = this.#context.monotonicMs();
    // Whoever got this holds a later cursor.
    this.#cursorToTell = '';
  }

  #deliver(chunk: Chunk, from: number, to: number): void {
    this.#count(chunk, this.live.deliver(chunk, from, to));
  }

  #count(chunk: Chunk, members: number): void {
    this.counters.messages.add(chunk.messages * members);
    this.counters.bytes.add(chunk.bytes.length * members);
    if (chunk.gap !== null) this.counters.gaps.add(members);
    if (chunk.conflated > 0) this.counters.conflated.add(chunk.conflated);
  }

  /** Counts a chunk that was handed to one member that catches up. */
  countOne(chunk: Chunk): void {
    this.#count(chunk, 1);
  }

  /**
   * Sends a keep-alive to the live members from index `from` up to `to`; with the cursor, if it moved since all of them
   * were told.
   */
  keepAlive(from: number, to: number): void {
    const end = livePlace(this.sources);
    if (from === 0) {
      this.lastSentMs = this.#context.monotonicMs();
      const cursor = this.cursor(end);
      this.#cursorToTell = cursor === this.#cursorTold ? '' : cursor;
      this.#cursorTold = cursor;
      // A silent channel needs no tail: whoever falls behind from now on stands at its end.
      if (this.waiting === 0) this.#tail.clear();
    }
    const bytes = this.#context.writer.keepAlive(this.#cursorToTell, this.encoder);
    if (bytes.length > 0) this.#deliver({ bytes, messages: 0, end, gap: null, conflated: 0 }, from, to);
  }

  addLive(member: Member): void {
    // A newcomer may hold an older cursor than the others.
    this.#cursorTold = '';
    this.live.add(member);
  }

  /** The chunk that follows a place: shared if anybody asked for it lately, else read from the log. */
  chunkAt(place: Place): Chunk {
    const key = placeKey(place);
    const shared = this.#tail.get(key);
    if (shared === undefined) {
      const chunk = this.#reader.read(place, 'all');
      // Nobody would share it with a single subscriber.
      if (chunk.bytes.length > 0 && this.size > 1) this.#tail.add(key, chunk);
      return chunk;
    }
    const following = this.#tail.get(placeKey(shared.end));
    if (following === undefined || shared.gap !== null || following.gap !== null) return shared;
    if (shared.bytes.length + following.bytes.length > this.#context.flushBytesMax) return shared;
    // Small chunks in a row become one, so that whoever is behind takes larger steps than those in front.
    const merged: Chunk = {
      bytes: Buffer.concat([shared.bytes, following.bytes]),
      messages: shared.messages + following.messages,
      end: following.end,
      gap: null,
      conflated: 0,
    };
    this.#tail.add(key, merged);
    return merged;
  }

  /** What follows a place, reduced to the latest message of each channel. */
  conflatedChunkAt(place: Place): Chunk {
    return this.#reader.read(place, 'latest per key');
  }

  /** Whether the tail still holds what follows a place. */
  isInTail(place: Place): boolean {
    return this.#tail.get(placeKey(place)) !== undefined;
  }

  /** The bytes that tell of a gap after which reading goes on at `place`. */
  encodeGap(reason: GapReason, place: Place): Buffer {
    return this.#context.writer.gap({ reason, cursor: this.cursor(place) }, this.encoder);
  }

  /** Releases the tail; the audience is not used any more. */
  dismiss(): void {
    this.#tail.clear();
  }
}
