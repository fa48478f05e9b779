import {
  decodeHeaders,
  findHeader,
  RECORD_JSON,
  RECORD_NULL,
  RECORD_UTF8,
  type RecordBatch,
} from '../log/index.ts';
import type { Message } from './port.ts';

const NO_BYTES = new Uint8Array(0);

/** The header of a record that holds an event's renderings. No attribute is called like that (CloudEvents 1.0, section "Naming Conventions"). */
export const RENDERINGS_HEADER = '_renderings';

/** The id of an event that was published without one: its position, which no other event has. */
export function positionId(epoch: string, partition: number, offset: number): string {
  return `${epoch}-${partition}-${offset}`;
}

/** The one Message of a hub, set to one record after another: delivering allocates nothing per message. */
export class MessageView implements Message {
  channel = '';
  bytes: Uint8Array = NO_BYTES;
  #batch: RecordBatch | null = null;
  #index = 0;
  #epoch = '';
  #cursorBefore = '';
  #cursorAfter = '';

  /**
   * Turns the view to the record at `index`. Its cursor is the offset after the record between `cursorBefore` and
   * `cursorAfter`, so that the text is only made if somebody asks.
   */
  set(
    batch: RecordBatch,
    index: number,
    channel: string,
    epoch: string,
    cursorBefore: string,
    cursorAfter: string,
  ): void {
    this.#batch = batch;
    this.#index = index;
    this.bytes = batch.bytes;
    this.channel = channel;
    this.#epoch = epoch;
    this.#cursorBefore = cursorBefore;
    this.#cursorAfter = cursorAfter;
  }

  get #current(): RecordBatch {
    return this.#batch as RecordBatch;
  }

  get cursor(): string {
    return `${this.#cursorBefore}${this.#current.offset(this.#index) + 1}${this.#cursorAfter}`;
  }

  get offset(): number {
    return this.#current.offset(this.#index);
  }

  get id(): string {
    const batch = this.#current;
    return this.attribute('id') ?? positionId(this.#epoch, batch.partition, batch.offset(this.#index));
  }

  get timestampMs(): number {
    return this.#current.timestampMs(this.#index);
  }

  get dataKind(): 'binary' | 'text' | 'json' {
    const flags = this.#current.flags(this.#index);
    if ((flags & RECORD_JSON) !== 0) return 'json';
    return (flags & RECORD_UTF8) !== 0 ? 'text' : 'binary';
  }

  get hasData(): boolean {
    return (this.#current.flags(this.#index) & RECORD_NULL) === 0;
  }

  get dataStart(): number {
    return this.#current.dataStart(this.#index);
  }

  get dataEnd(): number {
    return this.#current.dataEnd(this.#index);
  }

  attribute(name: string): string | undefined {
    const batch = this.#current;
    const start = batch.headersStart(this.#index);
    const end = batch.headersEnd(this.#index);
    return start === end ? undefined : findHeader(batch.bytes, start, end, name);
  }

  get renderings(): string | undefined {
    return this.attribute(RENDERINGS_HEADER);
  }

  attributes(): readonly (readonly [name: string, value: string])[] {
    const batch = this.#current;
    const start = batch.headersStart(this.#index);
    const end = batch.headersEnd(this.#index);
    if (start === end) return [];
    const all = decodeHeaders(batch.bytes, start, end);
    return all.some(([name]) => name === RENDERINGS_HEADER)
      ? all.filter(([name]) => name !== RENDERINGS_HEADER)
      : all;
  }
}
