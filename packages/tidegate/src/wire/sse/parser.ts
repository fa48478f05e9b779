import { Buffer } from 'node:buffer';
import { EMPTY, TidegateError } from '../../kernel/index.ts';
import { BASE64_MARK } from './event-writer.ts';

/** An event as a client dispatches it. */
export interface SseEvent {
  /** The event name; `message` if the stream gave none. */
  readonly name: string;
  /** The last id that the stream gave, by this event or before it; empty if none. */
  readonly lastEventId: string;
  readonly data: string;
}

/** What a parser tells. */
export interface SseReceiver {
  event(event: SseEvent): void;
  /** The server asks for this time between reconnections, in milliseconds. */
  retry?(delayMs: number): void;
  comment?(text: string): void;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Reads an event stream from bytes as they arrive, in any slices, as the HTML standard, section 9.2.6, says. An event that the
 * stream's end cuts short is not told.
 */
export class SseParser {
  readonly #receiver: SseReceiver;
  readonly #eventBytesMax: number;
  /** The beginning of a line whose end has not arrived. */
  #rest: Buffer = EMPTY;
  #atStart = true;
  /** The last byte was CR: a LF that follows belongs to the same line end. */
  #afterCarriageReturn = false;
  #name = '';
  #data: string[] = [];
  #dataBytes = 0;
  #lastEventId: string;

  /**
   * @param eventBytesMax what one event may hold in memory
   * @param lastEventId the id that a resumed stream goes on from
   */
  constructor(receiver: SseReceiver, eventBytesMax: number, lastEventId = '') {
    this.#receiver = receiver;
    this.#eventBytesMax = eventBytesMax;
    this.#lastEventId = lastEventId;
  }

  /** What to send as Last-Event-ID when reconnecting. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** Takes the next bytes. @throws TidegateError body_too_large, upon which the stream cannot be read on */
  push(bytes: Uint8Array): void {
    let lineStart = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte > CARRIAGE_RETURN) {
        this.#afterCarriageReturn = false;
        continue;
      }
      if (byte === LINE_FEED && this.#afterCarriageReturn) {
        this.#afterCarriageReturn = false;
        lineStart = at + 1;
        continue;
      }
      this.#afterCarriageReturn = byte === CARRIAGE_RETURN;
      if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) continue;
      this.#line(this.#complete(bytes, lineStart, at));
      lineStart = at + 1;
    }
    if (lineStart < bytes.length) {
      this.#limit(this.#rest.length + bytes.length - lineStart);
      this.#rest = Buffer.concat([this.#rest, bytes.subarray(lineStart)]);
    }
  }

  #complete(bytes: Uint8Array, start: number, end: number): string {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    if (this.#rest.length === 0) return view.toString('utf8');
    const line = Buffer.concat([this.#rest, view]).toString('utf8');
    this.#rest = EMPTY;
    return line;
  }

  #line(text: string): void {
    let line = text;
    if (this.#atStart) {
      this.#atStart = false;
      if (line.startsWith(BYTE_ORDER_MARK)) line = line.slice(1);
    }
    if (line === '') {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.#receiver.comment?.(line.slice(line[1] === ' ' ? 2 : 1));
      return;
    }
    if (colon === -1) this.#field(line, '');
    else this.#field(line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1));
  }

  #field(name: string, value: string): void {
    switch (name) {
      case 'event':
        this.#name = value;
        break;
      case 'data':
        this.#dataBytes += value.length + 1;
        this.#limit(this.#dataBytes);
        this.#data.push(value);
        break;
      case 'id':
        if (!value.includes('\0')) this.#lastEventId = value;
        break;
      case 'retry':
        if (/^[0-9]+$/.test(value)) this.#receiver.retry?.(Number(value));
        break;
    }
  }

  #dispatch(): void {
    const name = this.#name;
    const lines = this.#data;
    this.#name = '';
    this.#data = [];
    this.#dataBytes = 0;
    if (lines.length === 0) return;
    this.#receiver.event({
      name: name === '' ? 'message' : name,
      lastEventId: this.#lastEventId,
      data: lines.join('\n'),
    });
  }

  #limit(bytes: number): void {
    if (bytes <= this.#eventBytesMax) return;
    throw new TidegateError(
      'body_too_large',
      `An event of the stream has more than ${this.#eventBytesMax} bytes`,
    );
  }
}

/** The data as it was published: decoded, if the event's name marks it as base64. */
export function sseEventBytes(event: SseEvent): Buffer {
  const marked = event.name === BASE64_MARK || event.name.endsWith(`;${BASE64_MARK}`);
  return Buffer.from(event.data, marked ? 'base64' : 'utf8');
}
