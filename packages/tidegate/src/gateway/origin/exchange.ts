import type { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { TidegateError } from '../../kernel/index.ts';
import type { RelayedHead } from '../../listeners/port.ts';

/** A request as it goes to an origin. */
export interface OriginRequest {
  readonly method: string;
  /** In origin form. */
  readonly target: string;
  /** Names and values in turn, without those of framing and connection. Host comes first, and TE, if it is there, last. */
  readonly fields: readonly string[];
  /**
   * The same as lines of HTTP/1, each with its CRLF, and with what TE needs of Connection, where that costs less than names and values.
   * @param host in place of the request's own; null for that
   */
  linesFor?(host: string | null): string;
  /** The length of the body; 0 if there is none, null if it is not known. */
  readonly bodyBytes: number | null;
  /** The protocol that the connection is to go over to, such as `websocket`; null for none. */
  readonly upgrade: string | null;
  /** Wait with the body until the origin asks for it (RFC 9110, section 10.1.1). */
  readonly expects: 'continue' | 'nothing';
}

/** The head of an origin's answer: of a status from 200 to 599, or of 101. Its fields are as they came. */
export type OriginHead = RelayedHead;

/** Receives the answer to one request. Nothing comes before the call that sent the request has returned. */
export interface OriginReceiver {
  /** The body may be sent: there is a connection for it, and the origin wants it. Comes once, if the request has a body. */
  bodyWanted(): void;
  /** An interim answer that is for the client, such as 103. Names and values in turn. */
  interim(status: number, fields: readonly string[]): void;
  head(head: OriginHead): void;
  /** A part of the body, which is the receiver's to keep. */
  data(slice: Buffer): void;
  /** The answer is complete. `trailers` are names and values in turn. */
  answerEnded(trailers: readonly string[]): void;
  /** The answer will not come, or not be complete. Nothing follows. */
  failed(failure: OriginFailure): void;
  /** What was written of the body has been sent. */
  drained(): void;
  /** After a head with 101: the connection, or of HTTP/2 the stream, is the receiver's. `sentAhead` came behind the head. */
  upgraded(socket: Duplex, sentAhead: Buffer): void;
}

/** Why there is no answer. */
export interface OriginFailure {
  readonly error: TidegateError;
  /**
   * How far the request got: not to the origin, or it says that it has not looked at it; to a connection that had been idle and that
   * the origin closed without a byte in answer, as it does when it closes it at the same moment; or so far that the origin may have
   * acted on it.
   */
  readonly reached: 'nothing' | 'idle_connection' | 'origin';
}

/** A request under way. */
export interface OriginExchange {
  /** Sends a part of the body. Returns whether the transport kept pace; if not, `drained` is called once it has. */
  write(slice: Buffer): boolean;
  /** The body is complete. `trailers` are names and values in turn. */
  end(trailers: readonly string[]): void;
  /** Stops and restarts the answer: backpressure towards the origin. */
  pause(): void;
  resume(): void;
  /** Gives the request up; nothing is told any more. */
  abort(): void;
}
