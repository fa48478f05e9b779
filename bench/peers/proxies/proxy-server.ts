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

/** What a proxy speaks with its origin. */
export type UpstreamProtocol = 'http1' | 'http2';

/** How to run a proxy. */
export interface ProxyPeer {
  readonly name: string;
  /** Default: `http1`. */
  readonly upstream?: UpstreamProtocol;
  /** Null if it can be run here; otherwise what is missing. */
  missing(): string | null;
  /** @param originPort where the origin speaks `upstream` */
  start(originPort: number): Promise<ProxyServer>;
}
