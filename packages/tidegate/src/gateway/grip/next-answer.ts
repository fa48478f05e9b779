import type { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import type { GripInstruct } from '../../wire/grip/index.ts';
import type { OriginHead } from '../origin/exchange.ts';
import type { HoldContext } from './hold-context.ts';
import type { LinkReceiver } from './link-task.ts';
import { CollectedBody, instructOfBody, instructOfFields, placeOfInstruct } from './read-instruct.ts';
import type { StreamHold } from './stream-hold.ts';

/** The answer to a next link of a stream: its body goes on in the stream, and its instruction holds from then on. */
export class NextAnswer implements LinkReceiver {
  readonly #hold: StreamHold;
  readonly #why: 'follow' | 'refresh';
  readonly #context: HoldContext;
  #head: OriginHead | null = null;
  #instruct: GripInstruct | null = null;
  /** The body, if it is an instruction itself. */
  #collected: CollectedBody | null = null;

  /** @param why whether the stream can go on without an answer */
  constructor(hold: StreamHold, why: 'follow' | 'refresh', context: HoldContext) {
    this.#hold = hold;
    this.#why = why;
    this.#context = context;
  }

  head(head: OriginHead): void {
    const { limits } = this.#context;
    this.#head = head;
    this.#hold.answering();
    if (placeOfInstruct(head) === 'body') this.#collected = new CollectedBody(limits);
    else this.#try(() => this.#take(instructOfFields(head, limits)));
  }

  data(slice: Buffer): void {
    const collected = this.#collected;
    if (collected === null) this.#hold.data(slice);
    else this.#try(() => collected.add(slice));
  }

  ended(): void {
    const collected = this.#collected;
    const head = this.#head;
    if (collected !== null && head !== null) {
      this.#collected = null;
      this.#try(() => {
        const instruct = instructOfBody(head, collected.take(), this.#context.limits);
        this.#take(instruct);
        if (instruct.response !== null) this.#hold.data(instruct.response.body);
      });
    }
    if (this.#instruct !== null) this.#hold.replaced(this.#instruct);
  }

  failed(): void {
    if (this.#head === null) this.#hold.notReplaced(this.#why);
    else this.#hold.bodyFailed();
  }

  #take(instruct: GripInstruct): void {
    if (instruct.hold === 'response') {
      throw new TidegateError(
        'grip_instruct_invalid',
        'A stream that has begun cannot become a response that is held.',
      );
    }
    this.#hold.filterBody(instruct);
    this.#instruct = instruct;
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#instruct = null;
      this.#hold.brokenAnswer(TidegateError.from(error));
    }
  }
}
