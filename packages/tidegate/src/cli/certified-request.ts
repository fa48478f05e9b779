import type { IncomingMessage } from 'node:http';

/** A certificate and its private key, in PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** @throws Error for what is no certificate or no key, and for a key of another certificate */
export async function assertUsable(certificate: ClientCertificate): Promise<void> {
  const { createSecureContext } = await import('node:tls');
  createSecureContext(certificate);
}

/** What is asked, as `fetch` takes it, of which commands need no more. */
export interface CertifiedRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | Uint8Array | undefined;
}

/** RFC 9110, section 6.4.1: answers that have no content, for which `Response` takes none. */
const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

/** Asks with a certificate of the client (mTLS), which `fetch` cannot show. Answers, and rejects, as `fetch` does. */
export async function requestCertified(
  url: string,
  { method, headers, body }: CertifiedRequest,
  certificate: ClientCertificate,
): Promise<Response> {
  // Loaded only now: most commands, the server among them, do without.
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, headers: Object.fromEntries(headers), ...certificate },
      (incoming) => resolve(responseOf(incoming)),
    );
    outgoing.on('error', (cause) => reject(new TypeError('request failed', { cause })));
    outgoing.end(body);
  });
}

function responseOf(incoming: IncomingMessage): Response {
  const { statusCode: status = 0 } = incoming;
  const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  if (STATUSES_WITHOUT_BODY.has(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  return new Response(ReadableStream.from(bytesOf(incoming)), { status, headers });
}

async function* bytesOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* incoming;
  } catch (cause) {
    throw new TypeError('the connection was lost', { cause });
  }
}
