import { Buffer } from 'node:buffer';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, type Limits, type Logger, TidegateError } from '../kernel/index.ts';
import { responseHead } from '../wire/http1/index.ts';
import { matchPath, type PathParameters } from './admin-path.ts';
import { listen } from './listen.ts';
import { OriginPolicy } from './origin-policy.ts';
import type { Listener, ResponseHeaders } from './port.ts';
import { problemResponse } from './problem.ts';

/** A request on the admin port. */
export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  /** What stands in the path at the `{name}` segments of the route's path. */
  readonly parameters: PathParameters;
  readonly query: URLSearchParams;
  /** Names in lower case; what repeats is joined as node:http does. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Names the credential that was shown; empty for none. */
  readonly identity: string;
  /** The whole body, at most `limits.messageBytesMax` bytes; empty if there is none. */
  readonly body: Buffer;
}

/** Where an answer that goes on writes to. */
export interface AdminStreamOutput {
  /** A client that does not keep pace is cut off. */
  write(text: string): void;
  end(): void;
}

/** A body that goes on until the client leaves or the server drains. */
export interface AdminStream {
  /** Called once, when the head has been written; what it returns is called once, when the stream is over. */
  start(out: AdminStreamOutput): () => void;
}

export interface AdminResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: string | Uint8Array | AdminStream;
}

/** What answers one method on one path, in which segments such as `{name}` stand for any one segment. A route for GET answers HEAD too. Of several paths that match, the one with the fewest such segments counts. A TidegateError becomes problem+json. */
export interface AdminRoute {
  readonly method: string;
  readonly path: string;
  handle(request: AdminRequest): AdminResponse | Promise<AdminResponse>;
  /** Answers without a credential, as probes have none. Default: false. */
  readonly open?: boolean;
}

/** Who was let in. */
export interface AdminCaller {
  /** Names the credential that was shown; empty for none. */
  readonly name: string;
  /**
   * Calls back once, when whoever was let in would be no longer. Returns what lets go. Null where everybody is let in.
   */
  readonly hold: ((ended: () => void) => () => void) | null;
}

export interface AdminListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly routes: readonly AdminRoute[];
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Lets somebody in, given the Authorization header and the address of the client. Rejects for whoever may not use the admin port.
   * Null lets everybody in who can reach the port.
   */
  readonly authorize: ((authorization: string | undefined, from: string) => Promise<AdminCaller>) | null;
}

const ANYBODY: AdminCaller = { name: '', hold: null };

/** Tools and a console need few connections; what leaks them is stopped early. */
const CONNECTIONS_MAX = 256;
/** What a stream may hold for a client that does not read. */
const STREAM_BYTES_PENDING_MAX = 1024 * 1024;

/**
 * Opens the admin port. It speaks through node:http, because nothing here is hot. Pages of other origins are refused as
 * on the public port. Fails with `listen_failed` if the address cannot be had.
 */
