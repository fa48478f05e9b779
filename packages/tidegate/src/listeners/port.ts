import type { ErrorCode, TidegateError } from '../kernel/index.ts';
import type { StreamFraming } from '../wire/http1/index.ts';

export type { StreamFraming };

/** Header fields: names in lower case, in the order of arrival; repeated names are kept apart. */
export interface Headers {
  /** The value of the first field of this name (lower case), without surrounding white space; undefined if absent. */
  get(name: string): string | undefined;
  /** All values of this name. */
  all(name: string): readonly string[];
  entries(): Iterable<readonly [name: string, value: string]>;
  /** The fields by index, for those who look at all of them without making anything for each. */
  readonly count: number;
  /** The length of the name of field `index`: the cheapest way to rule a name out. */
  nameLength(index: number): number;
  /** Whether field `index` has this name, given in lower case. */
  isNamed(index: number, name: string): boolean;
  /** The name of field `index` in lower case. */
  name(index: number): string;
  /** The name of field `index` as it was sent. */
  spelledName(index: number): string;
  value(index: number): string;
}

/** Receives a request's body as it arrives. A slice is valid only during the call: copy what is kept. */
export interface BodyReceiver {
  data(slice: Buffer): void;
  /** The body is complete. `trailers` are the fields that came behind it; null if none did. */
  end(trailers: Headers | null): void;
  /** The body will not be completed: the client left, stalled, broke the framing or sent too much. Nothing follows. */
  failed(error: TidegateError): void;
}

/** The body of a request. Nothing is read from the socket until `receive` is called, beyond what a buffer holds. */
export interface RequestBody {
  /** The value of Content-Length; null if the body is chunked. 0 if there is no body. */
  readonly lengthBytes: number | null;
  /** Starts the body (and answers `Expect: 100-continue`). Fails with body_too_large past `bytesMax`. */
  receive(receiver: BodyReceiver, bytesMax: number): void;
  /** Stops and restarts reading from the socket: backpressure towards the client. */
  pause(): void;
  resume(): void;
}

/** The certificate that a client has shown, and that an authority of `tls.clientCa` has signed. */
export interface ClientCertificate {
  /** The subject's attributes in the order of the certificate, such as `O=Example, CN=backend`. */
  readonly subject: string;
  /** The subject's common name; empty if it has none. */
  readonly commonName: string;
  /** The alternative names (RFC 5280, section 4.2.1.6) with their kinds, such as `DNS:a.example` and `URI:spiffe://b/c`. */
  readonly names: readonly string[];
  /** The SHA-256 of the certificate, as hexadecimal pairs with colons. */
  readonly fingerprint: string;
  /** When it ends, in milliseconds since the Unix epoch. */
  readonly expiresMs: number;
}

export interface HttpRequest {
  readonly method: string;
  /** As sent, in origin form. */
  readonly target: string;
  /** The part of the target before `?`, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /**
   * The host that the client asked for, with its port if that was sent, from Host or from the target, or as a trusted proxy says; empty for an
   * HTTP/1.0 request that names none.
   */
  readonly host: string;
  readonly headers: Headers;
  readonly body: RequestBody;
  readonly majorVersion: 1 | 2;
  /** The minor version: 0 or 1 of HTTP/1, 0 of HTTP/2, neither of whose zeros has chunked framing. */
  readonly minorVersion: number;
  /** How the client asked: as the connection is, or as a trusted proxy says. */
  readonly scheme: 'http' | 'https';
  /** The client's address: the other end of the connection, or whom a trusted proxy names. */
  readonly remoteAddress: string;
  /** The addresses of the trusted proxies that passed it on, the one that made the connection last; empty if the client itself made it. */
  readonly proxies: readonly string[];
  /** What the other end of the connection proved to be by its certificate; null if it showed none, or none that is believed. */
  readonly clientCertificate: ClientCertificate | null;
}

/** What `proxies` is of nearly all requests. */
export const NO_PROXIES: readonly string[] = Object.freeze([]);

/** Header fields of a response. Framing and connection fields are the listener's. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[]>>;

/** The raw bytes of a connection after its response head, for streams and upgrades. */
export interface ByteChannel {
  /** Writes and returns whether the transport kept pace; if not, `drained` is called once it has. */
  write(bytes: Buffer): boolean;
  /** Sends `last`, if given, and then the end of the stream. */
  end(last?: Buffer): void;
  /** Drops the connection at once. */
  destroy(): void;
  pause(): void;
  resume(): void;
}

