import type { Limits } from '../kernel/index.ts';
import { type LogReader, RECORD_CONTROL, type Topic } from '../log/index.ts';
import { type CursorPart, decodeCursor } from './cursor.ts';
import type { Place } from './place.ts';
import type { GapReason, StartPosition } from './port.ts';
import type { Source } from './source.ts';

/** Where a subscription begins, and what is missing before it. */
export interface StartPlace {
  readonly place: Place;
  readonly gap: GapReason | null;
}

/**
 * Turns `from` into offsets.
 * @throws TidegateError position_invalid
 */
export function resolveStart(
  sources: readonly Source[],
  from: StartPosition,
  log: LogReader,
  limits: Limits,
): StartPlace {
  switch (from.kind) {
    case 'latest':
      return { place: sources.map((source) => endOf(source, log)), gap: null };
    case 'earliest':
      return { place: sources.map((source) => startOf(source, log)), gap: null };
    case 'time':
      return {
        place: sources.map((source) =>
          within(source, log, log.offsetAtTime(source.topic.name, source.partition, from.timeMs)),
        ),
        gap: null,
      };
    case 'last':
      return { place: placeOfLast(sources, from.count, from.before, log), gap: null };
    case 'cursor':
      return placeOfCursor(sources, decodeCursor(from.cursor, limits), log);
    case 'offset':
      return placeOfOffset(sources, from.epoch, from.offset, log);
  }
}

/**
 * From where on control records are told. Those that were stored before concern others.
 * @param cursor of the subscription whose place is taken; undefined if there is none
 */
export function resolveControls(
  sources: readonly Source[],
  cursor: string | undefined,
  log: LogReader,
  limits: Limits,
): Place {
  if (cursor !== undefined) {
    const { place, gap } = placeOfCursor(sources, decodeCursor(cursor, limits), log);
    if (gap === null) return place;
  }
  return sources.map((source) => endOf(source, log));
}

/** A position without a topic's name fits only what reads one partition. */
function placeOfOffset(
  sources: readonly Source[],
  epoch: string,
  offset: number,
  log: LogReader,
): StartPlace {
  if (sources.length !== 1) {
    return { place: sources.map((source) => endOf(source, log)), gap: 'other_channel' };
  }
  const [{ topic, partition }] = sources;
  const offsets = new Map([[partition, offset]]);
  return placeOfCursor(
    sources,
    [{ topic: topic.name, epoch: epoch === '' ? topic.epoch : epoch, offsets }],
    log,
  );
}

function startOf(source: Source, log: LogReader): number {
  const { start } = log.bounds(source.topic.name, source.partition);
  return source.barrier === null ? start : Math.min(start, source.barrier);
}

function endOf(source: Source, log: LogReader): number {
  const { end } = log.bounds(source.topic.name, source.partition);
  return source.barrier === null ? end : Math.min(end, source.barrier);
}

function within(source: Source, log: LogReader, offset: number): number {
  return Math.min(Math.max(offset, startOf(source, log)), endOf(source, log));
}

/** The most records that are looked at for the last N of a pattern or of several channels, over all partitions. */
const LAST_SCAN_RECORDS_MAX = 1_000_000;

/**
 * The last N messages over all sources. Each source gives its own last N, and of these the N latest by time
 * are kept; older sources end where newer begin, so that time orders them too.
 */
function placeOfLast(
  sources: readonly Source[],
  count: number,
  before: number | undefined,
  log: LogReader,
): Place {
  if (count === 0) return sources.map((source) => endOf(source, log));
  const [only] = sources;
  // Here the log knows the place by itself, however large the count is.
  if (sources.length === 1 && isExact(only)) {
    return [offsetOfLast(only, count, log, Math.min(before ?? endOf(only, log), endOf(only, log)))];
  }
  const scanMax = Math.ceil(LAST_SCAN_RECORDS_MAX / sources.length);
  const perSource = sources.map((source) => lastOf(source, Math.min(count, scanMax), scanMax, log));
  const kept = perSource
    .flatMap((list, index) => list.map((entry) => ({ ...entry, index })))
    .sort((a, b) => b.timestampMs - a.timestampMs || b.index - a.index || b.offset - a.offset)
    .slice(0, count);
  const place = sources.map((source) => endOf(source, log));
  for (const { index, offset } of kept) place[index] = Math.min(place[index], offset);
  return place;
}

