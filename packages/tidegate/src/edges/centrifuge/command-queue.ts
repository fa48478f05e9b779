import type { Limits } from '../../kernel/index.ts';
import type { Command } from './protocol.ts';
import type { PublishCommand } from './publishing.ts';

/**
 * The commands of one client that wait for earlier ones, up to limits.centrifugeCommandsPendingMax of them and
 * limits.centrifugeCommandBytesPendingMax of the frames that they came in. Empty ones hold no memory.
 */
export class CommandQueue {
  readonly #limits: Limits;
  #commands: Command[] | null = null;
  /** For each command the bytes of its frame if it is the last of it, and 0 if not: a frame counts until all of it has been taken. */
  #sizes: number[] | null = null;
  #next = 0;
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#commands === null ? 0 : this.#commands.length - this.#next;
  }

  get head(): Command | undefined {
    return this.#commands?.[this.#next];
  }

  /**
   * Adds what one frame of `bytes` bytes held. Returns whether that is within the limits; a frame that is alone is never too large.
   */
  add(commands: readonly Command[], bytes: number): 'within_limits' | 'beyond_limits' {
    const { centrifugeCommandsPendingMax, centrifugeCommandBytesPendingMax } = this.#limits;
    if (commands.length === 0) return 'within_limits';
    const isAlone = this.length === 0;
    this.#commands ??= [];
    this.#sizes ??= [];
    for (const [index, command] of commands.entries()) {
      this.#commands.push(command);
      this.#sizes.push(index === commands.length - 1 ? bytes : 0);
    }
    this.#bytes += bytes;
    if (this.length > centrifugeCommandsPendingMax) return 'beyond_limits';
    return isAlone || this.#bytes <= centrifugeCommandBytesPendingMax ? 'within_limits' : 'beyond_limits';
  }

  shift(): Command | undefined {
    const command = this.head;
    if (this.#commands === null) return command;
    this.#bytes -= this.#sizes?.[this.#next] ?? 0;
    if (++this.#next >= this.#commands.length) this.clear();
    return command;
  }

  /** A publish that was taken, with those right behind it that are answered too: up to `countMax`, and none more once they have `bytesMax`. */
  withNext(first: PublishCommand, countMax: number, bytesMax: number): readonly PublishCommand[] {
    const taken = [first];
    let bytes = publishBytes(first);
    for (let { head } = this; head?.method === 'publish' && head.id > 0; { head } = this) {
      if (taken.length >= countMax || bytes >= bytesMax) break;
      taken.push(head);
      bytes += publishBytes(head);
      this.shift();
    }
    return taken;
  }

  clear(): void {
    this.#commands = null;
    this.#sizes = null;
    this.#next = 0;
    this.#bytes = 0;
  }
}

/** What a publish holds while it waits for the log. */
export function publishBytes({ data }: PublishCommand): number {
  return data?.bytes.length ?? 0;
}
