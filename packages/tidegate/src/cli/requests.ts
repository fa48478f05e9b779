import { ERRORS, type ErrorCode, TidegateError } from '../kernel/index.ts';
import type { Terminal } from './terminal.ts';

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code);

/** Where a server listens unless told otherwise. */
export const DEFAULT_URLS = { public: 'http://127.0.0.1:8080', admin: 'http://127.0.0.1:8081' } as const;

/** The variables that name the addresses, for those who do not want to repeat the option. */
export const URL_VARIABLES = { public: 'TIDEGATE_URL', admin: 'TIDEGATE_ADMIN_URL' } as const;

/** The variable that holds the credential, so that it stands in no list of processes and no history of a shell. */
export const TOKEN_VARIABLE = 'TIDEGATE_TOKEN';

/** The option of all commands that ask a server. */
export const TOKEN_OPTION = {
  token: {
    kind: 'text',
    value: 'TOKEN',
    description: `An API key or a token (default: ${TOKEN_VARIABLE})`,
  },
} as const;

/** A server as a command asks it. */
export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string;
  /** An API key or a token; undefined if the command shows none. */
  readonly token: string | undefined;
}

/**
 * The address of a port, and the credential: the options, else the environment, else the defaults.
 * @throws TidegateError arguments_invalid
 */
export function serverAddress(
  port: 'public' | 'admin',
  options: { readonly url: string | undefined; readonly token: string | undefined },
  terminal: Terminal,
): ServerAddress {
  const text = options.url ?? (terminal.environment[URL_VARIABLES[port]] || DEFAULT_URLS[port]);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TidegateError(
      'arguments_invalid',
      `${JSON.stringify(text)} is not an address such as ${DEFAULT_URLS[port]}`,
    );
  }
  const token = options.token ?? (terminal.environment[TOKEN_VARIABLE] || undefined);
  return { url: url.href.replace(/\/+$/, ''), token };
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
export async function send(server: ServerAddress, path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  if (server.token !== undefined) headers.set('authorization', `Bearer ${server.token}`);
  try {
    return await fetch(server.url + path, { ...init, headers });
  } catch (error) {
    throw new TidegateError(reasonOf(error), new URL(server.url).origin, { cause: error });
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
    `${response.url} answered ${response.status}, and not as a Tidegate server does`,
  );
}

/** A successful answer. @throws TidegateError server_unreachable, server_untrusted, or what the server says */
export async function sendSuccessfully(
  server: ServerAddress,
  path: string,
  init: RequestInit,
): Promise<Response> {
  const response = await send(server, path, init);
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
