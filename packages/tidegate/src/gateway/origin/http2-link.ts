import type { Buffer } from 'node:buffer';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { EMPTY, type Limits, TidegateError } from '../../kernel/index.ts';
import { isWithoutContent, REASON_PHRASES } from '../../wire/http1/index.ts';
import { acceptKey } from '../../wire/websocket/index.ts';
import type { OriginHead, OriginReceiver, OriginRequest } from './exchange.ts';
import { type EndedStream, failureOf } from './http2-failure.ts';
import { http2RequestFields, readHttp2Response, readHttp2Trailers } from './http2-fields.ts';
import { Http2Upload, type UploadConnection } from './http2-upload.ts';
import type { OriginLink } from './origin-link.ts';

/** What a link needs of its connection. */
export interface LinkConnection extends UploadConnection {
  readonly limits: Limits;
  hearing: number;
  readonly scheme: 'http' | 'https';
  /** Whether the origin takes extended CONNECT (RFC 8441, section 3). */
  readonly takesWebSockets: boolean;
  /** The time on the scale of deadlines. */
  readonly nowMs: number;
  /** Bytes that have come so far: where there were none since, the origin has said nothing. */
  readonly bytesRead: number;
  /** Whether an answer has come on it before. */
  readonly hasAnswered: boolean;
  readonly isGone: boolean;
  /** No stream above this was looked at (RFC 9113, section 6.8); null as long as the origin takes streams. */
  readonly lastStreamId: number | null;
  /** Begins a stream. What goes wrong closes it, later. */
  open(fields: readonly string[], body: 'none' | 'body' | 'tunnel'): ClientHttp2Stream;
  /** An answer is complete. */
  answered(): void;
  /** A request was given up that began at this time, when so many bytes had come. */
  givenUp(beganMs: number, bytesBefore: number): void;
  /** The link's place is free. */
  released(link: Http2Link): void;
}

const NO_FIELDS: readonly string[] = [];

const malformed = (detail: string): TidegateError => new TidegateError('http_malformed', detail);

/** A place for one request on a connection that speaks HTTP/2, and the stream that it becomes. */
export class Http2Link implements OriginLink {
  readonly #connection: LinkConnection;
  #stream: ClientHttp2Stream | null = null;
  #upload: Http2Upload | null = null;
  #request: OriginRequest | null = null;
  #receiver: OriginReceiver | null = null;
  #head: OriginHead | null = null;
  #hasBody = false;
  /** Bytes of the body that have come. */
  #bytes = 0;
  #interims = 0;
  /** The origin is to say that it wants the body. */
  #bodyHeld = false;
  #isPaused = false;
  /** What the origin sends ended with END_STREAM. */
  #isWhole = false;
  #trailers = NO_FIELDS;
  #bytesBefore = 0;
  #beganMs = 0;
  #error: Error | null = null;

  constructor(connection: LinkConnection) {
    this.#connection = connection;
  }

  // --- What the exchange asks. ---

  begin(request: OriginRequest, host: string | null, receiver: OriginReceiver): void {
    const connection = this.#connection;
    this.#request = request;
    this.#receiver = receiver;
    this.#bytesBefore = connection.bytesRead;
    this.#beganMs = connection.nowMs;
    if (request.upgrade !== null && !connection.takesWebSockets) {
      queueMicrotask(() => {
        this.giveBack();
        this.#tellFailed(new TidegateError('websocket_unsupported'));
      });
      return;
    }
    const { bodyBytes, upgrade, expects } = request;
    const body = upgrade !== null ? 'tunnel' : bodyBytes === 0 ? 'none' : 'body';
    const stream = connection.open(http2RequestFields(request, host, connection.scheme), body);
    this.#stream = stream;
    this.#upload = new Http2Upload(stream, body, connection, () => this.#receiver?.drained());
    this.#listen(stream);
    this.#bodyHeld = body === 'body' && expects === 'continue';
    if (body === 'body' && !this.#bodyHeld) receiver.bodyWanted();
  }

  releaseBody(): void {
    if (!this.#bodyHeld) return;
    this.#bodyHeld = false;
    this.#receiver?.bodyWanted();
  }

  giveBack(): void {
    this.#connection.released(this);
  }

  write(slice: Buffer): boolean {
    return this.#upload?.write(slice) ?? true;
  }

  end(trailers: readonly string[]): void {
    this.#upload?.end(trailers);
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#head !== null) this.#stream?.resume();
  }

  abort(): void {
    this.#receiver = null;
    this.#connection.givenUp(this.#beganMs, this.#bytesBefore);
    this.#upload?.drop();
  }

  // --- What the stream tells. ---

  #listen(stream: ClientHttp2Stream): void {
    // The library ends a stream in the same way if it was reset without an error, in the middle of a body as well (RFC 9113, section 8.1).
    const push = stream.push.bind(stream);
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.closed) this.#isWhole = true;
      return push(chunk, encoding);
    };
    stream.on('headers', (_headers, _flags, raw: readonly string[]) =>
      this.#hear(() => this.#readInterim(raw)),
    );
    stream.on('response', (_headers, flags, raw: readonly string[]) =>
      this.#hear(() => this.#readHead(raw, flags)),
    );
    stream.on('trailers', (_headers, _flags, raw: readonly string[]) =>
      this.#hear(() => this.#readTrailers(raw)),
    );
    stream.on('error', (error) => {
      this.#error = error;
    });
    stream.once('close', () => this.#closed(stream));
  }

