import type { Protocol } from '../support/options.ts';
import type { WayIn } from '../support/publisher.ts';

/** A server under test, running. */
export interface BenchServer {
  /** Short, for tables: `nchan`. */
  readonly name: string;
  /** What a reader needs to know about how it was run: version, workers, profile. */
  readonly version: string;
  readonly durability: string;
  /** The root of its process tree. */
  readonly pid: number;
  readonly subscribePort: number;
  /** The head of the request that subscribes to the benchmark's channel. */
  subscribeRequest(protocol: Protocol): string;
  /** One message per request on 64 keep-alive connections, or as near as the server comes to that. */
  singlePosts(protocol: Protocol): WayIn;
  /** How the server takes the most messages, found by measuring the ways that it has. */
  bestWay(protocol: Protocol): WayIn;
  stop(): Promise<void>;
}

/** How to run a server, in one of its profiles. */
export interface BenchPeer {
  readonly name: string;
  readonly durability: string;
  /** Null if it can be run here; otherwise what is missing. */
  missing(): string | null;
  start(): Promise<BenchServer>;
}
