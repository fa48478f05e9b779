import { type Limits, TidegateError } from '../kernel/index.ts';

/**
 * A cursor names, for every partition that a subscription reads, the next offset to read. An offset alone would lie after a
 * topic was deleted and created anew: offset 17 of the new topic is another record. So each topic's part carries the
 * topic's epoch.
 *
 *   cursor = part *( "~~" part )
 *   part   = topic "~" epoch 1*( "~" partition "~" offset )
 *
 * `~` occurs neither in topic names nor in epochs, and all characters are unreserved in URLs (RFC 3986, section 2.3).
 */
export interface CursorPart {
  readonly topic: string;
  readonly epoch: string;
  /** Partition to next offset. */
  readonly offsets: ReadonlyMap<number, number>;
}

const CURSOR =
  /^[A-Za-z0-9._-]+~[A-Za-z0-9]+(~[0-9]{1,5}~[0-9]{1,16})+(~~[A-Za-z0-9._-]+~[A-Za-z0-9]+(~[0-9]{1,5}~[0-9]{1,16})+)*$/;

/** Whether a text has the form of a cursor. */
export function looksLikeCursor(text: string): boolean {
  return CURSOR.test(text);
}

/**
 * Reads a cursor that a client sent.
 * @throws TidegateError position_invalid
 */
export function decodeCursor(cursor: string, limits: Limits): readonly CursorPart[] {
  if (cursor.length > limits.cursorBytesMax || !looksLikeCursor(cursor)) {
    throw new TidegateError('position_invalid', 'The cursor is not one that this server gave out');
  }
  return cursor.split('~~').map((part) => {
    const fields = part.split('~');
    const offsets = new Map<number, number>();
    for (let i = 2; i < fields.length; i += 2) {
      const offset = Number(fields[i + 1]);
      if (!Number.isSafeInteger(offset)) {
        throw new TidegateError('position_invalid', 'The cursor is not one that this server gave out');
      }
      offsets.set(Number(fields[i]), offset);
    }
    return { topic: fields[0], epoch: fields[1], offsets };
  });
}

/** Writes a cursor; the parts in the order given, and none may be empty. */
export function encodeCursor(parts: readonly CursorPart[]): string {
  let cursor = '';
  for (const part of parts) {
    if (cursor !== '') cursor += '~~';
    cursor += `${part.topic}~${part.epoch}`;
    for (const [partition, offset] of part.offsets) cursor += `~${partition}~${offset}`;
  }
  return cursor;
}

/** The cursor of one partition, without going through parts. */
export function partitionCursor(topic: string, epoch: string, partition: number, offset: number): string {
  return `${topic}~${epoch}~${partition}~${offset}`;
}

/** The cursor of a subscription that reads one partition, as protocols have it that know no cursors. */
export interface StreamPosition {
  readonly epoch: string;
  /** The next offset to read. */
  readonly offset: number;
}

const SINGLE = /^[A-Za-z0-9._-]+~([A-Za-z0-9]+)~[0-9]{1,5}~([0-9]{1,16})$/;

/** The position that a cursor names; null if it names several partitions. */
export function singlePosition(cursor: string): StreamPosition | null {
  const fields = SINGLE.exec(cursor);
  return fields === null ? null : { epoch: fields[1], offset: Number(fields[2]) };
}
