import type { Command } from './protocol.ts';

/** The commands of one client that wait for earlier ones. Empty ones hold no memory. */
export class CommandQueue {
  #commands: Command[] | null = null;
  #next = 0;

  get length(): number {
    return this.#commands === null ? 0 : this.#commands.length - this.#next;
  }

  get head(): Command | undefined {
    return this.#commands?.[this.#next];
  }

  add(command: Command): void {
    if (this.#commands === null) this.#commands = [command];
    else this.#commands.push(command);
  }

  shift(): Command | undefined {
    const command = this.head;
    if (this.#commands !== null && ++this.#next >= this.#commands.length) this.clear();
    return command;
  }

  clear(): void {
    this.#commands = null;
    this.#next = 0;
  }
}
