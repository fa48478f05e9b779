import { Buffer } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';

/** Names and values that an origin stores with a WebSocket, bounded. */
export class MetaValues extends Map<string, string> {
  readonly #limits: Limits;
  #bytes = 0;

  constructor(limits: Limits) {
    super();
    this.#limits = limits;
  }

  /**
   * Stores a value, or takes it away if it is null.
   * @throws TidegateError grip_instruct_invalid beyond the limits
   */
  put(name: string, value: string | null): void {
    const earlier = this.get(name);
    if (earlier !== undefined) {
      this.#bytes -= sizeOf(name, earlier);
      this.delete(name);
    }
    if (value === null) return;
    const { gripSocketMetaMax, gripSocketMetaBytesMax } = this.#limits;
    const bytes = this.#bytes + sizeOf(name, value);
    if (this.size === gripSocketMetaMax || bytes > gripSocketMetaBytesMax) {
      const limits = `the limits are ${gripSocketMetaMax} values and ${gripSocketMetaBytesMax} bytes`;
      throw new TidegateError(
        'grip_instruct_invalid',
        `There is no room for the value ${JSON.stringify(name)}; ${limits}.`,
      );
    }
    this.#bytes = bytes;
    this.set(name, value);
  }
}

const sizeOf = (name: string, value: string): number => Buffer.byteLength(name) + Buffer.byteLength(value);
