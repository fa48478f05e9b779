import { ERRORS, type ErrorCode, TidegateError } from '../kernel/index.ts';
import { type ClientCertificate, requestCertified } from './certified-request.ts';

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code);

/** A server as a command asks it. */
export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string;
  /** An API key or a token; undefined if the command shows none. */
  readonly token: string | undefined;
  /** What is shown to a server with mTLS; undefined if the command shows none. */
  readonly certificate: ClientCertificate | undefined;
}

/** What is asked of a server. */
export interface ServerRequest {
  /** GET unless given. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/**
 * A channel as the rest of a path: segments are encoded, the slashes between them stay.
 * @throws TidegateError arguments_invalid for a name that no URL can hold
 */
export function channelPath(channel: string): string {
  const segments = channel.split('/');
  // A URL resolves these away (WHATWG URL, section 4.4), in their percent-encoded form too.
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new TidegateError(
      'arguments_invalid',
      `A channel cannot have the segments . and .. in a URL: ${JSON.stringify(channel)}`,
    );
  }
  return `/v1/channels/${segments.map(encodeURIComponent).join('/')}`;
}

/** What Node's TLS says of a certificate that it does not believe (OpenSSL's X509_V_ERR_* names, and its own of names). */
const UNTRUSTED = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Why a request got no answer, as a code: fetch hides it in the causes of its error. */
function reasonOf(error: unknown): 'server_untrusted' | 'server_unreachable' {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (UNTRUSTED.has(String((cause as NodeJS.ErrnoException).code))) return 'server_untrusted';
  }
  return 'server_unreachable';
}

/** The answer of a server, whatever its status. @throws TidegateError server_unreachable, server_untrusted */
export async function send(
  { url, token, certificate }: ServerAddress,
  path: string,
  { method = 'GET', headers: given = {}, body }: ServerRequest,
): Promise<Response> {
  const headers = new Headers(given);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  try {
    return certificate === undefined
      ? await fetch(url + path, { method, headers, body: body ?? null })
      : await requestCertified(url + path, { method, headers, body }, certificate);
  } catch (error) {
    throw new TidegateError(reasonOf(error), new URL(url).origin, { cause: error });
  }
}

/** An error as a server describes it. The words of a code that only a newer server knows are kept. */
export function knownError(described: Readonly<Record<string, unknown>>): TidegateError {
  const detail = typeof described.detail === 'string' ? described.detail : '';
  if (isCode(described.code)) return new TidegateError(described.code, detail);
  return new TidegateError('internal', `${String(described.title)} ${detail} (${String(described.code)})`);
}

/** The error that a server answered with, as if it had happened here. */
export async function errorOf(response: Response): Promise<TidegateError> {
  const text = await response.text().catch(() => '');
  const problem = parseObject(text);
  if (typeof problem.code === 'string') return knownError(problem);
  return new TidegateError(
    'server_unreachable',
    `${response.url || 'What is there'} answered ${response.status}, and not as a Tidegate server does`,
  );
}

/** A successful answer. @throws TidegateError server_unreachable, server_untrusted, or what the server says */
export async function sendSuccessfully(
  server: ServerAddress,
  path: string,
  request: ServerRequest,
): Promise<Response> {
  const response = await send(server, path, request);
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** The members of a JSON object; none if the text is something else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
