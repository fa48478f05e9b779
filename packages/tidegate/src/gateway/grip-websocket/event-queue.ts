import { Buffer } from 'node:buffer';
import type { WebSocketEvent } from '../../wire/grip/index.ts';

/** What an event takes beside its content, roughly. */
const EVENT_BYTES = 16;

/** What has been sent of a queue, and waits for the origin's word. */
interface Sent {
  readonly events: number;
  readonly contentBytes: number;
}

/** Events of a client in order, until the origin has accepted them. */
export class EventQueue {
  #events: WebSocketEvent[] = [];
  #bytes = 0;
  #sent: Sent | null = null;
  /** Bytes of content at the beginning that the origin has seen and not accepted. */
  #seenBytes = 0;

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  get count(): number {
    return this.#events.length;
  }

  /** All that is held, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of content at the beginning of what `send` gives that the origin was sent before. */
  get seenBytes(): number {
    return this.#seenBytes;
  }

  push(event: WebSocketEvent): void {
    this.#events.push(event);
    this.#bytes += EVENT_BYTES + contentBytesOf(event);
  }

  /** Gives out all that there is. It stays until `accepted` is called. */
  send(): readonly WebSocketEvent[] {
    const events = this.#events.slice();
    this.#sent = { events: events.length, contentBytes: sum(events) };
    return events;
  }

  /**
   * Drops what the origin has accepted: whole events from the beginning with at most so many bytes of content, or all that were sent. Returns how many
   * events are left of those that were sent.
   */
  accepted(contentBytes: number | null): number {
    const sent = this.#sent;
    this.#sent = null;
    if (sent === null) return 0;
    let left = contentBytes ?? sent.contentBytes;
    let count = 0;
    for (; count < sent.events; count++) {
      const size = contentBytesOf(this.#events[count]);
      if (size > left) break;
      left -= size;
      this.#bytes -= EVENT_BYTES + size;
    }
    this.#events.splice(0, count);
    this.#seenBytes = sum(this.#events.slice(0, sent.events - count));
    return sent.events - count;
  }

  clear(): void {
    this.#events = [];
    this.#bytes = 0;
    this.#seenBytes = 0;
    this.#sent = null;
  }
}

function contentBytesOf(event: WebSocketEvent): number {
  if ('content' in event) return event.content.length;
  if (event.type !== 'CLOSE' || event.code === null) return 0;
  return 2 + Buffer.byteLength(event.reason);
}

function sum(events: readonly WebSocketEvent[]): number {
  let bytes = 0;
  for (const event of events) bytes += contentBytesOf(event);
  return bytes;
}