interface Found {
  readonly offset: number;
  readonly timestampMs: number;
}

/** Whether the log can count the wanted records of a source. */
function isExact({ selector }: Source): boolean {
  return selector.onlyKey !== undefined || selector.all;
}

/** Where the last `count` records that may be wanted begin. */
function offsetOfLast(source: Source, count: number, log: LogReader, before = endOf(source, log)): number {
  const { topic, partition, selector } = source;
  const offset = log.offsetOfLast(topic.name, partition, count, selector.onlyKey, before);
  return Math.max(startOf(source, log), offset);
}

/** The last `count` wanted records of one source, in order; fewer if more than `scanMax` would have to be looked at. */
function lastOf(source: Source, count: number, scanMax: number, log: LogReader): readonly Found[] {
  const start = startOf(source, log);
  // For a pattern the share of wanted records is unknown: look at more and more until there are enough.
  for (let asked = count; ; asked = Math.min(asked * 8, scanMax)) {
    const from = offsetOfLast(source, asked, log);
    const found = collect(source, from, endOf(source, log), log);
    if (isExact(source) || found.length >= count || from <= start || asked >= scanMax)
      return found.slice(-count);
  }
}

function collect(source: Source, from: number, to: number, log: LogReader): readonly Found[] {
  const { topic, partition, selector } = source;
  const found: Found[] = [];
  const key = selector.onlyKey;
  for (let at = from; at < to; ) {
    const request = { topic: topic.name, partition, from: at, to, bytesMax: 1 << 20 };
    const { batches, next } = log.read(key === undefined ? request : { ...request, key });
    for (const batch of batches) {
      selector.forEach(batch, batch.lowerBound(at), (index) => {
        const offset = batch.offset(index);
        if (offset >= to) return false;
        if ((batch.flags(index) & RECORD_CONTROL) === 0)
          found.push({ offset, timestampMs: batch.timestampMs(index) });
        return true;
      });
    }
    if (next <= at) break;
    at = next;
  }
  return found;
}

function placeOfCursor(sources: readonly Source[], parts: readonly CursorPart[], log: LogReader): StartPlace {
  const partOf = new Map(parts.map((part) => [part.topic, part]));
  let gap: GapReason | null = null;
  const place = sources.map((source) => {
    const { topic, partition, barrier } = source;
    const part = partOf.get(topic.name);
    const offset = part?.offsets.get(partition);
    if (part === undefined || offset === undefined) {
      // Storage that the cursor no longer names was read to its barrier.
      if (barrier !== null)
        return sources.some((other) => partOf.has(other.topic.name)) ? barrier : startOf(source, log);
      if (isYounger(topic, parts)) return youngTopicStart(source, log);
      gap ??= 'other_channel';
      return startOf(source, log);
    }
    if (part.epoch !== topic.epoch) {
      gap = 'other_epoch';
      return startOf(source, log);
    }
    const { start, end } = log.bounds(topic.name, partition);
    if (barrier !== null && offset >= barrier) return barrier;
    if (offset < start) {
      gap ??= 'below_retention';
      return startOf(source, log);
    }
    if (offset > end) {
      gap ??= 'beyond_end';
      return startOf(source, log);
    }
    return offset;
  });
  return { place, gap };

  function youngTopicStart(source: Source, within: LogReader): number {
    const { start } = within.bounds(source.topic.name, source.partition);
    if (start > 0 || olderRecordsDropped(source.topic, parts, sources)) gap ??= 'below_retention';
    return start;
  }
}

/** Whether a topic was declared after the cursor was given out, so that all its records are new to the cursor's holder. */
function isYounger(topic: Topic, parts: readonly CursorPart[]): boolean {
  return parts.some((part) => {
    const barrier = topic.barrier[part.topic];
    if (barrier === undefined || barrier.epoch !== part.epoch) return false;
    return [...part.offsets].every(([partition, offset]) => offset <= (barrier.ends[partition] ?? 0));
  });
}

/** Whether older storage still had records for the cursor's holder, and keeps them no longer. */
function olderRecordsDropped(
  topic: Topic,
  parts: readonly CursorPart[],
  sources: readonly Source[],
): boolean {
  return parts.some((part) => {
    if (sources.some((source) => source.topic.name === part.topic)) return false;
    const ends = topic.barrier[part.topic]?.ends ?? [];
    return [...part.offsets].some(([partition, offset]) => offset < (ends[partition] ?? 0));
  });
}
