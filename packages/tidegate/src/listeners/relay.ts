import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { type HoldsWrites, holdWrites } from '../kernel/index.ts';
import { chunkHeader, isWithoutContent, LAST_CHUNK } from '../wire/http1/index.ts';
import type { RelayedBody, RelayedHead, RelayOwner } from './port.ts';

/** How the body of a relayed response is framed on HTTP/1; `none` has no body, whatever is written. */
export type RelayFraming = 'none' | 'length' | 'chunked' | 'close';

/** How the body of a response to a request is framed. */
export function relayFraming(
  { status, bodyBytes }: RelayedHead,
  { method, minorVersion }: { readonly method: string; readonly minorVersion: number },
): RelayFraming {
  if (method === 'HEAD' || isWithoutContent(status)) return 'none';
  if (bodyBytes !== null) return 'length';
  return minorVersion === 0 ? 'close' : 'chunked';
}

/** Up to so many bytes, copying a piece behind what goes before it costs less than handing over both. */
const COPIED_BYTES_MAX = 32 * 1024;

const LINE_END = Buffer.from('\r\n', 'latin1');

/** What a relay needs of the turn that it is the answer of. */
export interface RelayTurn {
  readonly socket: Socket;
  /** Sends all of a response, at the latest before anything else is sent. */
  sendWhole(response: Buffer): void;
  /** Sends what waits to be sent. */
  sendHeld(): void;
  /** The response has ended, whole. */
  relayed(): void;
}

/**
 * The response of another server on its way to a client of HTTP/1. The head waits for the body that comes in the same run of code, so that
 * a small answer is one write, and so one system call.
 */
export class Relay implements RelayedBody, HoldsWrites {
  readonly #turn: RelayTurn;
  readonly #owner: RelayOwner;
  readonly #framing: RelayFraming;
  readonly #bodyBytes: number | null;
  #head: string;
  #ended = false;
  #behind = false;
  #heardEnd = false;

  /** @param bodyBytes null if it is not known */
  constructor(
    head: string,
    framing: RelayFraming,
    bodyBytes: number | null,
    owner: RelayOwner,
    turn: RelayTurn,
  ) {
    this.#head = head;
    this.#framing = framing;
    this.#bodyBytes = bodyBytes;
    this.#owner = owner;
    this.#turn = turn;
    queueMicrotask(() => this.#flushHead());
  }

  write(slice: Buffer): boolean {
    const { socket } = this.#turn;
    if (this.#ended || socket.destroyed) return false;
    if (this.#framing === 'none' || slice.length === 0) return !this.#behind;
    const lead = this.#framing === 'chunked' ? this.#head + chunkHeader(slice.length) : this.#head;
    this.#head = '';
    this.#send(lead, slice);
    if (!socket.writableNeedDrain || socket.writableLength === 0) return true;
    this.#behind = true;
    return false;
  }

  end(trailers: readonly string[] = []): void {
    if (this.#ended) return;
    this.#ended = true;
    const { socket } = this.#turn;
    const head = this.#head;
    this.#head = '';
    if (this.#framing !== 'chunked') {
      if (head !== '') socket.write(head, 'latin1');
    } else if (head === '' && trailers.length === 0) {
      socket.write(LAST_CHUNK);
    } else {
      socket.write(`${head}0\r\n${fieldLines(trailers)}\r\n`, 'latin1');
    }
    this.#turn.relayed();
  }

  /** Only by its closing can a connection of HTTP/1 tell that a body is not complete (RFC 9112, section 8). */
  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { socket } = this.#turn;
    // What was relayed is the client's; a reset would take from it what it has not read yet. A body that ends with the connection must be reset.
    if (this.#framing === 'close') socket.resetAndDestroy();
    else {
      this.#turn.sendHeld();
      this.#flushHead();
      socket.destroySoon();
    }
  }

  sendHeld(): void {
    this.#turn.socket.uncork();
  }

  /** The socket has sent what it held. */
  drained(): void {
    if (!this.#behind) return;
    this.#behind = false;
    if (!this.#ended) this.#owner.drained();
  }

  /** The client has half-closed. */
  receivedEnd(): void {
    if (this.#ended || this.#heardEnd) return;
    this.#heardEnd = true;
    this.#owner.receivedEnd();
  }

  /** The connection is gone. */
  closed(): void {
    this.#ended = true;
    this.#owner.closed();
  }

  #flushHead(): void {
    const head = this.#head;
    if (head === '' || this.#turn.socket.destroyed) return;
    this.#head = '';
    this.#turn.socket.write(head, 'latin1');
  }

  /** Writes `lead`, the slice and, between chunks, the end of the line behind it. */
  #send(lead: string, slice: Buffer): void {
    const { socket } = this.#turn;
    const tail = this.#framing === 'chunked' ? LINE_END.length : 0;
    if (lead === '') {
      socket.write(slice);
    } else if (slice.length <= COPIED_BYTES_MAX) {
      const joined = Buffer.allocUnsafe(lead.length + slice.length + tail);
      joined.write(lead, 0, 'latin1');
      joined.set(slice, lead.length);
      if (tail > 0) joined.set(LINE_END, lead.length + slice.length);
      if (this.#framing === 'length' && slice.length === this.#bodyBytes) {
        this.#turn.sendWhole(joined);
        return;
      }
      // The end of a small body comes at once, and leaves with it.
      socket.cork();
      holdWrites(this);
      socket.write(joined);
    } else {
      socket.cork();
      socket.write(lead, 'latin1');
      socket.write(slice);
      if (tail > 0) socket.write(LINE_END);
      socket.uncork();
    }
  }
}

/** Names and values in turn, as lines. */
export function fieldLines(pairs: readonly string[]): string {
  let lines = '';
  for (let at = 0; at < pairs.length; at += 2) lines += `${pairs[at]}: ${pairs[at + 1]}\r\n`;
  return lines;
}
