import { Buffer } from 'node:buffer';
import type { Line, LineAnswer, LineSubject } from '../../src/kernel/index.ts';
import { TidegateError } from '../../src/kernel/index.ts';

type Asked = Parameters<Line['onAsked']>[1];

/** One end of a line within a process: what is sent arrives once `deliver` is called, or by itself in the next turn. */
export class LineEnd implements Line {
  readonly peer: number;
  other!: LineEnd;
  readonly #told = new Map<LineSubject, (message: Buffer) => void>();
  readonly #asked = new Map<LineSubject, Asked>();
  readonly #open = new Set<LineAnswer>();
  readonly #closed: (() => void)[] = [];
  readonly #post: (delivery: () => void) => void;
  isClosed = false;

  constructor(peer: number, post: (delivery: () => void) => void) {
    this.peer = peer;
    this.#post = post;
  }

  tell(subject: LineSubject, message: Uint8Array): void {
    const bytes = Buffer.from(message);
    this.#post(() => this.other.#told.get(subject)?.(bytes));
  }

  ask(subject: LineSubject, question: Uint8Array, done: LineAnswer): void {
    if (this.isClosed) {
      this.#post(() => done(new TidegateError('worker_unavailable'), Buffer.alloc(0)));
      return;
    }
    const bytes = Buffer.from(question);
    this.#open.add(done);
    this.#post(() => {
      if (this.isClosed) return;
      const take = this.other.#asked.get(subject);
      if (take === undefined) throw new Error(`Nobody answers what is asked of ${subject}`);
      const answer: Parameters<Asked>[1] = (result) =>
        this.#post(() => {
          if (!this.#open.delete(done)) return;
          if (result instanceof TidegateError) done(result, Buffer.alloc(0));
          else done(null, Buffer.from(result));
        });
      try {
        take(bytes, answer);
      } catch (error) {
        answer(TidegateError.from(error));
      }
    });
  }

  onTold(subject: LineSubject, take: (message: Buffer) => void): void {
    this.#told.set(subject, take);
  }

  onAsked(subject: LineSubject, take: Asked): void {
    this.#asked.set(subject, take);
  }

  onClosed(listener: () => void): void {
    this.#closed.push(listener);
  }

  /** The process at the other end has died. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const open = [...this.#open];
    this.#open.clear();
    for (const done of open) done(new TidegateError('worker_unavailable'), Buffer.alloc(0));
    for (const listener of this.#closed) listener();
  }
}

/** Both ends of a line within this process. */
export interface LinePair {
  readonly owner: LineEnd;
  readonly worker: LineEnd;
  /** Delivers all that is under way, and what that leads to. */
  deliver(): void;
  /** Ends both ends, as the death of either process does. */
  close(): void;
}

/**
 * A line whose messages arrive when `deliver` is called, in the order in which they were sent.
 * @param workerNumber what the owner's end calls its peer
 */
export function linePair(workerNumber = 1): LinePair {
  const queue: (() => void)[] = [];
  const post = (delivery: () => void): void => void queue.push(delivery);
  const owner = new LineEnd(workerNumber, post);
  const worker = new LineEnd(0, post);
  owner.other = worker;
  worker.other = owner;
  return {
    owner,
    worker,
    deliver() {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) next();
    },
    close() {
      owner.close();
      worker.close();
    },
  };
}