/** What a stream or an upgraded connection tells its owner. */
export interface ByteChannelOwner {
  /** Bytes from the client; only upgraded connections get them. Valid only during the call, and may be changed in it. */
  received(slice: Buffer): void;
  /** The client half-closed; only upgraded connections get it. */
  receivedEnd(): void;
  drained(): void;
  /** The connection is gone, for whatever reason. Comes exactly once. */
  closed(): void;
  /** The server is shutting down: say so in the protocol and end soon. */
  draining(): void;
}

/** The head of a response that another server gave, and that is passed on. */
export interface RelayedHead {
  readonly status: number;
  /** The reason phrase, which HTTP/2 has none of. */
  readonly reason: string;
  /**
   * Names and values in turn, without those of framing and connection. Whoever relays them answers for their form: they come from a
   * parser that has checked it.
   */
  readonly fields: readonly string[];
  /** The same as lines of HTTP/1, each with its CRLF, where that costs less than names and values; null or missing if it does not. */
  readonly lines?: RelayedLines | null;
  /** The length of the body; null if it is not known. To HEAD, the length that it would have. */
  readonly bodyBytes: number | null;
}

/** The fields of a relayed response as they came. */
export interface RelayedLines {
  readonly text: string;
  /** Whether Date is among them. */
  readonly isDated: boolean;
}

/** Takes the body of a relayed response. */
export interface RelayedBody {
  /** Passes bytes on; they must not be changed any more. Returns whether the transport kept pace; if not, `drained` is called once it has. */
  write(slice: Buffer): boolean;
  /** The body is complete. `trailers` are names and values in turn; they reach clients whose framing has room for them. */
  end(trailers?: readonly string[]): void;
  /** The rest of the body will not come. The client learns that it is not complete. */
  abort(): void;
}

/** What a relayed response tells its owner. */
export interface RelayOwner {
  drained(): void;
  /**
   * The client has ended its side of the connection; only HTTP/1 tells. It may be waiting for the answer, or be gone, which looks the same
   * until a write fails. Comes at most once.
   */
  receivedEnd(): void;
  /** The client is gone, or has the whole response. Comes exactly once. */
  closed(): void;
}

/** One request and the means to answer it. Exactly one of `respond`, `relay`, `stream`, `converse` and `upgrade` is called, once. */
export interface HttpExchange {
  readonly request: HttpRequest;
  /** A complete response. For HEAD, the body is only measured. Text is sent as UTF-8. */
  respond(status: number, headers: ResponseHeaders, body?: string | Uint8Array): void;
  /** The error as application/problem+json with the status that the listener maps its code to. */
  fail(error: TidegateError, headers?: ResponseHeaders): void;
  /**
   * A response whose head is known and whose body arrives, beside a request body that may still be arriving. The connection stays open for
   * further requests where framing allows it.
   */
  relay(head: RelayedHead, owner: RelayOwner): RelayedBody;
  /** An interim response (1xx but 100 and 101) before the answer, for clients that know them. Names and values in turn. */
  inform(status: number, fields: readonly string[]): void;
  /**
   * A response of unknown length. What is written must already be framed as `framing` says, so that framed bytes can be shared by
   * many connections. The request's parser is let go of; the connection is closed at the end.
   */
  stream(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel;
  /**
   * As `stream`, but the request's body goes on arriving beside the response: for answers to what is still being sent. The body
   * is received as always, before or after this call; the connection is closed once the response has ended.
   */
  converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel;
  /**
   * 101 with these headers, then raw bytes. `received` comes also for bytes that the client sent ahead. Fails with
   * upgrade_invalid on HTTP/1.0 and on HTTP/2, which have no upgrade.
   */
  upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel;
  /**
   * Called once if the client leaves before the exchange was answered, or ends its side of the connection, which looks the
   * same until somebody writes. An answer still reaches a client that has only half-closed.
   */
  onAbandoned(callback: () => void): void;
}

/** Answers exchanges. Must not throw; an error that escapes is answered with 500 and logged. */
export type HttpHandler = (exchange: HttpExchange) => void;

/** Error code to HTTP status; total, so that a new code cannot be forgotten. */
export type HttpStatusMap = Readonly<Record<ErrorCode, number>>;

/** The listener of the public port. */
export interface PublicListener extends Listener {
  /** Reads the certificates anew, as happens by itself soon after their files change. Does nothing without TLS. */
  reload(): Promise<void>;
}

/** An open listener. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; finishes requests under way; tells streams; resolves when all is gone or at the timeout. */
  drain(timeoutMs: number): Promise<void>;
}