  /** Everything that the stream tells comes while the library reads. */
  #hear(step: () => void): void {
    this.#connection.hearing++;
    try {
      step();
    } finally {
      this.#connection.hearing--;
    }
  }

  #readTrailers(raw: readonly string[]): void {
    this.#trailers = this.#read(() => readHttp2Trailers(raw, this.#connection.limits)) ?? NO_FIELDS;
  }

  #readInterim(raw: readonly string[]): void {
    const { limits } = this.#connection;
    const head = this.#read(() => {
      if (++this.#interims <= limits.upstreamInterimMax) return readHttp2Response(raw, limits);
      throw malformed(`There are more than ${limits.upstreamInterimMax} interim answers.`);
    });
    if (head?.status === 100) this.releaseBody();
    else if (head !== null) this.#receiver?.interim(head.status, head.fields);
  }

  #readHead(raw: readonly string[], flags: number): void {
    const stream = this.#stream as ClientHttp2Stream;
    const receiver = this.#receiver;
    if (receiver === null || this.#head !== null) return;
    const { method, upgrade, fields: asked } = this.#request as OriginRequest;
    const head = this.#read(() => readHttp2Response(raw, this.#connection.limits));
    if (head === null) return;
    const { status, fields, lengthBytes } = head;
    if (upgrade !== null && status >= 200 && status < 300) {
      this.#upgrade(stream, fields, asked, receiver);
      return;
    }
    this.#hasBody = method !== 'HEAD' && !isWithoutContent(status);
    const isEnded = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    if (status < 200 || (this.#hasBody && isEnded && lengthBytes !== null && lengthBytes > 0)) {
      this.#fail(malformed('The stream ended with a head that promises more.'));
      return;
    }
    const bodyBytes = this.#hasBody && isEnded ? 0 : lengthBytes;
    this.#head = { status, reason: REASON_PHRASES[status] ?? '', fields, bodyBytes };
    receiver.head(this.#head);
    if (this.#receiver === null) return;
    stream.on('data', (slice: Buffer) => this.#received(slice));
    stream.once('end', () => this.#hear(() => this.#ended()));
    if (this.#isPaused) stream.pause();
  }

  #received(slice: Buffer): void {
    this.#bytes += slice.length;
    this.#connection.hearing++;
    this.#receiver?.data(slice);
    this.#connection.hearing--;
  }

  #ended(): void {
    // What is not whole ends with the stream's closing.
    const receiver = this.#receiver;
    const stream = this.#stream as ClientHttp2Stream;
    if (receiver === null || !this.#isWhole || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    const { bodyBytes } = this.#head as OriginHead;
    if (this.#hasBody && bodyBytes !== null && bodyBytes !== this.#bytes) {
      this.#fail(malformed('The body is not as long as its Content-Length.'));
      return;
    }
    this.#receiver = null;
    this.#connection.answered();
    this.#upload?.answered();
    receiver.answerEnded(this.#trailers);
  }

  #upgrade(
    stream: ClientHttp2Stream,
    fields: readonly string[],
    asked: readonly string[],
    receiver: OriginReceiver,
  ): void {
    this.#receiver = null;
    this.#connection.answered();
    stream.pause();
    // A tunnel lets go of its stream in the way of sockets, of which the origin would not learn.
    const destroy = stream.destroy.bind(stream);
    stream.destroy = (error) => {
      if (stream.closed || this.#connection.isGone) return destroy(error);
      stream.close(constants.NGHTTP2_CANCEL);
      return stream;
    };
    const key = asked[asked.findIndex((name) => name.toLowerCase() === 'sec-websocket-key') + 1];
    // The origin has not seen the key: only the gateway can prove to a client of HTTP/1.1 that its handshake was understood.
    const proven = [...fields, 'Sec-WebSocket-Accept', acceptKey(key)];
    receiver.head({ status: 101, reason: 'Switching Protocols', fields: proven, bodyBytes: 0 });
    receiver.upgraded(stream, EMPTY);
  }

  #closed(stream: ClientHttp2Stream): void {
    this.#upload?.closed();
    this.#connection.released(this);
    const connection = this.#connection;
    const { lastStreamId, isGone, hasAnswered, bytesRead } = connection;
    const ended: EndedStream = {
      code: stream.rstCode,
      error: this.#error,
      isUnseen: stream.id === undefined || (lastStreamId !== null && stream.id > lastStreamId),
      connection: !isGone
        ? 'open'
        : hasAnswered && bytesRead === this.#bytesBefore
          ? 'gone_silently'
          : 'gone',
      answer: this.#head === null ? 'none' : 'begun',
    };
    this.#receiver?.failed(failureOf(ended));
    this.#receiver = null;
  }

  // --- When something is wrong with the answer. ---

  /** What was read; null if it cannot be, which has been told. */
  #read<Part>(step: () => Part): Part | null {
    try {
      return step();
    } catch (error) {
      this.#fail(TidegateError.from(error));
      return null;
    }
  }

  #fail(error: TidegateError): void {
    this.#tellFailed(new TidegateError('upstream_malformed', error.detail, { cause: error }));
    this.#upload?.drop();
  }

  #tellFailed(error: TidegateError): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed({ error, reached: 'origin' });
  }
}
