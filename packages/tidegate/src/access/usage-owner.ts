import type { Line, TidegateError } from '../kernel/index.ts';
import type { Granted } from './event-limits.ts';
import type { LimitOptions } from './options.ts';
import type { Share } from './port.ts';
import {
  type Admitted,
  readAdmitted,
  readGranted,
  readWait,
  writeNews,
  writeQuestion,
} from './usage-messages.ts';

/** The process that counts a usage, as the usage sees it. */
export interface OwnerOfUsage {
  hold(share: Share, times: number, done: (outcome: Admitted | TidegateError) => void): void;
  release(share: Share): void;
  publish(count: number, done: (outcome: Granted | TidegateError) => void): void;
  /** Calls back with how long nobody may be handed more, in milliseconds. */
  spent(bytes: number, done: (waitMs: number) => void): void;
}

/** A worker's end of the line on which usages are counted. */
export class UsageOwner {
  readonly #line: Line;
  readonly #gone = new FinalizationRegistry<number>((id) => this.#close(id));
  #lastId = 0;

  constructor(line: Line) {
    this.#line = line;
  }

  /**
   * Has a usage counted under a name, for as long as it is used.
   * @param create makes the usage; it must be what keeps its owner alive
   */
  open<Usage extends object>(
    name: string,
    limits: LimitOptions,
    create: (owner: OwnerOfUsage) => Usage,
  ): Usage {
    const id = ++this.#lastId;
    this.#line.tell('usage', writeNews({ kind: 'open', id, name, limits }));
    const usage = create(this.#ownerOf(id));
    this.#gone.register(usage, id);
    return usage;
  }

  #ownerOf(id: number): OwnerOfUsage {
    const line = this.#line;
    return {
      hold(share, times, done) {
        line.ask('usage', writeQuestion({ kind: 'hold', id, times, ...share }), (error, answer) =>
          done(error ?? readAdmitted(answer)),
        );
      },
      release({ connections, subscriptions }) {
        line.tell('usage', writeNews({ kind: 'release', id, connections, subscriptions }));
      },
      publish(count, done) {
        line.ask('usage', writeQuestion({ kind: 'publish', id, count }), (error, answer) =>
          done(error ?? readGranted(answer)),
        );
      },
      spent(bytes, done) {
        // Who is not answered is ending, and so are its subscribers.
        line.ask('usage', writeQuestion({ kind: 'spent', id, bytes }), (error, answer) =>
          done(error === null ? readWait(answer) : 0),
        );
      },
    };
  }

  #close(id: number): void {
    this.#line.tell('usage', writeNews({ kind: 'close', id }));
  }
}
