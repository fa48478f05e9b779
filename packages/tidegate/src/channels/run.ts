import type { FlushWriter } from './flush-writer.ts';
import type { Place } from './place.ts';

/** New records of one partition that are being handed to one audience. */
export interface Run {
  /** Where the next chunk begins. */
  start: Place;
  /** The place after the last chunk that all live members were handed. */
  handed: Place;
  /** The partition's index among the audience's sources. */
  readonly index: number;
  readonly epoch: string;
  readonly cursorBefore: string;
  readonly cursorAfter: string;
  /** The offset after the last message that was encoded. */
  next: number;
  /** Holds the messages since the last chunk. */
  readonly writer: FlushWriter;
}