export async function createAdminListener(options: AdminListenerOptions): Promise<Listener> {
  const { limits, clock } = options;
  const policy = new OriginPolicy([]);
  const streams = new Set<ServerResponse>();
  const server = createServer(
    {
      maxHeaderSize: limits.httpHeadBytesMax,
      headersTimeout: limits.httpHeadTimeoutMs,
      keepAliveTimeout: limits.httpKeepAliveTimeoutMs,
    },
    (request, response) => {
      answer(request, options, policy).then(
        (answered) => send(response, answered, streams),
        (error) => send(response, failure(error, request, options.logger), streams),
      );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('clientError', (_error, socket) => refuse(socket));
  const { host, port } = await listen(server, options.host, options.port);
  server.on('error', (error) => options.logger.error({ error }, 'The admin listener failed'));
  return { host, port, drain: (timeoutMs) => drain(server, streams, clock, timeoutMs) };
}

/** The admin port speaks no TLS. */
const PLAIN = { scheme: 'http' } as const;

async function answer(
  request: IncomingMessage,
  options: AdminListenerOptions,
  policy: OriginPolicy,
): Promise<AdminResponse> {
  const { origin, host } = request.headers;
  if (!policy.allows(origin, host, PLAIN)) {
    throw new TidegateError(
      'origin_forbidden',
      `The request was sent to ${host} by ${origin ?? 'no origin'}.`,
    );
  }
  const sent = request.method ?? 'GET';
  const method = sent === 'HEAD' ? 'GET' : sent;
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const matching = options.routes.flatMap((candidate) => {
    const parameters = matchPath(candidate.path, path);
    return parameters === null ? [] : [{ candidate, parameters, left: Object.keys(parameters).length }];
  });
  // The path that says most, whichever methods it takes.
  const fewest = Math.min(...matching.map(({ left }) => left));
  const onPath = matching.filter(({ left }) => left === fewest);
  if (onPath.length === 0)
    throw new TidegateError('http_not_found', `There is no ${path} on the admin port.`);
  const route = onPath.find(({ candidate }) => candidate.method === method);
  if (route === undefined) {
    const problem = problemResponse(
      new TidegateError('http_method_not_allowed', `${path} does not take ${sent}.`),
    );
    const allow = onPath.map(({ candidate }) => candidate.method).join(', ');
    return { ...problem, headers: { ...problem.headers, allow } };
  }
  const caller =
    options.authorize === null || route.candidate.open === true
      ? ANYBODY
      : await options.authorize(request.headers.authorization, request.socket.remoteAddress ?? '');
  const query = new URLSearchParams(mark === -1 ? '' : target.slice(mark));
  const body = await readBody(request, options.limits.messageBytesMax);
  const { parameters } = route;
  const headers = joined(request.headers);
  const identity = caller.name;
  const response = await route.candidate.handle({ method, path, parameters, query, headers, identity, body });
  return whileLetIn(response, caller);
}

/** A stream ends when the credential that it rests on does. */
function whileLetIn(response: AdminResponse, { hold }: AdminCaller): AdminResponse {
  const { body } = response;
  if (hold === null || !isStream(body)) return response;
  const start: AdminStream['start'] = (out) => {
    const letGo = hold(() => out.end());
    const stop = body.start(out);
    return () => {
      letGo();
      stop();
    };
  };
  return { ...response, body: { start } };
}

function isStream(body: AdminResponse['body']): body is AdminStream {
  return typeof body === 'object' && 'start' in body;
}

/** Only `set-cookie` comes as a list, which is no request's. */
function joined(headers: IncomingHttpHeaders): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

/** Past `bytesMax` the rest is read and dropped for as long as node:http lets a request last. */
function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= bytesMax) parts.push(part);
      else reject(new TidegateError('body_too_large', `The body is larger than ${bytesMax} bytes.`));
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', reject);
  });
}

function failure(error: unknown, request: IncomingMessage, logger: Logger): AdminResponse {
  const known = TidegateError.from(error);
  if (known.entry.blame === 'server') {
    logger.error(
      { error, method: request.method, path: request.url?.split('?')[0] },
      'An admin request failed',
    );
  }
  return problemResponse(known);
}

function send(
  response: ServerResponse,
  { status, headers, body }: AdminResponse,
  streams: Set<ServerResponse>,
): void {
  if (response.destroyed) return;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  // A request that was not read to its end leaves the connection in the middle of a message.
  if (!response.req.complete) response.setHeader('connection', 'close');
  if (isStream(body)) {
    stream(response, status, body, streams);
    return;
  }
  // RFC 9110, section 8.6: an answer without content has no length either.
  if (status !== 204) response.setHeader('content-length', Buffer.byteLength(body));
  response.writeHead(status);
  response.end(body);
}

function stream(
  response: ServerResponse,
  status: number,
  body: AdminStream,
  streams: Set<ServerResponse>,
): void {
  response.writeHead(status);
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  streams.add(response);
  const stop = body.start({
    write(text) {
      if (response.writableEnded || response.destroyed) return;
      response.write(text);
      if (response.writableLength > STREAM_BYTES_PENDING_MAX) response.destroy();
    },
    end: () => response.end(),
  });
  response.once('close', () => {
    streams.delete(response);
    stop();
  });
}

/** Answers what node:http could not read as a request. */
function refuse(socket: Duplex): void {
  if (!socket.writable) return;
  const { status, headers, body } = problemResponse(new TidegateError('http_malformed'));
  const framing = `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n`;
  socket.end(responseHead(status, headers, framing) + body);
}

function drain(
  server: Server,
  streams: ReadonlySet<ServerResponse>,
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(() => server.closeAllConnections(), timeoutMs);
    server.close(() => {
      clock.clearTimer(timer);
      resolve();
    });
    for (const response of streams) response.end();
    server.closeIdleConnections();
  });
}
