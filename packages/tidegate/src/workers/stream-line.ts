import type { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import {
  ByteWriter,
  type Clock,
  EMPTY,
  LINE_SUBJECTS,
  type Line,
  type LineAnswer,
  type LineSubject,
  lineJson,
  readLineJson,
  TidegateError,
} from '../kernel/index.ts';
import { FRAME_KINDS, type Frame, type FrameKind, FrameReader } from './frame.ts';

/** Up to this size, the buffer in which frames gather is kept for the next ones. */
const GATHERED_BYTES_KEPT = 1 << 20;
const ID_MAX = 0xffffffff;
/**
 * Under load, what is said within this time goes out together. Writing wakes the other process, which costs ten microseconds: as much as half of a
 * publish over HTTP.
 */
const PACE_MS = 0.25;

export interface StreamLineOptions {
  /** The pipe to the other process. */
  readonly stream: Duplex;
  readonly peer: number;
  readonly clock: Clock;
  /**
   * When what was gathered is sent. The owner sends at the end of the code that runs, since a commit answers everybody at once; a worker at
   * the end of the turn, since each of its clients comes with code of its own.
   */
  readonly sends: 'soon' | 'at the end of the turn';
  /** The line is given up if the other end leaves this much unread. */
  readonly unsentBytesMax: number;
  /** Told what went wrong with what the other end said. Unless it was a question, the line is closed then. */
  readonly failed: (error: unknown) => void;
}

/** Why a line is closed: the other end or the pipe has gone, this end has closed it, or the other end left too much unread. */
export type CloseReason = 'gone' | 'closed' | 'unread';

type Asked = Parameters<Line['onAsked']>[1];

/** A line over a pipe. Frames gather, so that a turn costs one system call, however much is said. */
export class StreamLine implements Line {
  readonly peer: number;
  readonly #options: StreamLineOptions;
  readonly #reader = new FrameReader();
  readonly #out = new ByteWriter(1 << 16, GATHERED_BYTES_KEPT);
  readonly #takers = new Map<LineSubject, (message: Buffer) => void>();
  readonly #answerers = new Map<LineSubject, Asked>();
  readonly #open = new Map<number, LineAnswer>();
  readonly #closedListeners: (() => void)[] = [];
  readonly #send = (): void => this.#sendWhenDue();
  #lastId = 0;
  #scheduled = false;
  #sentMs = Number.NEGATIVE_INFINITY;
  #closeReason: CloseReason | null = null;

  constructor(options: StreamLineOptions) {
    const { stream, peer } = options;
    this.peer = peer;
    this.#options = options;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    // What is wrong with the pipe is said by its end.
    stream.on('error', () => {});
    stream.on('end', () => this.#close('gone'));
    stream.on('close', () => this.#close('gone'));
  }

  /** Null while the line is open. */
  get closeReason(): CloseReason | null {
    return this.#closeReason;
  }

  get #isClosed(): boolean {
    return this.#closeReason !== null;
  }

  tell(subject: LineSubject, message: Uint8Array): void {
    if (!this.#isClosed) this.#frame('told', subject, 0, message);
  }

  ask(subject: LineSubject, question: Uint8Array, done: LineAnswer): void {
    if (this.#isClosed) {
      this.#options.clock.soon(() => done(new TidegateError('worker_unavailable'), EMPTY));
      return;
    }
    do this.#lastId = this.#lastId === ID_MAX ? 1 : this.#lastId + 1;
    while (this.#open.has(this.#lastId));
    this.#open.set(this.#lastId, done);
    this.#frame('asked', subject, this.#lastId, question);
  }

  onTold(subject: LineSubject, take: (message: Buffer) => void): void {
    this.#takers.set(subject, take);
  }

  onAsked(subject: LineSubject, take: Asked): void {
    this.#answerers.set(subject, take);
  }

  onClosed(listener: () => void): void {
    this.#closedListeners.push(listener);
  }

  /** Ends the line at both ends. */
  close(): void {
    this.#close('closed');
  }

  #close(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#closeReason = reason;
    this.#options.stream.destroy();
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const done of open) done(new TidegateError('worker_unavailable'), EMPTY);
    for (const listener of this.#closedListeners) listener();
  }

  /** Whatever goes wrong with what was said ends the line, and not this process. */
  #receive(chunk: Buffer): void {
    try {
      this.#reader.receive(chunk, (frame) => this.#take(frame));
    } catch (error) {
      this.#options.failed(error);
      this.close();
    }
  }

  #take({ kind, subject, id, payload }: Frame): void {
    switch (kind) {
      case 'told':
        this.#takers.get(subject)?.(payload);
        return;
      case 'asked':
        this.#answer(subject, id, payload);
        return;
      case 'answered':
      case 'failed': {
        const done = this.#open.get(id);
        this.#open.delete(id);
        if (kind === 'answered') done?.(null, payload);
        else done?.(readError(payload), EMPTY);
      }
    }
  }

  #answer(subject: LineSubject, id: number, question: Buffer): void {
    const answerer = this.#answerers.get(subject);
    const answer = (result: Uint8Array | TidegateError): void => {
      if (this.#isClosed) return;
      if (result instanceof TidegateError) this.#frame('failed', subject, id, errorBytes(result));
      else this.#frame('answered', subject, id, result);
    };
    if (answerer === undefined) {
      answer(new TidegateError('worker_unavailable', `It knows nothing of ${subject}`));
      return;
    }
    try {
      answerer(question, answer);
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      // The others are for whoever has asked.
      if (error.code === 'internal') this.#options.failed(error);
      answer(error);
    }
  }

  #frame(kind: FrameKind, subject: LineSubject, id: number, payload: Uint8Array): void {
    this.#out.uint32(payload.length);
    this.#out.byte(LINE_SUBJECTS.indexOf(subject));
    this.#out.byte(FRAME_KINDS.indexOf(kind));
    this.#out.uint32(id);
    this.#out.bytes(payload);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { clock, sends } = this.#options;
    if (sends === 'soon') clock.soon(this.#send);
    else clock.endOfTurn(this.#send);
  }

  /** Sends, or looks again a turn later: in a busy process turns are short of work to wait for, and in an idle one it is due. */
  #sendWhenDue(): void {
    const { clock, stream, unsentBytesMax } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#sentMs < PACE_MS && !this.#isClosed) {
      clock.endOfTurn(this.#send);
      return;
    }
    this.#scheduled = false;
    if (this.#isClosed) return;
    this.#sentMs = nowMs;
    stream.write(this.#out.take());
    if (stream.writableLength > unsentBytesMax) this.#close('unread');
  }
}

interface ErrorMessage {
  readonly code: TidegateError['code'];
  readonly detail: string;
  readonly retryAfterMs: number | null;
}

function errorBytes({ code, detail, retryAfterMs }: TidegateError): Buffer {
  return lineJson({ code, detail, retryAfterMs } satisfies ErrorMessage);
}

function readError(payload: Buffer): TidegateError {
  const { code, detail, retryAfterMs } = readLineJson<ErrorMessage>(payload);
  return new TidegateError(code, detail, retryAfterMs === null ? {} : { retryAfterMs });
}
