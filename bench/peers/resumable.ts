import type { Protocol } from '../support/options.ts';

/** Where the subscribers of a storm are: all on one channel, or on one each. */
export type Spread = 'one channel' | 'a channel each';

/** A server whose subscribers come back and ask for what they missed. */
export interface ResumableServer {
  readonly name: string;
  readonly version: string;
  readonly durability: string;
  readonly pid: number;
  readonly port: number;
  /** What it can do: a server that is left out of a row is left out here. */
  readonly spreads: readonly Spread[];
  readonly protocols: readonly Protocol[];
  /** Publishes messages 0 to `behind` on every channel of the spread, and remembers the position before the first. */
  fill(spread: Spread, subscribers: number, behind: number): Promise<void>;
  /** The head of each subscriber's request, asking for all since that position. */
  requests(protocol: Protocol): readonly string[];
  /** Publishes one more message on every channel. */
  publishNext(sequence: number): Promise<void>;
  stop(): Promise<void>;
}
