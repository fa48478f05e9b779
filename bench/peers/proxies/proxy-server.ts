/** A proxy under test, running, in front of the benchmark's origin. */
export interface ProxyServer {
  /** Short, for tables: `nginx`. */
  readonly name: string;
  /** What a reader needs to know about how it was run. */
  readonly version: string;
  readonly port: number;
  /** The root of its process tree. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** How to run a proxy. */
export interface ProxyPeer {
  readonly name: string;
  /** Null if it can be run here; otherwise what is missing. */
  missing(): string | null;
  start(originPort: number): Promise<ProxyServer>;
}
